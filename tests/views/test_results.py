"""What is read of a run's results for the figures."""

from convae.views.results import map_caption


def test_the_caption_names_the_perplexity_only_where_the_map_has_one() -> None:
    quality = {"neighbour_recall": 0.25, "map_knn_accuracy": 0.875}
    first, second = map_caption({"perplexity": 30.0, "seed": 0}, quality).splitlines()
    assert first.startswith("Perplexity 30. Recall 0.25: ")
    assert second.startswith("10-NN accuracy 0.88: ")
    [line] = map_caption({"seed": 0}, {"neighbour_recall": 0.25}).splitlines()
    assert line.startswith("Uniform affinity. Recall 0.25: ")
