"""How a model of classes does on slices of a run, as data: accuracy, precision, recall and F1 beside those of all.

A slice is a set of data rows, as where two models are compared: one of labels holds the data rows with such a label.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.slice_sets import numbers_of_sets
from qm_cli.analysis.weighted_counts import OVERALL, RATES, Countable, counted, mean_rates
from qm_cli.answer_comparing import SEVERAL, about
from qm_cli.answer_parts import countables
from qm_cli.answer_sides import Asked, Side, side_of_run
from qm_cli.answer_task import TASKS
from qm_cli.arrays import number_or_none
from qm_cli.classification import ClassEvaluation
from qm_cli.comparing import cluster_numbers
from qm_cli.errors import UsageError
from qm_cli.run_columns import one_model
from qm_cli.run_folder import Run
from qm_cli.slice_comparing import corrected, said
from qm_cli.slicing import Request, few_units, metric_rows

REST = ("accuracy", *RATES)
NEEDED = "score the dataset: qm score DATASET"


def holds_answers(run: Run) -> bool:
    """Whether what the run evaluated are answers, of which there are slices here."""
    report = run.summary()["models"].get(run.model or next(iter(run.models), None)) or {}
    return report.get("task") in TASKS


def answer_slice_report(run: Run, request: Request) -> dict[str, Any]:
    """Every slice's counts and numbers with intervals, beside those of all and of the rest; as `slice_report`."""
    one_model(run)
    for name, given in (("--iou", request.iou is not None), ("--metrics", bool(request.metrics))):
        if given:
            raise UsageError(f"{name}: not for slices of classes", "leave it out")
    asked = Asked(confidence=request.confidence, cluster=request.cluster, wanted=request.wanted)
    side = side_of_run(run, run.model or next(iter(run.models)), asked, NEEDED)
    assert isinstance(side.found, ClassEvaluation)
    models, count = countables(side.found), side.answers.rows
    unit = np.arange(count) if side.cluster is None else cluster_numbers(side.cluster)
    numbers = partial(mean_rates, models)
    whole, *found = numbers_of_sets([one.images for one in side.slices], numbers, unit, request.resamples, request.seed)
    places = {name: place for place, name in enumerate(OVERALL) if not np.isnan(whole.values[place])}
    everything = np.ones(count, np.int32)
    rows = [
        {
            **said(one),
            **_counts(models, one.images.astype(np.int32), own.units),
            "metrics": metric_rows(own, places, whole),
            "rest": _rest(numbers(everything - one.images).overall),
        }
        for one, own in zip(side.slices, found, strict=True)
    ]
    return {
        "target": run.place,
        "model": run.model or next(iter(run.models), None),
        **about(side.found),
        "cluster": request.cluster,
        "units": whole.units,
        "method": "half-sample bootstrap",
        "resamples": request.resamples,
        "seed": request.seed,
        "overall": {"images": count, **_counts(models, everything, whole.units), "metrics": metric_rows(whole, places)},
        "slices": corrected(rows),
        "notes": _notes(side, rows, request, len(models)),
    }


def _counts(models: Sequence[Countable], members: npt.NDArray[np.int32], units: int) -> dict[str, int]:
    """Of all questions; free text, which has no categories, counts in none."""
    totals = [counted(model, members).total() for model in models]
    hit, false, missed = (
        sum(int(getattr(total, name)[0]) for total in totals)
        for name in ("true_positives", "false_positives", "false_negatives")
    )
    outcomes = {"true_positives": hit, "false_positives": false, "false_negatives": missed}
    return {"units": units, "labels": hit + missed, "predictions": hit + false, **outcomes}


def _rest(values: npt.NDArray[np.float64]) -> dict[str, float | None]:
    return {name: number_or_none(values[OVERALL.index(name)]) for name in REST}


def _notes(side: Side, rows: Sequence[dict[str, Any]], request: Request, questions: int) -> list[str]:
    what = "data rows" if request.cluster is None else f"clusters of {request.cluster}"
    return [*side.notes, *few_units(rows, what), *([SEVERAL] if questions > 1 else [])]
