"""Weak slices of a run that nobody named, as data."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from qm_cli.analysis.importance import undefined
from qm_cli.analysis.samples import Judged, Measure
from qm_cli.analysis.slice_contrast import Contrast
from qm_cli.analysis.slice_search import CATEGORY, LEAST_UNITS, SIGNIFICANT, Found, Search, search
from qm_cli.errors import UsageError, nearest, some
from qm_cli.run_columns import RANDOM, judged, one_model
from qm_cli.run_folder import Run
from qm_cli.run_matches import changed_outcomes, settings_at

RowArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

SIMILAR_SHOWN = 5
OBJECT = "object"
DESCRIBING = ("metadata", "data", "label")
"""Kinds of image columns that slices are made of unless others are named; a model's own say little of the data."""


class Hunt(Struct, frozen=True):
    """What to look for. level: object (found, missed or false), prediction, label or image; metrics: patterns of
    columns to make slices of, of any level; support: samples a slice must have in either half; carried: most tests;
    iou, confidence: thresholds at which labels and predictions are matched anew, None for the run's own."""

    level: str = OBJECT
    metrics: tuple[str, ...] = ()
    depth: int = 3
    support: int = 20
    carried: int = 10
    cluster: str | None = None
    seed: int = 0
    iou: float | None = None
    confidence: float | None = None


def discovery_report(run: Run, hunt: Hunt) -> dict[str, Any]:
    """The slices in which the model does worst: chosen on one half of the images, measured on the other."""
    one_model(run)
    given = changed_outcomes(run, hunt.iou, hunt.confidence)
    if hunt.level == OBJECT:
        every = judged_objects(run, hunt.cluster, given)
    else:
        every = judged(run, hunt.level, cluster=hunt.cluster, outcomes=given)
    samples = _chosen_measures(run, every, hunt)
    units = len(np.unique(samples.clusters))
    why = _too_little(samples, units, hunt)
    result = Search([], [], 0, units)
    if why is None:
        result = search(samples, hunt.depth, hunt.support, hunt.carried, hunt.seed)
        if not result.features:
            why = f"no column has two values that {hunt.support} {hunt.level}s share: there is nothing to slice by"
    rows = [_row(result, one) for one in result.found]
    hits, number = int(samples.hit.sum()), len(samples.hit)
    return {
        "target": run.place,
        "model": run.model or next(iter(run.models), None),
        "level": hunt.level,
        "outcome": samples.outcome,
        **_thresholds(run, hunt),
        "depth": hunt.depth,
        "min_support": hunt.support,
        "cluster": hunt.cluster,
        "seed": hunt.seed,
        "samples": number,
        "units": units,
        "rate": hits / number if number else None,
        "columns": [one.measure.id for one in result.features],
        "explored": result.explored,
        "carried": len(rows),
        "found": sum(row["found"] for row in rows),
        "slices": rows,
        "notes": _notes(why, rows),
    }


def _thresholds(run: Run, hunt: Hunt) -> dict[str, str | float | None]:
    """Task, IoU and confidence that the outcomes are of; answers have no IoU, and a confidence of their own."""
    report = run.summary()["models"].get(run.model or next(iter(run.models), None)) or {}
    if report.get("iou", 0) is None:
        return {"task": report["task"], "iou": None, "confidence": report["confidence"]}
    settings = settings_at(run, hunt.iou, hunt.confidence)
    return {"task": settings.task, "iou": settings.iou, "confidence": settings.confidence}


def judged_objects(run: Run, cluster: str | None, given: Mapping[str, npt.NDArray[Any]] | None = None) -> Judged:
    """Labels, found or missed, and predictions that found none: an object is right, or an error of either kind.

    Their own columns are those that labels and predictions share. given: outcomes by level in place of the run's own.
    """
    label, prediction = (judged(run, level, (), (), cluster, given) for level in ("label", "prediction"))
    false = ~prediction.hit
    image_row = np.concatenate([label.image_row, prediction.image_row[false]])
    hit = np.concatenate([label.hit, np.zeros(int(false.sum()), bool)])
    order = np.argsort(image_row, kind="stable")
    measures = [one for one in label.measures if one.level == "image"]
    others = {one.name: one for one in prediction.measures if one.level == "prediction"}
    for one in label.measures:
        other = others.get(one.name)
        if one.level == "label" and other is not None and one.coded == other.coded:
            values, names = _joined(one, label.rows, other, prediction.rows[false])
            measures.append(Measure(OBJECT, one.name, values[order], one.kind, one.unit, one.better, names))
    return Judged(OBJECT, "right", np.arange(len(hit)), image_row[order], hit[order], measures, label.cluster)


def _joined(one: Measure, rows: RowArray, other: Measure, more: RowArray) -> tuple[FloatArray, tuple[str, ...] | None]:
    """Values of two measures, one after the other; their codes as codes of all their names."""
    first, second = one.values[rows], other.values[more]
    if one.names is None or other.names is None:
        return np.concatenate([first, second]), None
    names = tuple(sorted({*one.names, *other.names}))
    place = {name: float(number) for number, name in enumerate(names)}
    parts = [
        np.array([*(place[name] for name in own), np.nan])[np.where(np.isnan(codes), len(own), codes).astype(np.int64)]
        for codes, own in ((first, one.names), (second, other.names))
    ]
    return np.concatenate(parts), names


def _chosen_measures(run: Run, samples: Judged, hunt: Hunt) -> Judged:
    """The samples with the measures that slices are made of."""
    known = [one for one in samples.measures if one.name != RANDOM]
    if not hunt.metrics:
        return replace(samples, measures=[one for one in known if _describes(one)])
    for pattern in hunt.metrics:
        if not any(_matches(one, pattern) for one in known):
            names = [*(one.id for one in known), *dict.fromkeys(one.name for one in known)]
            hint = nearest(pattern, names) or f"there are {some([one.id for one in known])}"
            raise UsageError(f"{run.path}: no metric or column matches {pattern!r}", hint)
    chosen = [one for one in known if any(_matches(one, pattern) for pattern in hunt.metrics)]
    return replace(samples, measures=chosen)


def _matches(one: Measure, pattern: str) -> bool:
    return fnmatchcase(one.id, pattern) or fnmatchcase(one.name, pattern)


def _describes(one: Measure) -> bool:
    """Whether it says something of the data that a user can go and collect."""
    return one.name == CATEGORY or (one.level == "image" and one.kind in DESCRIBING)


def _too_little(samples: Judged, units: int, hunt: Hunt) -> str | None:
    """Why nothing can be found, with what is needed."""
    what = "images" if hunt.cluster is None else f"clusters of {hunt.cluster}"
    if units < 2 * LEAST_UNITS:
        return f"{2 * LEAST_UNITS} {what} with {hunt.level}s are needed, there are {units}"
    least, number = 4 * hunt.support, len(samples.hit)
    if number < least:
        return f"{least} {hunt.level}s are needed with --min-support {hunt.support}, there are {number}"
    return undefined(samples)


def _row(result: Search, one: Found) -> dict[str, Any]:
    conditions = result.conditions(one.literals)
    return {
        "definition": " AND ".join(conditions),
        "conditions": conditions,
        "found": one.found,
        **{name: getattr(one.overall, name) for name in ("count", "units", "rate", "rest")},
        "explored": _numbers(one.explored),
        "held_out": None if one.held_out is None else _numbers(one.held_out, one.p_corrected),
        "similar": [" AND ".join(result.conditions(literals)) for literals in one.similar[:SIMILAR_SHOWN]],
        "similar_count": len(one.similar),
    }


def _numbers(one: Contrast, p_corrected: float | None = None) -> dict[str, Any]:
    """Of the half that was asked only: interval and p. The half that slices are chosen on proves nothing."""
    numbers = {name: getattr(one, name) for name in ("count", "units", "rate", "rest", "effect")}
    if p_corrected is None:
        return numbers
    low, high = one.interval
    return {**numbers, "low": low, "high": high, "p": one.p, "p_corrected": p_corrected}


def _notes(why: str | None, rows: list[dict[str, Any]]) -> list[str]:
    if why is not None:
        return [why]
    if not rows:
        return ["no slice is below the rest by more than its standard error"]
    if not any(row["found"] for row in rows):
        return [f"no slice is below the rest for certain (corrected p > {SIGNIFICANT:g}): these may be chance"]
    return []
