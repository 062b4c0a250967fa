"""A network is written as ONNX: ONNX Runtime, which knows nothing of PyTorch, computes what PyTorch does."""

import hashlib
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from conftest import REPOSITORY
from networks import NETWORKS, network

import convae
from convae import artifacts
from convae.errors import ConvaeError
from convae.network.config import ModelConfig
from convae.network.exporting import to_onnx
from convae.network.models import without_weights
from convae.network.weights import weights, write_weights

# The exporter takes seconds to import.
pytestmark = pytest.mark.slow


@cache
def exported(name: str) -> dict[str, bytes]:
    return to_onnx(network(name, arithmetic="native"))


def computed(content: bytes, given: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (taken,) = session.get_inputs()
    (found,) = session.run(None, {taken.name: given})
    return np.asarray(found)


@pytest.mark.parametrize("name", NETWORKS)
def test_another_runtime_computes_what_pytorch_does_for_any_number_of_images(name: str) -> None:
    model = network(name, arithmetic="native")
    files = exported(name)
    assert list(files) == ["encoder", "decoder"]
    for count in (1, 2, 7):
        images = np.random.default_rng(count).uniform(-1, 1, (count, *model.image_shape)).astype(np.float32)
        with torch.no_grad():
            cells = model.encoder(torch.from_numpy(images))
            expected = model.decoder(cells).numpy()
        latents = computed(files["encoder"], images)
        assert latents.dtype == np.float32
        np.testing.assert_allclose(latents, cells.flatten(1).numpy(), atol=1e-6, rtol=0)
        reconstructions = computed(files["decoder"], latents)
        assert reconstructions.dtype == np.float32
        np.testing.assert_allclose(reconstructions, expected, atol=1e-6, rtol=0)
    shape = list(model.image_shape)
    for part, takes, gives in (
        ("encoder", ("images", ["N", *shape]), ("latents", ["N", model.latent_size])),
        ("decoder", ("latents", ["N", model.latent_size]), ("reconstructions", ["N", *shape])),
    ):
        proto = onnx.load_from_string(files[part])
        onnx.checker.check_model(proto, full_check=True)
        assert (proto.ir_version, [(each.domain, each.version) for each in proto.opset_import]) == (8, [("", 18)])
        session = onnxruntime.InferenceSession(files[part], providers=["CPUExecutionProvider"])
        assert [(each.name, each.shape) for each in session.get_inputs()] == [takes]
        assert [(each.name, each.shape) for each in session.get_outputs()] == [gives]
        text = f"float32 [N, {shape[0]}, {shape[1]}, {shape[2]}] in [-1, 1]"
        assert text in session.get_modelmeta().description
        assert not any(word in files[part] for word in (b"torch", b"site-packages", torch.__version__.encode()))


def test_images_of_another_size_are_refused_and_crops_are_slices() -> None:
    files = exported("conv, deeper and padded")
    with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument, match="Got: 32 Expected: 30"):
        computed(files["encoder"], np.zeros((1, 3, 32, 45), np.float32))
    # Some programs do not look at the sizes of inputs, or cannot read padding by negative numbers.
    kinds = {part: [node.op_type for node in onnx.load_from_string(files[part]).graph.node] for part in files}
    assert kinds["encoder"][:2] == ["Reshape", "Pad"]
    assert kinds["decoder"][-1] == "Slice"
    assert "Pad" not in kinds["decoder"]


DIGESTS = """
import hashlib, sys
import convae
convae.export(convae.load("model"), "onnx")
for name in ("encoder", "decoder"):
    print(hashlib.sha256(open(f"onnx/{name}.onnx", "rb").read()).hexdigest())
"""


def test_the_bytes_are_the_same_in_another_process_and_folder_and_on_other_threads(tmp_path: Path) -> None:
    model = network("conv, deeper and padded", arithmetic="native")
    expected = [hashlib.sha256(content).hexdigest() for content in exported("conv, deeper and padded").values()]
    artifacts.write_json(tmp_path / "model/config.json", model.config.model_dump(exclude_none=True))
    write_weights(tmp_path / "model/weights.safetensors", weights(model))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "3"}
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == expected
    assert done.stderr == ""


def test_without_the_extra_a_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("onnx", "onnxscript"):
        with monkeypatch.context() as without:
            without.setitem(sys.modules, name, None)  # Python's own way to say that there is none
            with pytest.raises(ConvaeError) as told:
                convae.export(network("dense"), tmp_path / "onnx")
        assert str(told.value) == f"{name}: is not installed; pip install 'convae[onnx]'"
    assert not (tmp_path / "onnx").exists()


def test_a_network_that_no_file_can_hold_is_refused() -> None:
    model = without_weights(ModelConfig(architecture="dense", latent_size=2, image_shape=(3, 2000, 2000)))
    with pytest.raises(ConvaeError, match="network: has more than 2 GB of weights; "):
        to_onnx(model)
