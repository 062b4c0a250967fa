"""What `convae report` prints."""

from convae.commands.report import METRICS, moved, summary

LOSSES = {
    "train": {"mse": 0.047454, "pca_mse": 0.005587},
    "test": {"mse": 0.046725, "pca_mse": 0.005534, "psnr": 20.077, "ssim": 0.8561},
    "latent_size": 256,
}
NEW = {"density": {"mixture": 1.082, "independent": 0.357}, "coverage": {"mixture": 0.948, "independent": 0.286}}
QUALITY = {
    "latent_knn_accuracy": 0.9234,
    "map_knn_accuracy": 0.9174,
    "neighbour_recall": 0.42673,
    "trustworthiness": 0.977318,
}


def groups(text: str) -> dict[str, list[str]]:
    found = {}
    for part in text.split("\n\n"):
        heading, *lines = part.splitlines()
        found[heading.split("  ")[0]] = [heading, *lines]
    return found


def test_the_table_is_aligned_and_rounded() -> None:
    found = groups(summary(LOSSES, QUALITY, NEW, {"train": 96.66, "tsne": 4.0}))
    assert list(found) == ["Reconstruction", "Map", "New images", "Stage"]
    for heading, *lines in found.values():
        last = len(heading)  # where the last column ends, of each row, too
        assert all(line[last - 1] != " " and line[last : last + 1].strip() == "" for line in lines), lines
    assert found["Reconstruction"][1].split()[:3] == ["loss", "0.0475", "0.0467"]
    assert found["Map"][1].split()[:4] == ["10-NN", "accuracy", "0.923", "0.917"]
    assert found["New images"][2].split()[:3] == ["coverage", "0.948", "0.286"]
    assert [line.split() for line in found["Stage"][1:]] == [["train", "96.7"], ["tsne", "4.0"]]
    assert "noisy" not in summary(LOSSES, QUALITY, NEW, {})


def test_what_there_is_not_is_left_out_and_what_there_is_more_is_told() -> None:
    unlabelled = {name: QUALITY[name] for name in ("neighbour_recall", "trustworthiness")}
    noisy = {**LOSSES, "test": {**LOSSES["test"], "noisy_mse": 0.1}, "pca_values": 64}
    text = summary(noisy, unlabelled, NEW, {})
    assert "10-NN" not in text
    assert "Stage" not in text
    assert "with 64 components" in text
    [line] = [line for line in text.splitlines() if "noisy images  " in line]
    assert line.split()[3] == "0.1000"
    assert "with mirror images" not in text
    mirrored = {split: {**LOSSES[split], "mirrored_pca_mse": 0.0049} for split in ("train", "test")}
    [line] = [line for line in summary({**LOSSES, **mirrored}, QUALITY, NEW, {}).splitlines() if "mirror" in line]
    assert line.split()[3:5] == ["0.0049", "0.0049"]


def test_what_moved_since_the_last_commit_is_named_with_both_values() -> None:
    losses, embedding, generation = METRICS
    before = {losses: {"test": {"mse": 0.0467}}, embedding: {"neighbour_recall": 0.43}, generation: {"coverage": 0.9}}
    assert moved(before, before) == "The metrics are the last commit's."
    after = {**before, losses: {"test": {"mse": 0.04, "noisy_mse": 0.1}}, embedding: {}}
    assert moved(before, after) == (
        "Since the last commit: test loss 0.0467 -> 0.0400, test loss of noisy images none -> 0.1000, "
        "neighbour recall 0.4300 -> none."
    )
