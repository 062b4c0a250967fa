"""Pages that show experiments side by side: DVC's own, and ours, which is one file."""

import base64
import io
import json
import re
from pathlib import Path

import pytest
from conftest import Repository, copy_of
from PIL import Image

from convae.commands import compare

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def repository(finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Provide the finished repository with two experiments."""
    repository = copy_of(finished, tmp_path_factory.mktemp("compare"))
    repository.run("dvc exp run --temp --name islands -S tsne.perplexity=5")
    repository.run("dvc exp run --temp --name larger -S plot.dpi=60")
    return repository


def write_page(repository: Repository) -> str:
    output = repository.run("python -m convae compare", PYTHONPATH="src")
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


def test_the_page_shows_what_differs_and_what_came_of_it(repository: Repository, page: str) -> None:
    table = rows(page)
    # Newest first, as in DVC's table.
    columns = dict(zip(table[""], range(3), strict=True))
    assert columns.keys() == {"main", "islands", "larger"}

    def in_columns(values: dict[str, str]) -> list[str]:
        return [values[name] for name in columns]

    assert table["tsne.perplexity"] == in_columns({"main": "10", "islands": "5", "larger": "10"})
    assert table["plot.dpi"] == in_columns({"main": "50", "islands": "50", "larger": "60"})
    assert "train.epochs" not in table
    mse = json.loads((repository.path / "metrics/losses.json").read_text())["test"]["mse"]
    assert table["test images"] == [str(mse)] * 3
    recalls = table["neighbour recall"]
    assert recalls[columns["main"]] == recalls[columns["larger"]] != recalls[columns["islands"]]
    best = max(recalls, key=lambda text: float(re.sub("<.*?>", "", text)))
    assert re.fullmatch("<strong>.+</strong>", best)


def seconds(page: str, stage: str) -> dict[str, str]:
    table = rows(page)
    return dict(zip(table[""], table[stage], strict=True))


def test_the_page_states_how_long_each_stage_took_for_these_results(page: str) -> None:
    train, tsne, plot = (seconds(page, stage) for stage in ("train", "tsne", "plot"))
    assert len(set(train.values())) == 1  # the one run, whose results all three have
    assert tsne["main"] == tsne["larger"]
    assert all(float(each) > 0 for column in (train, tsne, plot) for each in column.values())


def test_times_go_with_results_when_an_experiment_is_renamed_and_its_name_used_again(
    repository: Repository, page: str, tmp_path: Path
) -> None:
    copy = copy_of(repository, tmp_path)
    copy.run("dvc exp rename islands coast")
    copy.run("dvc exp run --temp --name islands -S plot.dpi=70")
    after = write_page(copy)
    assert seconds(after, "tsne")["coast"] == seconds(page, "tsne")["islands"]
    assert seconds(after, "tsne")["islands"] == seconds(page, "tsne")["main"]


def test_the_page_is_one_file_with_every_figure_in_it(repository: Repository, page: str) -> None:
    # Nothing is fetched from anywhere.
    assert re.findall(r"""(?:src|url)\W+(?!data:)\w+""", page) == []
    figures = images(page)
    expected = {
        f"{figure} of {name}"
        for figure in ("reconstructions", "map", "samples")
        for name in ("main", "islands", "larger")
    }
    assert figures.keys() == expected | {"losses by epoch"}
    for content in figures.values():
        Image.open(io.BytesIO(content)).verify()
    assert figures["map of main"] == (repository.path / compare.FIGURES["map"]).read_bytes()
    assert len({figures[f"map of {name}"] for name in ("main", "islands", "larger")}) == 3


def test_the_page_links_to_the_explorer_of_each_run_and_the_command_opens_the_same(
    repository: Repository, page: str
) -> None:
    found = dict(re.findall(r'<a href="([^"]+)">explore (\w+)</a>', page))
    explorers = {name: (repository.path / compare.PAGE).parent / address for address, name in found.items()}
    assert explorers.keys() == {"main", "islands", "larger"}
    contents = {name: path.read_bytes() for name, path in explorers.items()}
    assert contents["main"] == contents["larger"] == (repository.path / "artifacts/plots/explorer.html").read_bytes()
    assert contents["islands"] != contents["main"]
    for rev in ("islands", "main"):
        output = repository.run(f"python -m convae explore --print --rev {rev}", PYTHONPATH="src")
        assert output == f"{explorers[rev].as_uri()}\n"


def test_a_browser_is_given_the_workspace_s_explorer(repository: Repository) -> None:
    output = repository.run("python -m convae explore", PYTHONPATH="src", BROWSER="echo opened %s")
    address = (repository.path / "artifacts/plots/explorer.html").as_uri()
    assert sorted(output.splitlines()) == [address, f"opened {address}"]


def test_an_explorer_that_is_not_there_is_told_in_a_line(repository: Repository, tmp_path: Path) -> None:
    output = repository.run("python -m convae explore --rev nonsense", code=1, PYTHONPATH="src")
    fix = "name a commit, a branch, a tag or an experiment (`dvc exp list`)"
    assert output == f"error: --rev nonsense: is not in this repository; {fix}\n"
    repository.run(f"git clone --quiet . {tmp_path / 'clone'}")
    clone = Repository(tmp_path / "clone", repository.environment)
    output = clone.run("python -m convae explore --rev HEAD", code=1, PYTHONPATH="src")
    assert output.startswith("error: --rev HEAD: its explorer is neither in the cache nor on the remote; ")
    output = clone.run("python -m convae explore", code=1, PYTHONPATH="src")
    assert output.startswith("error: artifacts/plots/explorer.html: is missing; ")


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
    repository.run("dvc plots diff HEAD islands larger")
    page = (repository.path / "dvc_plots/index.html").read_text()
    charts = [json.loads(chart)["data"]["values"] for chart in re.findall(r"var spec = (.*);\n", page)]
    assert page.startswith("<!DOCTYPE html>\n<html lang=")  # the project's own, with the figures in their order
    for name in ("HEAD", "islands", "larger"):
        # A row for each of the two losses of the one epoch, for each class, and for each point of the map.
        assert [len([row for row in chart if row["rev"] == name]) for chart in charts] == [2, 10, 400]
        for figure in compare.FIGURES.values():
            image = f"static/{name}_{str(figure).replace('/', '_')}"
            assert image in page
            assert (repository.path / "dvc_plots" / image).is_file()
