"""What drives right and wrong, as data: the importance of every measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from qm_cli.analysis.correlation import Interval, correlations
from qm_cli.analysis.encord_importance import encord_importances
from qm_cli.analysis.importance import Binned, Importance, all_binned, benjamini_hochberg, importances, undefined
from qm_cli.analysis.samples import MARKS, Judged
from qm_cli.arrays import to_numpy
from qm_cli.errors import UsageError
from qm_cli.kernels.hashing import uniform
from qm_cli.run_columns import judged, one_model
from qm_cli.run_folder import Run
from qm_cli.run_matches import changed_outcomes, settings_at

SIGNIFICANT = 0.05
FEWEST, MOST, BUDGET = 200, 2000, 100_000_000
TOP = 10


class Question(Struct, frozen=True):
    """What importance is asked for. by: prediction, label or image. permutations: None for as many as are cheap.

    iou, confidence: thresholds at which labels and predictions are matched anew; None for the run's own. most: samples
    to look at, of whole images drawn by the seed, and no intervals; None for all.
    """

    by: str = "prediction"
    metrics: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    cluster: str | None = None
    permutations: int | None = None
    seed: int = 0
    iou: float | None = None
    confidence: float | None = None
    most: int | None = None


def importance_report(run: Run, question: Question) -> dict[str, Any]:
    """Importance, p and q, and correlations of every measure with the outcome; the most important first."""
    given = outcomes_asked(run, question)
    every = judged(run, question.by, question.metrics, question.categories, question.cluster, given)
    samples = _drawn(every, question)
    times = question.permutations or usual_permutations(len(samples.hit), len(samples.measures))
    found = all_binned(samples, samples.measures)
    important = importances(samples, found, times, question.seed)
    related = correlations(samples, found, times if question.most is None else 0, question.seed)
    false_discovery = benjamini_hochberg([one.p for one in important])
    rows = [_row(*parts) for parts in zip(found, important, false_discovery, related, strict=True)]
    rows.sort(key=lambda row: -1.0 if row["importance"] is None else row["importance"], reverse=True)
    report = {
        **_head(run, samples, question),
        "of_samples": len(every.hit),
        "permutations": times,
        "seed": question.seed,
        "metrics": rows,
    }
    return {**report, "notes": _notes(samples, rows, times)}


def _drawn(samples: Judged, question: Question) -> Judged:
    """Samples of so many images, by the seed, that about `most` of them are left; all where they are no more."""
    number = len(samples.hit)
    if question.most is None or number <= question.most:
        return samples
    kept = (uniform(np.arange(len(samples.images)), question.seed) < question.most / number)[samples.image]
    return replace(samples, rows=samples.rows[kept], image_row=samples.image_row[kept], hit=samples.hit[kept])


def outcomes_asked(run: Run, question: Question) -> dict[str, Any] | None:
    """Outcomes at the thresholds asked for; None where they are the run's own."""
    one_model(run)
    return changed_outcomes(run, question.iou, question.confidence)


def usual_permutations(rows: int, measures: int) -> int:
    """As many as are cheap, so that a small set is not held back by the least p that 200 can give.

    >>> usual_permutations(1_000_000, 30), usual_permutations(600, 40)
    (200, 2000)
    """
    return max(FEWEST, min(MOST, BUDGET // max(rows * measures, 1)))


def _head(run: Run, samples: Judged, question: Question) -> dict[str, Any]:
    hits, number = int(samples.hit.sum()), len(samples.hit)
    settings = settings_at(run, question.iou, question.confidence)
    return {
        "target": run.place,
        "model": run.model or next(iter(run.models), None),
        "by": question.by,
        "outcome": samples.outcome,
        "iou": settings.iou,
        "confidence": settings.confidence,
        "categories": list(question.categories) or None,
        "cluster": question.cluster,
        "samples": number,
        "images": len(samples.images),
        "hits": hits,
        "rate": hits / number if number else None,
    }


def _row(one: Binned, found: Importance, q: float | None, related: tuple[Interval, Interval]) -> dict[str, Any]:
    measure = one.measure
    numbers: dict[str, Any] = {
        "importance": found.value,
        "p": found.p,
        "q": q,
        "information": found.information,
        "expected": found.expected,
    }
    for name, interval in zip(("pearson", "spearman"), related, strict=True):
        numbers |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return {
        "metric": measure.id,
        "mark": MARKS[measure.level],
        "kind": measure.kind,
        "unit": measure.unit,
        **numbers,
        "bins": one.bins.count,
        "missing": int(one.units.total[~np.isfinite(one.units.values)].sum()),
        "permuted": found.permuted,
        "reason": found.reason,
    }


def _notes(samples: Judged, rows: Sequence[dict[str, Any]], times: int) -> list[str]:
    everywhere = undefined(samples)
    if everywhere:
        return [everywhere]
    notes = []
    tests = sum(row["p"] is not None for row in rows)
    floor = 1 / (1 + times)
    at_floor = sum(row["p"] is not None and row["p"] <= floor for row in rows)
    if at_floor and floor * tests / at_floor > SIGNIFICANT:
        wanted = int(np.ceil(tests / at_floor / SIGNIFICANT))
        notes.append(f"{times} permutations are too few for a q below {SIGNIFICANT:g}: --permutations {wanted}")
    random = next((row for row in rows if row["metric"] == "image.random"), None)
    if random and random["p"] is not None and random["p"] <= 0.01:
        notes.append("image.random seems to matter, which is chance: try another --seed of qm score")
    return notes


def top_importances(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The first rows of an importance report that have an importance, for a summary."""
    defined = [row for row in report["metrics"] if row["importance"] is not None]
    return [{name: row[name] for name in ("metric", "importance", "p", "q", "spearman")} for row in defined[:TOP]]


def encord_report(run: Run, question: Question) -> dict[str, Any]:
    """Encord's importance of every measured number for IoU·TP of the predictions, in nats."""
    if question.by != "prediction":
        raise UsageError("--compat encord is about predictions", "leave out --by")
    if (question.iou, question.confidence) != (None, None):
        raise UsageError("--compat encord takes the run's own matches", "score the dataset at another --iou")
    samples = judged(run, question.by, question.metrics, question.categories, None)
    iou = to_numpy(run.table("prediction", ["iou"])["iou"])[samples.rows]
    target = np.where(samples.hit & np.isfinite(iou), iou, 0.0)
    chosen = [one for one in samples.measures if not one.coded]
    values = encord_importances(samples, target, chosen)
    rows = [
        {"metric": one.id, "mark": MARKS[one.level], "kind": one.kind, "unit": "nat", "importance": value}
        for one, value in zip(chosen, values, strict=True)
    ]
    rows.sort(key=lambda row: -1.0 if row["importance"] is None else row["importance"], reverse=True)
    return {**_head(run, samples, question), "compat": "encord", "metrics": rows, "notes": []}
