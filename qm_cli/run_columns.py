"""The columns of a run as measures, and its outcomes as a yes or no: what analyses are handed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli import catalog
from qm_cli.analysis.samples import METADATA, Judged, Measure
from qm_cli.arrays import all_finite, compute, one_chunk, to_numpy
from qm_cli.errors import InputError, UsageError, nearest, some
from qm_cli.kernels.hashing import uniform
from qm_cli.run_folder import Run
from qm_cli.schema import EVALUATED, known_columns

RowArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

KEYS = ("image_row", "category_row", "image_id", "source_row", "id", "file_name")
NOT_MEASURES = ("_of", "_group", "_hash", "_row", "_id")
"""How the names of columns end that point at something or name it."""
JUDGING = {"outcome", *(name for names in EVALUATED.values() for name in names)}
"""What says whether a sample is right: a metric that is made of it explains nothing."""
MOST_GROUPS = 100
RANDOM = "random"
OUTCOMES = {"prediction": "TP", "label": "found", "image": "correct"}


def measures(run: Run, level: str, patterns: Sequence[str] = (), coded: bool = True) -> list[Measure]:
    """The metrics and metadata of a level; with patterns those alone whose id or name is one of them."""
    fields = {name: field for name, field in run.columns(level).items() if _is_measure(level, name, field)}
    chosen = [name for name in fields if not patterns or _matches(f"{level}.{name}", patterns)]
    if not chosen:
        return []
    table = run.table(level, chosen)
    found = [measure_of(level, fields[name], table[name]) for name in chosen]
    return [one for one in found if coded or not one.coded]


def _matches(name: str, patterns: Sequence[str]) -> bool:
    plain = name.partition(".")[2]
    return any(fnmatchcase(name, pattern) or fnmatchcase(plain, pattern) for pattern in patterns)


def _is_measure(level: str, name: str, field: pa.Field) -> bool:
    """Metrics, metadata, the score and the category; no keys, boxes or shapes, nor facts that a metric says better."""
    if name in KEYS or name.endswith(NOT_MEASURES) or not _plain(field.type):
        return False
    notes = field.metadata or {}
    return b"metric" in notes or name in ("score", "category") or name not in known_columns(level)


def _plain(dtype: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_string)
    return any(test(dtype) for test in tests)


def measure_of(level: str, field: pa.Field, column: pa.ChunkedArray) -> Measure:
    """A column as numbers: text and booleans as codes with names, NaN for what is null or not finite."""
    notes = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    facts: dict[str, Any] = {
        "kind": notes.get("kind", METADATA if field.name != "score" else "model"),
        "unit": notes.get("unit", ""),
        "better": notes.get("better", "neither"),
    }
    array = one_chunk(column)
    if pa.types.is_string(array.type) or pa.types.is_boolean(array.type):
        codes, names = coded_values(array)
        return Measure(level, field.name, codes, names=names, **facts)
    values = np.asarray(to_numpy(array), np.float64)
    if not all_finite(values):
        values = np.where(np.isfinite(values), values, np.nan)
    return Measure(level, field.name, values, **facts)


def coded_values(array: pa.Array) -> tuple[FloatArray, tuple[str, ...]]:
    """The place of each value among the different ones, in their order; NaN for null."""
    encoded = one_chunk(compute.dictionary_encode(array.cast(pa.string())))
    names = encoded.dictionary.to_pylist()
    order = sorted(range(len(names)), key=lambda place: str(names[place]))
    rank = np.empty(len(names) + 1)
    rank[order] = np.arange(len(names))
    rank[-1] = np.nan
    places = np.nan_to_num(to_numpy(encoded.indices), nan=len(names)).astype(np.int64)
    return rank[places], tuple(str(names[place]) for place in order)


def chosen_measures(run: Run, level: str, patterns: Sequence[str] = (), coded: bool = True) -> list[Measure]:
    """As `measures`; a pattern that matches nothing is refused with the nearest names."""
    refuse_unmatched(run, [level], patterns)
    return measures(run, level, patterns, coded)


def refuse_unmatched(run: Run, levels: Sequence[str], patterns: Sequence[str]) -> None:
    """Raise UsageError, with the nearest names, for a pattern that is no column's of the levels."""
    known = [
        f"{level}.{name}"
        for level in levels
        for name, field in run.columns(level).items()
        if _is_measure(level, name, field)
    ]
    for pattern in patterns:
        if not any(_matches(name, [pattern]) for name in known):
            names = [*known, *dict.fromkeys(name.partition(".")[2] for name in known)]
            hint = nearest(pattern, names) or f"there are {some(known)}"
            raise UsageError(f"{run.path}: no metric or column matches {pattern!r}", hint)


def judging_names() -> set[str]:
    """Names of the metrics that are made of the outcome, directly or through others."""
    metrics = catalog.load().values()
    found = set(JUDGING)
    while True:
        more = {
            name for one in metrics for name in (one.name, *one.outputs) if found & _plain_inputs(one.inputs.values())
        }
        if more <= found:
            return found
        found |= more


def _plain_inputs(names: Any) -> set[str]:
    """Column names without the level they are taken from."""
    return {name.removeprefix("prediction_").removeprefix("label_").removeprefix("image_") for name in names}


def judged(
    run: Run,
    level: str,
    patterns: Sequence[str] = (),
    categories: Sequence[str] = (),
    cluster: str | None = None,
    outcomes: Mapping[str, npt.NDArray[Any]] | None = None,
) -> Judged:
    """The rows of a level that are right or wrong, with every measure of theirs and their image's.

    outcomes: those of labels and predictions, by level, in place of the run's own (see `run_matches.outcomes_at`).
    image.random is always among them: the control that nothing real should fall behind.
    """
    one_model(run)
    levels = [level, *(["image"] if level != "image" else [])]
    if patterns != (RANDOM,) and patterns:
        refuse_unmatched(run, levels, [one for one in patterns if not fnmatchcase(f"image.{RANDOM}", one)])
    rows, image_row, hit = _outcomes(run, level, categories, outcomes)
    judging = judging_names()
    every = [one for part in levels for one in measures(run, part, patterns) if one.name not in judging]
    if not any(one.id == f"image.{RANDOM}" for one in every):
        every.append(_random(run))
    order = np.argsort(image_row, kind="stable")
    clusters = None if cluster is None else clusters_of(run, cluster)
    return Judged(level, OUTCOMES[level], rows[order], image_row[order], hit[order], every, clusters, tuple(categories))


def one_model(run: Run) -> None:
    """Raise UsageError when a run has several models and none is named."""
    if len(run.models) > 1 and run.model is None:
        raise UsageError(f"{run.path}: holds the models {', '.join(run.models)}", "name one with --model")


def _random(run: Run) -> Measure:
    if RANDOM in run.columns("image"):
        return measures(run, "image", (f"image.{RANDOM}",))[0]
    ids = to_numpy(run.table("image", ["id"])["id"])
    return Measure("image", RANDOM, uniform(ids, int(run.manifest.get("seed", 0))), "data")


def _outcomes(
    run: Run, level: str, categories: Sequence[str], given: Mapping[str, npt.NDArray[Any]] | None
) -> tuple[RowArray, RowArray, npt.NDArray[np.bool_]]:
    """Rows, their images and whether they are right: predictions that found a label, labels that were found, and
    images without a false positive or negative (those with neither labels nor counted predictions are not judged)."""
    if level == "image":
        return _judged_images(run, categories) if given is None else _images_of(run, categories, given)
    if given is None and "outcome" not in run.columns(level):
        raise InputError(
            f"{run.path}: has no outcome of {level}s", "score a dataset with labels and predictions, all with boxes"
        )
    outcome = run.table(level, ["outcome"])["outcome"] if given is None else given[level]
    image_row = to_numpy(run.table(level, ["image_row"])["image_row"]).astype(np.int64)
    hit = _is(outcome, "TP")
    rows = np.flatnonzero(hit | _is(outcome, "FP" if level == "prediction" else "FN"))
    if categories:
        rows = rows[_of_categories(run, level, categories)[rows]]
    return rows, image_row[rows], hit[rows]


def _is(outcome: pa.ChunkedArray | npt.NDArray[Any], name: str) -> npt.NDArray[np.bool_]:
    return to_numpy(compute.equal(outcome, name)) if isinstance(outcome, pa.ChunkedArray) else outcome == name


def _of_categories(run: Run, level: str, categories: Sequence[str]) -> npt.NDArray[np.bool_]:
    return np.isin(to_numpy(run.table(level, ["category_row"])["category_row"]), _rows_of(run, categories))


def _images_of(
    run: Run, categories: Sequence[str], given: Mapping[str, npt.NDArray[Any]]
) -> tuple[RowArray, RowArray, npt.NDArray[np.bool_]]:
    """Images by the outcomes of their labels and predictions."""
    images = len(run.table("image", ["id"]))
    right, wrong = np.zeros(images, np.int64), np.zeros(images, np.int64)
    for level, outcome in given.items():
        kept = _of_categories(run, level, categories) if categories else np.ones(len(outcome), bool)
        image_row = to_numpy(run.table(level, ["image_row"])["image_row"])
        right += np.bincount(image_row[kept & (outcome == "TP")], minlength=images)
        wrong += np.bincount(image_row[kept & ((outcome == "FP") | (outcome == "FN"))], minlength=images)
    rows = np.flatnonzero(right + wrong > 0)
    return rows, rows, wrong[rows] == 0


def _judged_images(run: Run, categories: Sequence[str]) -> tuple[RowArray, RowArray, npt.NDArray[np.bool_]]:
    names = ["true_positives", "false_positives", "false_negatives"]
    table_name = "image_category" if categories else "image"
    missing = [name for name in names if name not in run.columns(table_name)]
    if missing:
        hint = "score a dataset with labels and predictions, all with boxes"
        raise InputError(f"{run.path}: has no {missing[0]} of images", hint)
    counts = np.stack([to_numpy(run.table(table_name, [name])[name]) for name in names])
    rows = np.arange(counts.shape[1])
    if categories:
        table = run.table(table_name, ["image_row", "category_row"])
        kept = np.isin(to_numpy(table["category_row"]), _rows_of(run, categories))
        images = to_numpy(table["image_row"]).astype(np.int64)[kept]
        rows, place = np.unique(images, return_inverse=True)
        counts = np.stack([np.bincount(place, column[kept], len(rows)) for column in counts])
    judged_images = counts.sum(0) > 0
    hit = (counts[1] == 0) & (counts[2] == 0)
    return rows[judged_images], rows[judged_images], hit[judged_images]


def _rows_of(run: Run, categories: Sequence[str]) -> RowArray:
    """Rows of the categories named by name or id. Raises UsageError, with the nearest names, for an unknown one."""
    table = run.table("category", ["id", "name"])
    names, ids = table["name"].to_pylist(), [str(one) for one in table["id"].to_pylist()]
    for one in categories:
        if one not in names and one not in ids:
            hint = nearest(one, names) or f"there are {some(names)}"
            raise UsageError(f"--categories: no category {one!r}", hint)
    return np.array(
        [row for row, key in enumerate(zip(names, ids, strict=True)) if set(key) & set(categories)], np.int64
    )


def clusters_of(run: Run, column: str) -> RowArray:
    """The cluster of each image by a column of theirs; an image without a value is one of its own."""
    known = run.columns("image")
    if column not in known:
        hint = nearest(column, list(known)) or f"images have {some(list(known))}"
        raise UsageError(f"--cluster: images have no column {column!r}", hint)
    array = one_chunk(run.table("image", [column])[column])
    codes, names = coded_values(array)
    alone = np.isnan(codes)
    codes[alone] = len(names) + np.arange(alone.sum())
    return codes.astype(np.int64)


def groups_of(run: Run, level: str, column: str | None, count: int) -> dict[str, RowArray]:
    """Rows of a level by the value of a column, its own, its image's or its category; all rows as one for None."""
    if column is None:
        return {"all": np.arange(count)}
    values = _gathered(run, level, column)
    codes, names = coded_values(values)
    if len(names) > MOST_GROUPS:
        raise UsageError(
            f"--by {column}: has {len(names):,} different values, at most {MOST_GROUPS} go",
            "name a column of few values",
        )
    groups = {name: np.flatnonzero(codes == place) for place, name in enumerate(names)}
    without = np.flatnonzero(np.isnan(codes))
    return {**groups, "(none)": without} if len(without) else groups


def _gathered(run: Run, level: str, column: str) -> pa.Array:
    """A column for each row of the level."""
    column = column.removeprefix(f"{level}.")
    own = run.columns(level)
    if column in own and _plain(own[column].type):
        return one_chunk(run.table(level, [column])[column])
    parent = column.removeprefix("image.")
    known = run.columns("image")
    if level != "image" and parent in known and _plain(known[parent].type):
        rows = one_chunk(run.table(level, ["image_row"])["image_row"])
        return one_chunk(run.table("image", [parent])[parent]).take(rows)
    names = [name for name in dict.fromkeys([*own, *(known if level != "image" else ())]) if name not in KEYS]
    raise UsageError(f"--by: {level}s have no column {column!r}", nearest(column, names) or f"there are {some(names)}")
