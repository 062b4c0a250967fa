"""The PCA baseline, against scikit-learn's."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from convae.measures import pca as ours
from convae.measures.pca import pca_errors

PIXELS = np.random.default_rng(0).integers(0, 256, (130, 1, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize("components", [1, 64, 1000])
def test_the_pca_baseline_is_scikit_learns(components: int) -> None:
    train, test = PIXELS[:100], PIXELS[100:]
    scaled = (PIXELS.reshape(130, 784) / 255 - 0.5) / 0.5
    pca = PCA(min(components, 100), svd_solver="full").fit(scaled[:100])
    rebuilt = pca.inverse_transform(pca.transform(scaled))
    expected = ((rebuilt - scaled) ** 2).mean(axis=1)
    found = pca_errors(train, test, components)
    assert found[2] == components
    assert found[0] == pytest.approx(expected[:100].mean(), abs=1e-9)
    if components < 100:  # beyond the rank, which directions come next is arbitrary
        assert found[1] == pytest.approx(expected[100:].mean(), rel=1e-9)


def test_the_pca_baseline_does_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = pca_errors(PIXELS, PIXELS[:50], 20)
    monkeypatch.setattr(ours, "CHUNK", 7)
    assert pca_errors(PIXELS, PIXELS[:50], 20) == whole
