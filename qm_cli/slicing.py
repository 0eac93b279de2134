"""How a model does on slices of a run, as data: counts, rates and average precision beside those of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.bootstrap import METRICS, metric_names
from qm_cli.analysis.corrections import holm
from qm_cli.analysis.counts import Counts
from qm_cli.analysis.intervals import LEAST_UNITS, SetNumbers
from qm_cli.analysis.performance import rate
from qm_cli.analysis.samples import Measure
from qm_cli.analysis.slices import Members, Sliced, slice_numbers
from qm_cli.arrays import number_or_none
from qm_cli.errors import UsageError, first_of
from qm_cli.run_columns import chosen_measures, clusters_of, measures, one_model
from qm_cli.run_folder import Run
from qm_cli.run_matches import matched_run
from qm_cli.slice_language import OBJECT, Slice, Wanted, slices_of, sorted_by_image

RATES = ("precision", "recall", "f1")
FAULTS = {"invalid": ("validity", ("ok", None)), "duplicated": ("duplicate_of", (None,))}
"""Kind of fault → the column that tells it, and what a sound label has there."""


class Request(Struct, frozen=True):
    """What to slice and how. metrics: label metrics whose means are wanted per slice; cluster: image column whose
    values are resampled instead of images."""

    wanted: Wanted
    iou: float | None = None
    confidence: float | None = None
    metrics: tuple[str, ...] = ()
    cluster: str | None = None
    resamples: int = 200
    seed: int = 0


def slice_report(run: Run, request: Request) -> dict[str, Any]:
    """Every slice's counts and numbers with intervals, beside those of all and, for rates, of the rest."""
    if request.wanted.nothing:
        raise UsageError("no slice named", "name --by COLUMN, --slice SQL or a manifest with --slices, or --discover")
    one_model(run)
    named = slices_of(run, request.wanted)
    matched = matched_run(run, request.iou, request.confidence)
    unit = np.arange(matched.tables.count("image")) if request.cluster is None else clusters_of(run, request.cluster)
    members = [members_of(one) for one in sorted_by_image(run, named.slices)]
    whole, found = slice_numbers(matched, members, unit, request.resamples, request.seed)
    places = {name: place for place, name in enumerate(metric_names(matched.settings))}
    rows = [_row(one, own, whole, places) for one, own in zip(named.slices, found, strict=True)]
    _correct(rows)
    _add_label_metrics(run, named.slices, rows, request.metrics)
    settings = matched.settings
    return {
        "target": run.place,
        "model": run.model or next(iter(run.models), None),
        "task": settings.task,
        "convention": settings.convention,
        "iou": settings.iou,
        "confidence": settings.confidence,
        "cluster": request.cluster,
        "units": whole.units,
        "method": "half-sample bootstrap",
        "resamples": request.resamples,
        "seed": request.seed,
        "overall": {**_counts(whole), "metrics": metric_rows(whole, places)},
        "slices": rows,
        "findings": [one.as_dict() for one in named.findings],
        "notes": [*named.notes, *(one.sentence() for one in named.findings), *_notes(rows, request)],
    }


def members_of(one: Slice) -> Members:
    """A slice in the row order of the tables that are evaluated."""
    return Members(one.level != OBJECT, one.images, one.labels, one.predictions)


def _counts(one: Sliced) -> dict[str, Any]:
    return {
        "images": one.images,
        "units": one.units,
        "labels": one.labels,
        "predictions": one.predictions,
        "true_positives": int(one.counts.true_positives[0]),
        "false_positives": int(one.counts.false_positives[0]),
        "false_negatives": int(one.counts.false_negatives[0]),
    }


def metric_rows(own: SetNumbers, places: Mapping[str, int], whole: SetNumbers | None = None) -> list[dict[str, Any]]:
    """A row for each number; of a slice with its difference to that of all. places: of the numbers, by name."""
    columns = {"value": own.values, "low": own.interval.low, "high": own.interval.high}
    if whole is not None:
        around = own.difference_interval
        columns |= {"overall": whole.values, "difference": own.difference}
        columns |= {"difference_low": around.low, "difference_high": around.high, "p": own.p}
    return [
        {"metric": name, **{key: number_or_none(values[place]) for key, values in columns.items()}}
        for name, place in places.items()
    ]


def _row(one: Slice, found: Sliced, whole: Sliced, places: Mapping[str, int]) -> dict[str, Any]:
    counts = _counts(found)
    told = {"labels": one.labels is not None, "predictions": one.predictions is not None}
    if not told["predictions"]:
        counts |= {"predictions": None, "false_positives": None}
    if not told["labels"]:
        counts |= {"labels": None, "false_negatives": None}
    return {
        "name": one.name,
        "definition": one.definition,
        "level": one.level,
        **counts,
        "metrics": metric_rows(found, places, whole),
        "rest": _rest(found, whole, told),
    }


def _rest(found: Sliced, whole: Sliced, told: dict[str, bool]) -> dict[str, float | None]:
    """Precision, recall and F1 of all that is not in the slice."""
    rest = Counts(
        whole.counts.true_positives - found.counts.true_positives,
        whole.counts.false_positives - found.counts.false_positives,
        whole.counts.false_negatives - found.counts.false_negatives,
    )
    defined = {"precision": told["predictions"], "recall": told["labels"], "f1": all(told.values())}
    values = {name: float(getattr(rest, name)[0]) for name in RATES}
    return {name: value if defined[name] and not np.isnan(value) else None for name, value in values.items()}


def _correct(rows: Sequence[dict[str, Any]]) -> None:
    """Add Holm's p over the slices to every metric."""
    for place in range(len(METRICS)):
        cells = [row["metrics"][place] for row in rows]
        for cell, p in zip(cells, holm([cell["p"] for cell in cells]), strict=True):
            cell["p_corrected"] = p


def _add_label_metrics(run: Run, slices: Sequence[Slice], rows: list[dict[str, Any]], patterns: Sequence[str]) -> None:
    """Add means of label metrics and rates of label faults: of those asked for, else to slices of labels alone."""
    alone = [one.level == OBJECT and one.predictions is None for one in slices]
    if not patterns and not any(alone):
        return
    found = chosen_measures(run, "label", patterns) if patterns else measures(run, "label")
    numbers = [one for one in found if not one.coded]
    faults = _faults(run)
    for one, row, wanted in zip(slices, rows, alone, strict=True):
        if one.labels is not None and (wanted or patterns):
            row["label_metrics"] = [_mean(measure, one.labels) for measure in numbers]
            row["label_errors"] = {
                "missed": rate(row["false_negatives"], row["labels"]),
                **{name: rate(int(wrong[one.labels].sum()), int(one.labels.sum())) for name, wrong in faults.items()},
            }


def _mean(measure: Measure, rows: npt.NDArray[np.bool_]) -> dict[str, Any]:
    values = measure.values[rows]
    defined = values[np.isfinite(values)]
    middle = {"mean": float(defined.mean()), "median": float(np.median(defined))} if len(defined) else {}
    return {"metric": measure.id, "unit": measure.unit, "count": len(defined), "mean": None, "median": None, **middle}


def _faults(run: Run) -> dict[str, npt.NDArray[np.bool_]]:
    """Labels that are drawn wrongly or twice, as far as the run tells."""
    known = run.columns("label")
    found = {}
    for name, (column, sound) in FAULTS.items():
        if column in known:
            values = run.table("label", [column])[column].to_pylist()
            found[name] = np.array([value not in sound for value in values], bool)
    return found


def _notes(rows: Sequence[dict[str, Any]], request: Request) -> list[str]:
    what = "images" if request.cluster is None else f"clusters of {request.cluster}"
    own_side = [
        f"slice {row['name']} says nothing of {level}: {', '.join(rates)} and average precision are undefined"
        for row in rows
        for level, rates in (("predictions", ("precision", "F1")), ("labels", ("recall", "F1")))
        if row[level] is None
    ]
    if len(own_side) > 3:
        own_side = [*own_side[:3], f"and {len(own_side) - 3} more slices of one side alone"]
    return [*few_units(rows, what), *own_side]


def few_units(rows: Sequence[dict[str, Any]], what: str) -> list[str]:
    """What is to be said of slices that have no intervals; what: the units are called so."""
    few = [row["name"] for row in rows if 0 < row["units"] < LEAST_UNITS]
    number = f"{len(few)} slices hold" if len(few) > 1 else "1 slice holds"
    return [f"{number} fewer than {LEAST_UNITS} {what}, which intervals need: {first_of(few, 3)}"] if few else []
