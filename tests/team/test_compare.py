"""Pages that show experiments side by side: DVC's own, and ours, which is one file."""

import base64
import io
import json
import re
from pathlib import Path

import pytest
from conftest import Repository, copy_of, run_convae
from PIL import Image

from convae.commands import compare
from convae.errors import ConvaeError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def repository(lab: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return copy_of(lab, tmp_path_factory.mktemp("compare"))


def write_page(repository: Repository) -> str:
    output = run_convae(repository, "compare")
    path = repository.path / compare.PAGE
    assert output == f"{path.as_uri()}\n"
    return path.read_text()


@pytest.fixture(scope="module")
def page(repository: Repository) -> str:
    return write_page(repository)


def rows(page: str) -> dict[str, list[str]]:
    found = re.findall(r"<tr[^>]*><th>(.*?)</th>(.*?)</tr>", page)
    return {label: re.findall(r"<td>(.*?)</td>", cells) for label, cells in found}


def images(page: str) -> dict[str, bytes]:
    found = re.findall(r'<img alt="([^"]+)" src="data:image/png;base64,([^"]+)">', page)
    return {what: base64.b64decode(content, validate=True) for what, content in found}


def values(page: str, label: str) -> dict[str, str]:
    """Give a row's values by the names of their columns."""
    table = rows(page)
    return dict(zip(table[""], table[label], strict=True))


def test_the_page_shows_what_differs_and_what_came_of_it(repository: Repository, page: str) -> None:
    perplexities = values(page, "tsne.perplexity")
    assert perplexities.keys() > {"main", "islands", "narrow", "titled"}
    assert perplexities == {**dict.fromkeys(perplexities, "10"), "islands": "5"}
    assert sorted(values(page, "plot.dpi").values()) == ["50", "50", "50", "50", "60"]
    assert "train.epochs" not in rows(page)
    mse = str(json.loads((repository.path / "metrics/losses.json").read_text())["test"]["mse"])
    losses = {name: re.sub("<.*?>", "", loss) for name, loss in values(page, "test images").items()}
    assert losses.pop("narrow") != mse
    assert set(losses.values()) == {mse}
    recalls = values(page, "neighbour recall")
    assert recalls["main"] == recalls["titled"] != recalls["islands"]
    best = max(recalls.values(), key=lambda text: float(re.sub("<.*?>", "", text)))
    assert re.fullmatch("<strong>.+</strong>", best)


def test_the_page_states_how_long_each_stage_took_for_these_results(page: str) -> None:
    train, tsne, plot = (values(page, stage) for stage in ("train", "tsne", "plot"))
    assert train["main"] == train["islands"] == train["titled"]  # the one run, whose results they have
    assert tsne["main"] == tsne["narrow"]
    assert all(float(each) > 0 for column in (train, tsne, plot) for each in column.values())


def test_times_go_with_results_when_an_experiment_is_renamed_and_its_name_used_again(
    repository: Repository, page: str, tmp_path: Path
) -> None:
    copy = copy_of(repository, tmp_path)
    copy.run("dvc exp rename islands coast")
    copy.run("dvc exp run --temp --name islands -S plot.dpi=60")
    after, before = values(write_page(copy), "tsne"), values(page, "tsne")
    assert (after["coast"], after["islands"]) == (before["islands"], before["main"])


def test_the_page_is_one_file_with_every_figure_in_it(repository: Repository, page: str) -> None:
    # Nothing is fetched from anywhere.
    assert re.findall(r"""(?:src|url)\W+(?!data:)\w+""", page) == []
    figures = images(page)
    names, figures_of_a_run = rows(page)[""], ("reconstructions", "map", "images on the map", "samples")
    expected = {f"{figure} of {name}" for figure in figures_of_a_run for name in names}
    assert figures.keys() == expected | {"losses by epoch"}
    for content in figures.values():
        Image.open(io.BytesIO(content)).verify()
    assert figures["map of main"] == (repository.path / compare.FIGURES["map"]).read_bytes()
    assert len({figures[f"map of {name}"] for name in names if name != "narrow"}) == 4


def test_the_page_links_to_the_explorer_of_each_run_and_the_command_opens_the_same(
    repository: Repository, page: str
) -> None:
    found = dict(re.findall(r'<a href="([^"]+)">explore ([\w-]+)</a>', page))
    explorers = {name: (repository.path / compare.PAGE).parent / address for address, name in found.items()}
    assert [*explorers] == rows(page)[""]
    contents = {name: path.read_bytes() for name, path in explorers.items()}
    assert contents["main"] == contents["titled"] == (repository.path / "artifacts/plots/explorer.html").read_bytes()
    assert contents["islands"] != contents["main"]
    for rev in ("islands", "main"):
        assert run_convae(repository, "explore", "--print", "--rev", rev) == f"{explorers[rev].as_uri()}\n"


def test_a_browser_is_given_the_workspace_s_explorer(repository: Repository) -> None:
    output = repository.run("python -m convae explore", PYTHONPATH="src", BROWSER="echo opened %s")
    address = (repository.path / "artifacts/plots/explorer.html").as_uri()
    assert sorted(output.splitlines()) == [address, f"opened {address}"]


def test_an_explorer_that_is_not_there_is_told_in_a_line(repository: Repository, tmp_path: Path) -> None:
    fix = r"name a commit, a branch, a tag or an experiment \(`dvc exp list`\)"
    with pytest.raises(ConvaeError, match=f"^--rev nonsense: is not in this repository; {fix}$"):
        run_convae(repository, "explore", "--rev", "nonsense")
    repository.run(f"git clone --quiet . {tmp_path / 'clone'}")
    clone = Repository(tmp_path / "clone", repository.environment)
    with pytest.raises(ConvaeError, match=r"^--rev HEAD: its explorer is neither in the cache nor on the remote; "):
        run_convae(clone, "explore", "--rev", "HEAD")
    with pytest.raises(ConvaeError, match=r"^artifacts/plots/explorer\.html: is missing; "):
        run_convae(clone, "explore")


def test_the_same_experiments_give_the_same_bytes(repository: Repository, page: str) -> None:
    assert write_page(repository) == page


def test_a_changed_workspace_is_a_column_and_a_figure_that_is_not_at_hand_is_named(
    repository: Repository, tmp_path: Path
) -> None:
    repository.run(f"git clone --quiet . {tmp_path / 'clone'}")
    clone = Repository(tmp_path / "clone", repository.environment)
    clone.set_params(**{"plot.seed": 1})
    table = rows(write_page(clone))
    assert table[""] == ["workspace", "main"]
    assert table["plot.seed"] == ["1", "0"]
    assert table["map"] == ["not on this machine; `dvc pull` or `dvc exp pull` may bring it"] * 2


def test_what_is_not_text_for_a_page_is_escaped() -> None:
    run = compare.Run("<a>&amp;", {"data.source": "<script>"}, {}, {"<b>": 1.0}, {})
    page = compare.page([run, run._replace(name='"', params={})])
    assert rows(page)[""] == ["&lt;a&gt;&amp;amp;", "&quot;"]
    assert "<script>" not in page
    assert "<b>" not in page


def test_values_are_the_best_only_among_runs_with_the_same_images() -> None:
    made = [("a", 0.3), ("a", 0.2), ("b", 0.1), ("b", 0.4), ("c", 0)]
    runs = [compare.Run(str(loss), {"data.source": of}, {"test.mse": loss}, {}, {}) for of, loss in made]
    shown = ["0.3", "<strong>0.2</strong>", "<strong>0.1</strong>", "0.4", "0"]
    assert rows(compare.page(runs))["test images"] == shown


def test_dvcs_page_shows_the_charts_and_figures_of_each_experiment_together(
    repository: Repository,
) -> None:
    repository.run("dvc plots diff HEAD islands titled")
    page = (repository.path / "dvc_plots/index.html").read_text()
    charts = [json.loads(chart)["data"]["values"] for chart in re.findall(r"var spec = (.*);\n", page)]
    assert page.startswith("<!DOCTYPE html>\n<html lang=")  # the project's own, with the figures in their order
    for name in ("HEAD", "islands", "titled"):
        # A row for each of the two losses of the one epoch, for each class, and for each point of the map.
        assert [len([row for row in chart if row["rev"] == name]) for chart in charts] == [2, 10, 400]
        for figure in compare.FIGURES.values():
            image = f"static/{name}_{str(figure).replace('/', '_')}"
            assert image in page
            assert (repository.path / "dvc_plots" / image).is_file()
