"""What is said of a network in words."""

import pytest

from convae.measures.verdict import verdict


def said(train: float, test: float, architecture: str = "conv", images: int = 600, **more: float) -> list[str]:
    losses = {"train": {"mse": train, "pca_mse": 0.02}, "test": {"mse": test, "pca_mse": 0.022}, "latent_size": 64}
    if "mirrored" in more:
        losses["train"]["mirrored_pca_mse"], losses["test"]["mirrored_pca_mse"] = 0.015, more["mirrored"]
    return verdict(
        {**losses, **{key: value for key, value in more.items() if key == "pca_values"}}, architecture, images
    )


def test_pca_with_as_many_values_is_the_line_to_beat() -> None:
    assert said(0.02, 0.0219)[0] == (
        "The network reconstructs better than PCA with as many values (64): its test loss is 0.0219, PCA's 0.0220."
    )
    worse = said(0.02, 0.022)[0]
    assert worse.startswith("The network reconstructs no better than PCA with as many values (64): ")
    assert worse.endswith("Try model.architecture=pca_conv, or more epochs (train.epochs).")
    assert "pca_conv" not in said(0.02, 0.022, "pca_conv")[0]
    assert "better than PCA with 12 values: " in said(0.02, 0.0219, pca_values=12)[0]


def test_where_pca_got_mirror_images_that_is_the_line_to_beat() -> None:
    found = said(0.02, 0.0219, mirrored=0.018)[0]
    assert (
        "no better than PCA with as many values (64) and mirror images: its test loss is 0.0219, PCA's 0.0180." in found
    )


@pytest.mark.parametrize(
    ("test", "mirrored", "knows"),
    # PCA's own ratio is 1.1, so 1.375 is the limit; or, if PCA itself knows its images by heart, 1.25 times 1.5.
    [(0.0274, None, False), (0.0276, None, True), (0.0374, 0.09, False), (0.0376, 0.09, True)],
)
def test_a_far_higher_loss_of_test_images_than_pcas_tells_images_known_by_heart(test, mirrored, knows) -> None:
    found = said(0.02, test, **({"mirrored": mirrored} if mirrored else {}))[1]
    assert found.startswith("It has begun to know" if knows else "It does not know")
    assert ("fewer epochs" in found) == knows
    assert ("PCA's 1.10 times" in found) == (mirrored is None)


def test_test_images_of_another_kind_are_told_by_pca_where_there_are_many_images() -> None:
    few, many = (said(0.02, 0.12, images=images, mirrored=0.09)[1] for images in (600, 700))
    assert few.startswith("It has begun to know")
    assert many.startswith("It does not know")
    assert "6.00 times its training loss (PCA's 6.00 times)" in many


def test_more_epochs_are_not_advised_to_a_network_that_knows_its_images_by_heart() -> None:
    assert said(0.01, 0.03, "pca_conv")[0].endswith("its test loss is 0.0300, PCA's 0.0220.")
    assert said(0.01, 0.03)[0].endswith(" Try model.architecture=pca_conv.")


def test_a_loss_of_nothing_is_no_error() -> None:
    assert said(0.0, 0.001)[1].startswith("It has begun to know")
