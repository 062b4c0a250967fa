"""Format the measurements as Markdown tables, with the limits that the machine sets."""

import re
from collections.abc import Callable
from fractions import Fraction
from statistics import median
from typing import Any

from benchmarks import hosts, neighbours

BEGIN, END = "<!-- benchmarks/results.md begins -->\n", "<!-- benchmarks/results.md ends -->\n"

PIXELS, LATENT = 28 * 28, 256
Results = dict[str, Any]


def render(results: Results) -> str:
    """Format the sections that were measured, with an introduction."""
    sections = results["sections"]
    if not sections:
        return "Not measured yet.\n"
    parts = [_machine(results)]
    if "run" in sections or "tsne" in sections:
        parts.append(_reference(results))
    if "arithmetic" in sections:
        parts.append(_arithmetic(sections["arithmetic"]))
    if "tsne" in sections:
        parts.append(_maps(sections["tsne"]))
    if "dvc" in sections:
        parts.append(_dvc(results))
    if "growth" in sections:
        parts += [_growth_of_time(results), _growth_of_memory(results)]
    if "neighbours" in sections:
        parts.append(_table(*neighbours.table(sections["neighbours"])))
    for name, format_section in (("images", _images), ("explorer", _explorer), ("scale", _scale)):
        if name in sections:
            parts.append(format_section(sections[name]))
    if "hosts" in sections:
        parts.append(_table(*hosts.table(sections["hosts"])))
    return "\n\n".join(parts) + "\n"


def paste(tables: str, page: str) -> str:
    """Replace the text between a page's two markers by the tables."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n{tables}\n{END}", page)


def number(value: float) -> str:
    """Format a number with three significant digits, or as a whole number from 100 on."""
    if value < 0.001:
        return "<0.001"
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def limit(results: Results, multiply_adds: float, moved: float) -> float:
    """Return the shortest possible time, in seconds, of multiply-adds and of bytes read and written on this machine."""
    rates: dict[str, float] = results["rates"]
    return max(multiply_adds / rates["multiply_adds_per_second"], moved / rates["bytes_per_second"])


def work(results: Results, images: int, tests: int, epochs: int) -> dict[str, float]:
    """Count the fewest multiply-adds of each stage: those of the network, or of all distances between latents."""
    network = results["network"]
    return {
        "train": epochs * (images * network["training"] + tests * network["forward"]),
        "evaluate": (images + tests) * network["forward"],
        "extract": tests * network["forward"],
        "tsne": tests**2 * LATENT,
        "quality": tests**2 * LATENT,
    }


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def _machine(results: Results) -> str:
    machine, rates = results["machine"], results["rates"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    scale = results["scale"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['instruction_set']}, {machine['system']}; "
        f"{versions}. {scale['images']:,} training images, {scale['images'] // 6:,} test images, {scale['epochs']} "
        f"epochs. The limits: {number(rates['multiply_adds_per_second'] / 1e9)} billion float32 multiply-adds a "
        "second (a matrix product on one thread, times the cores) or "
        f"{number(rates['bytes_per_second'] / 1e9)} GB a second read and written (a copy in memory), whichever takes "
        f"longer; the network takes {results['network']['forward']:,} multiply-adds forward and "
        f"{results['network']['training']:,} in training for each image. Seconds are medians."
    )


def _compared(what: str, reference: list[float], pipeline: list[float], least: float) -> list[str]:
    ratios = [ours / theirs for ours, theirs in zip(pipeline, reference, strict=True)]
    spread = f"{median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
    return [what, number(median(reference)), number(median(pipeline)), spread, str(len(ratios)), number(least)]


def _reference(results: Results) -> str:
    sections, scale = results["sections"], results["scale"]
    images, epochs = scale["images"], scale["epochs"]
    rows = []
    if "run" in sections:
        rounds = sections["run"]["rounds"]

        def values(who: str, get: Callable[[Results], float]) -> list[float]:
            return [get(each[who]) for each in rounds]

        def compared(what: str, key: str, least: float) -> list[str]:
            return _compared(
                what, values("reference", lambda run: run[key]), values("pipeline", lambda run: run[key]), least
            )

        counts = work(results, images, images // 6, epochs)
        everything = sum(limit(results, each, 0) for each in counts.values())
        rows.append(compared("whole run", "whole", everything))
        rows.append(compared("an epoch", "epoch", limit(results, counts["train"] / epochs, images * PIXELS)))
        recipe = sections["run"]["fast_recipe"]
        goal = median(values("reference", lambda run: run["losses"][-1][1]))
        reached = median(values("fast", lambda run: run["losses"][-1]["test_loss"]))
        rows.append(
            _compared(
                f"training to the reference program's last test loss ({goal:.4f}; fast training, after "
                f"{recipe['train.epochs']} epochs: {reached:.4f})",
                values("reference", lambda run: sum(run["seconds"]["epochs"])),
                values("fast", lambda run: run["train"]),
                limit(results, work(results, images, images // 6, recipe["train.epochs"])["train"], 0),
            )
        )
    for points, rounds in _by_points(sections.get("tsne", {})):
        reference, pipeline = ([each[who]["seconds"] for each in rounds] for who in ("reference", "pipeline"))
        moved = points * (LATENT + 2) * 4
        least = limit(results, work(results, 0, points, 0)["tsne"], moved)
        rows.append(_compared(f"t-SNE of {points:,} points", reference, pipeline, least))
    return _table(
        ["seconds", "reference program", "this pipeline", "ratio (lowest to highest)", "pairs", "limit"], rows
    )


def _arithmetic(section: Results) -> str:
    rows = [
        _compared(f"{name}, {each['images']:,} images", each["seconds"]["native"], each["seconds"]["exact"], 0)[:-1]
        for name, each in section.items()
        if isinstance(each, dict)
    ]
    head = ["seconds of an epoch, by `train.arithmetic`", "native", "exact", "ratio (lowest to highest)", "pairs"]
    return _table(head, rows)


def _by_points(section: Results) -> list[tuple[int, list[Results]]]:
    return sorted((int(points), rounds) for points, rounds in section.items() if points.isdecimal())


def _maps(section: Results) -> str:
    rows = [
        [
            f"{points:,} points, {name}",
            *(f"{median(each[who][key] for each in rounds):.4f}" for who in ("reference", "pipeline")),
        ]
        for points, rounds in _by_points(section)
        for name, key in (("neighbour recall at 10", "neighbour_recall"), ("10-NN accuracy", "map_knn_accuracy"))
    ]
    return _table(["the maps", "scikit-learn", "this pipeline"], rows)


def _dvc(results: Results) -> str:
    section = results["sections"]["dvc"]
    seconds = {name: median(times) for name, times in section["seconds"].items()}
    nothing = number(seconds["empty_repro"])
    rows = [
        ["`dvc repro` when nothing has changed", number(seconds["repro"]), f"{nothing}, `dvc repro` without any stage"],
        ["`dvc status` then", number(seconds["status"]), f"{number(seconds['version'])}, `dvc --version`"],
        [
            f"`dvc checkout` of all artifacts, {section['bytes'] / 1e6:.0f} MB",
            number(seconds["checkout"]),
            f"{number(limit(results, 0, 2 * section['bytes']))}, a copy in memory",
        ],
    ]
    return _table([f"seconds, median of {len(section['seconds']['repro'])}", "this pipeline", "limit"], rows)


def _growth(results: Results) -> tuple[list[str], dict[str, list[Results]]]:
    """Return the parts of the data in ascending order, and each stage's measurements in the same order."""
    growth = {part: each for part, each in results["sections"]["growth"].items() if isinstance(each, dict)}
    parts = sorted(growth, key=Fraction)
    return [f"{part} of the data" for part in parts], {
        stage: [growth[part][stage] for part in parts] for stage in growth[parts[-1]]
    }


def _growth_of_time(results: Results) -> str:
    parts, stages = _growth(results)
    images = results["scale"]["images"]
    counts = work(results, images, images // 6, results["scale"]["epochs"])
    rows = [
        [
            stage,
            *(number(each["seconds"]) for each in measured),
            number(limit(results, counts.get(stage, 0), measured[-1]["artifacts"])),
        ]
        for stage, measured in stages.items()
    ]
    return _table(["seconds of a stage, once", *parts, "limit"], rows)


def _growth_of_memory(results: Results) -> str:
    parts, stages = _growth(results)
    rows = [
        [
            stage,
            *(f"{each['largest'] / 1e6:.0f}, {each['together'] / 1e6:.0f}" for each in measured),
            number(measured[-1]["artifacts"] / 1e6),
        ]
        for stage, measured in stages.items()
    ]
    if "run" in results["sections"]:
        peak = median(each["reference"]["peak_bytes"] for each in results["sections"]["run"]["rounds"])
        rows.append(["reference program", *[""] * (len(parts) - 1), f"{peak / 1e6:.0f}", ""])
    head = "MB at the peak: the largest process (RSS), all together (PSS)"
    return _table([head, *parts, "its artifacts"], rows)


def _images(section: Results) -> str:
    rows = []
    for kind, each in section.items():
        if isinstance(each, dict):
            pillow, pipeline = each["seconds"]["pillow"], each["seconds"]["pipeline"]
            # The limit is Pillow's time divided by the number of cores.
            shares = [theirs / each["cores"] / ours for theirs, ours in zip(pillow, pipeline, strict=True)]
            speeds = [
                number(each["images"] / seconds) for seconds in (median(pipeline), median(pillow) / each["cores"])
            ]
            name = "{}, {} x {}".format(kind, *each["size"])
            rows.append([name, *speeds, f"{median(shares):.2f} ({min(shares):.2f} to {max(shares):.2f})"])
    return _table(["images of a folder a second", "`download`", "Pillow on all cores", "share"], rows)


def _scale(section: Results) -> str:
    sizes = sorted((each for each in section if each.isdecimal()), key=int)
    rows = []
    for stage in section[sizes[0]]:
        measured = [section[size].get(stage) for size in sizes]  # the map stages do not run on the largest sizes
        rows.append(
            [stage, *(f"{number(each['cpu'])}, {each['anonymous'] / 1e6:.0f}" if each else "" for each in measured)]
        )
    head = ["seconds of processors, and MB of anonymous memory at the peak of the largest process"]
    return _table([*head, *(f"{int(size):,} training images" for size in sizes)], rows)


def _explorer(section: Results) -> str:
    rows = [
        [
            f"{int(count):,}",
            f"{each['bytes'] / 1e6:.1f}",
            number(each["first"] / 1000),
            # Results of earlier versions have no map of images.
            *(number(each[what]) if what in each else "" for what in ("frames", "frames_with_images")),
            *(f"{number(median(each[what]))} ({number(max(each[what]))})" for what in ("lasso", "hover")),
        ]
        for count, each in section.items()
        if isinstance(each, dict)
    ]
    head = ["the explorer's points", "MB", "seconds to the first frame", "frames a second, panning", "with images"]
    return _table([*head, "ms of a lasso (most)", "ms of pointing (most)"], rows)
