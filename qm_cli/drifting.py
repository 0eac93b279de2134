"""Two sets of images or predictions, their distributions held side by side: the report of `qm drift`, as data."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.drift import Distance, Halves, Mix, drift, halves, mix
from qm_cli.arrays import number_or_none, to_numpy
from qm_cli.codes import Codes
from qm_cli.errors import InputError, UsageError, first_of, nearest
from qm_cli.load_dataset import load_tables
from qm_cli.run_columns import NOT_MEASURES, measures
from qm_cli.run_folder import Run, open_run
from qm_cli.scoring import Resources, score_tables, selection
from qm_cli.settings import Settings

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
LEVELS = ("image", "label", "prediction")
HALVES = 100
LEAST_IMAGES = 20
EMPTY_NAMED = 5


class Level(Struct, frozen=True):
    """The rows of one level. columns: name → float64[n], NaN for missing; units: name → unit; image: image row of each.

    category: category row of each, None at level image.
    """

    columns: dict[str, FloatArray]
    units: dict[str, str]
    image: RowArray
    category: RowArray | None


class Side(Struct, frozen=True):
    """One of the two sets."""

    target: str
    model: str | None
    images: int
    categories: list[str]
    levels: dict[str, Level]


def compare_distributions(
    targets: tuple[Path, Path],
    models: tuple[str | None, str | None] = (None, None),
    patterns: tuple[str, ...] = (),
    seed: int = 0,
) -> dict[str, Any]:
    """The report on two run folders, or two prediction files without labels.

    Metrics that have no value on either side are left out and named. Raises UsageError for unknown metrics.
    """
    a, b = (_side(target, model) for target, model in zip(targets, models, strict=True))
    chosen = _chosen(a, b, patterns)
    names = [one for one in chosen if any(_has_value(side, *one) for side in (a, b))]
    empty = [f"{level}.{name}" for level, name in chosen if (level, name) not in names]
    cuts = halves(a.images, b.images, HALVES, seed)
    return {
        "a": _about(a),
        "b": _about(b),
        "halves": HALVES,
        "seed": seed,
        "metrics": [_metric_row(a, b, level, name, cuts) for level, name in names],
        "mixes": [row for level in LEVELS if (row := _mix_row(a, b, level, cuts)) is not None],
        "without_values": empty,
        "notes": _notes(a, b, empty),
    }


def _side(target: Path, model: str | None) -> Side:
    if target.is_file():
        if model is not None:
            raise UsageError("--model picks one of a run's models", "leave it out with a prediction file")
        return _side_of_file(target)
    run = open_run(target, model)
    if model is None and len(run.models) > 1:
        raise UsageError(f"{run.path}: holds the models {', '.join(run.models)}", "name one with --model or --model-b")
    return _side_of_run(run, model or next(iter(run.models), None))


def _side_of_run(run: Run, model: str | None) -> Side:
    levels = {level: _level_of_run(run, level) for level in LEVELS if level in run.table_names()}
    images = len(levels["image"].image) if "image" in levels else 0
    categories = run.table("category", ["name"])["name"].to_pylist() if "category" in run.table_names() else []
    return Side(run.place, model, images, categories, levels)


def _level_of_run(run: Run, level: str) -> Level:
    found = measures(run, level, coded=False)
    columns = {one.name: one.values for one in found}
    units = {one.name: one.unit for one in found}
    if level == "image":
        return Level(columns, units, np.arange(run.table(level, ["id"]).num_rows), None)
    links = run.table(level, ["image_row", "category_row"])
    image, category = (to_numpy(links[name]).astype(np.int64) for name in links.column_names)
    return Level(columns, units, image, category)


def _numbers(values: npt.NDArray[Any]) -> FloatArray:
    """Floats, NaN for what is not finite."""
    numbers = values.astype(np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _side_of_file(path: Path) -> Side:
    """A prediction file alone: score, geometry and what else needs neither labels nor pixels."""
    tables = load_tables(None, path)
    if not tables.count("prediction") and any(one.code == "answer-free-text" for one in tables.findings):
        raise InputError(f"{path}: holds free text alone, which has no numbers", "see qm compare LABELS A B")
    scores = score_tables(tables, selection(["prediction.*", "image.*"]), Settings(), Resources()).scores
    levels = {}
    for level in ("image", "prediction"):
        known = {
            name: values
            for name, values in scores.columns.get(level, {}).items()
            if not isinstance(values, Codes)
            and scores.metrics[level, name].note.range is not None
            and values.dtype.kind in "fiu"
            and not name.endswith(NOT_MEASURES)
        }
        columns = {name: _numbers(values) for name, values in known.items()}
        units = {name: scores.metrics[level, name].unit for name in known}
        levels[level] = Level(columns, units, np.arange(tables.count("image")), None)
    columns = {"score": _numbers(tables.values("prediction", "score")), **levels["prediction"].columns}
    image, category = (tables.values("prediction", name).astype(np.int64) for name in ("image_row", "category_row"))
    levels["prediction"] = Level(columns, levels["prediction"].units, image, category)
    return Side(str(path), None, tables.count("image"), tables.category["name"].to_pylist(), levels)


def _chosen(a: Side, b: Side, patterns: tuple[str, ...]) -> list[tuple[str, str]]:
    """Level and name of the numbers that both sets have and that are asked for."""
    both = [
        (level, name)
        for level in LEVELS
        if level in a.levels and level in b.levels
        for name in a.levels[level].columns
        if name in b.levels[level].columns
    ]
    known = [f"{level}.{name}" for level, name in both]
    if not both:
        raise InputError(f"{a.target} and {b.target} have no number in common", "score both with the same metrics")
    for pattern in patterns:
        if not any(fnmatchcase(one, pattern) for one in known):
            raise UsageError(f"--metrics: both have no number {pattern!r}", nearest(pattern, known) or "see qm metrics")
    wanted = patterns or ("*",)
    return [pair for pair, one in zip(both, known, strict=True) if any(fnmatchcase(one, name) for name in wanted)]


def _has_value(side: Side, level: str, name: str) -> bool:
    return not np.isnan(side.levels[level].columns[name]).all()


def _about(side: Side) -> dict[str, Any]:
    return {"target": side.target, "model": side.model, "images": side.images}


def _metric_row(a: Side, b: Side, level: str, name: str, cuts: Halves) -> dict[str, Any]:
    first, second = a.levels[level], b.levels[level]
    found = drift(first.columns[name], first.image, second.columns[name], cuts)
    distances = {"ks": found.ks, "wasserstein": found.wasserstein, "psi": found.psi}
    return {
        "metric": f"{level}.{name}",
        "unit": first.units.get(name, ""),
        "a": _described(first.columns[name]),
        "b": _described(second.columns[name]),
        **_distance_facts(distances),
        "p": number_or_none(found.p),
        "drifted": found.ks.above or found.psi.above,
    }


def _distance_facts(distances: dict[str, Distance]) -> dict[str, float | None]:
    facts = {}
    for name, distance in distances.items():
        facts[name], facts[f"{name}_floor"] = number_or_none(distance.value), number_or_none(distance.floor)
    return facts


def _described(values: FloatArray) -> dict[str, Any]:
    held = values[~np.isnan(values)]
    median = float(np.median(held)) if len(held) else None
    return {"rows": len(values), "missing": len(values) - len(held), "median": median}


def _mix_row(a: Side, b: Side, level: str, cuts: Halves) -> dict[str, Any] | None:
    """The category shares of a level's objects; categories are the same when their names are."""
    if level not in a.levels or level not in b.levels:
        return None
    first, second = a.levels[level].category, b.levels[level].category
    if first is None or second is None:
        return None
    names = list(dict.fromkeys([*a.categories, *b.categories]))
    number = {name: place for place, name in enumerate(names)}
    own, other = (
        np.array([number[name] for name in side.categories], np.int64)[rows] for side, rows in ((a, first), (b, second))
    )
    found = mix(own, a.levels[level].image, other, len(names), cuts)
    counts = [np.bincount(rows, minlength=len(names)) for rows in (own, other)]
    return {
        "level": level,
        **_mix_facts(found),
        "categories": [
            {"name": name, "a": int(counts[0][place]), "b": int(counts[1][place])} for place, name in enumerate(names)
        ],
    }


def _mix_facts(found: Mix) -> dict[str, Any]:
    facts = _distance_facts({"psi": found.psi, "total_variation": found.variation})
    return {**facts, "drifted": found.psi.above or found.variation.above}


def _notes(a: Side, b: Side, empty: list[str]) -> list[str]:
    notes = ["the p-value takes all values for independent; the floor, from whole images, does not"]
    if empty:
        count = "1 metric" if len(empty) == 1 else f"{len(empty)} metrics"
        which = first_of(empty, EMPTY_NAMED)
        notes.append(f"{count} without a value on either side {'is' if len(empty) == 1 else 'are'} left out: {which}")
    for word, side in (("A", a), ("B", b)):
        if side.images < LEAST_IMAGES:
            notes.append(f"{word} has {side.images} images: too few for a noise floor, {LEAST_IMAGES} are needed")
    return notes
