"""How a model does along a metric, or along every metric, as data; category by category on request."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from qm_cli.analysis.performance import performance
from qm_cli.analysis.samples import Judged, Measure
from qm_cli.arrays import to_numpy
from qm_cli.errors import UsageError
from qm_cli.explaining import Question, outcomes_asked
from qm_cli.run_columns import RANDOM, judged, measures, one_model, refuse_unmatched
from qm_cli.run_folder import Run
from qm_cli.run_matches import settings_at

RATES = {"prediction": "true_positive_rate", "label": "false_negative_rate"}
Sides = dict[str, tuple[Judged, Measure]]


def performance_report(
    run: Run, metric: str, question: Question, bins: int = 10, equal_width: bool = False, by_category: bool = False
) -> dict[str, Any]:
    """True-positive rate of predictions and false-negative rate of labels along one metric.

    An image's metric has both; one of predictions or labels has the rate of those that have it, both if both do.
    by_category: each category's own rates as well, in bins of its own.
    """
    one_model(run)
    refuse_unmatched(run, ("image", *RATES), [metric])
    sides = {}
    for level, samples in _judged_sides(run, question, (RANDOM,)).items():
        found = _only(run, metric, level)
        if found is not None:
            sides[RATES[level]] = (samples, found)
    if not sides:
        raise UsageError(f"{run.path}: has no outcomes to go with {metric}", "score labels and predictions with boxes")
    report = {**_head(run, question), **performance(sides, bins, equal_width)}
    return {**report, "by_category": _by_category(run, [sides], bins, equal_width)[0]} if by_category else report


def performance_reports(
    run: Run,
    question: Question,
    bins: int = 10,
    equal_width: bool = False,
    by_category: bool = False,
    level: str | None = None,
) -> dict[str, Any]:
    """The same along every metric, by its id: an image's with both rates, a label's or prediction's with its own.

    level: the rate of labels or of predictions alone.
    """
    one_model(run)
    levels = ["image", *RATES]
    refuse_unmatched(run, levels, [one for one in question.metrics if not _is_random(one)])
    judged_sides = _judged_sides(run, question, question.metrics, level)
    if not judged_sides:
        raise UsageError(f"{run.path}: has no outcomes", "score labels and predictions with boxes")
    found: dict[str, Sides] = {}
    for level, samples in judged_sides.items():
        for one in samples.measures:
            if one.name == RANDOM and not any(map(_is_random, question.metrics)):
                continue
            found.setdefault(one.id, {})[RATES[level]] = (samples, one)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        reports = list(threads.map(lambda sides: performance(sides, bins, equal_width), found.values()))
    if by_category:
        rows = _by_category(run, list(found.values()), bins, equal_width)
        reports = [{**report, "by_category": own} for report, own in zip(reports, rows, strict=True)]
    return {**_head(run, question), "metrics": reports}


def _is_random(pattern: str) -> bool:
    return pattern in (RANDOM, f"image.{RANDOM}")


def _head(run: Run, question: Question) -> dict[str, Any]:
    settings = settings_at(run, question.iou, question.confidence)
    return {
        "target": run.place,
        "model": run.model or next(iter(run.models), None),
        "iou": settings.iou,
        "confidence": settings.confidence,
        "categories": list(question.categories) or None,
    }


def _judged_sides(run: Run, question: Question, metrics: Sequence[str], only: str | None = None) -> dict[str, Judged]:
    """Judged predictions, and labels whose outcome is that they were missed; those that the run has."""
    given = outcomes_asked(run, question)
    sides = {}
    for level, rate in RATES.items():
        if only not in (None, level) or (given is None and "outcome" not in run.columns(level)):
            continue
        samples = judged(run, level, _known(run, level, metrics), question.categories, None, given)
        missed = rate == "false_negative_rate"
        sides[level] = replace(samples, outcome="missed", hit=~samples.hit) if missed else samples
    return sides


def _known(run: Run, level: str, metrics: Sequence[str]) -> tuple[str, ...]:
    """The patterns that mean something at a level; image.random alone, which costs nothing, where none does."""
    known = tuple(one for one in metrics if measures(run, level, (one,)) or measures(run, "image", (one,)))
    return known or ((RANDOM,) if metrics else ())


def _by_category(run: Run, found: Sequence[Sides], bins: int, equal_width: bool) -> list[list[dict[str, Any]]]:
    """For each metric the rates of every category that has rows, in the categories' order."""
    names = run.table("category", ["name"])["name"].to_pylist()
    category = {level: _category_rows(run, level) for level in RATES if level in run.table_names()}
    parts: dict[tuple[str, int], Judged] = {}
    result: list[list[dict[str, Any]]] = []
    for sides in found:
        rows = []
        for place, name in enumerate(names):
            own: Sides = {}
            for rate, (samples, measure) in sides.items():
                key = (rate, place)
                if key not in parts:
                    parts[key] = _part(samples, category[samples.level][samples.rows] == place)
                own[rate] = (parts[key], measure)
            if any(len(samples.rows) for samples, _ in own.values()):
                rows.append({"category": name, **performance(own, bins, equal_width)})
        result.append(rows)
    return result


def _category_rows(run: Run, level: str) -> npt.NDArray[np.int64]:
    return to_numpy(run.table(level, ["category_row"])["category_row"]).astype(np.int64)


def _part(samples: Judged, kept: npt.NDArray[np.bool_]) -> Judged:
    return replace(samples, rows=samples.rows[kept], image_row=samples.image_row[kept], hit=samples.hit[kept])


def _only(run: Run, metric: str, level: str) -> Measure | None:
    """The measure of a level that a metric's id or name means: the level's own before its image's."""
    prefix, dot, _ = metric.partition(".")
    if dot and prefix in RATES and prefix != level:
        return None
    named = (metric,) if dot and prefix in ("image", *RATES) else (f"{level}.{metric}", f"image.{metric}")
    for one in named:
        found = measures(run, one.partition(".")[0], (one,))
        if found:
            return found[0]
    return None
