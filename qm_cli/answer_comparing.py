"""Two models' classes, free text or text entities, compared: the report of `qm compare` of answers, as data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.analysis.comparison import Comparison, NumbersOf, comparison_by, units_with
from qm_cli.analysis.intervals import LEAST_UNITS
from qm_cli.analysis.weighted_counts import OVERALL, RATES, mean_rates
from qm_cli.answer_parts import Part, Tally, entity_part, question_parts, questions_of_one
from qm_cli.answer_sides import Side
from qm_cli.classification import ClassEvaluation
from qm_cli.comparison_rows import named_rows
from qm_cli.slice_comparing import compared_images
from qm_cli.slice_language import Slice
from qm_cli.text_entities import SpanEvaluation

RowArray = npt.NDArray[np.int64]
REGRESSED_SHOWN = 20
SEVERAL = "several questions: every number is the mean over those that have it"
ENTITIES = "an entity is the other model's too where both stand at the same characters"


def compare_answers(
    a: Side, b: Side, unit: RowArray, resamples: int, seed: int, cluster: str | None = None
) -> tuple[dict[str, Any], pa.Table]:
    """The report, and a row for each answer, label or entity with what became of it.

    unit: what is drawn, per data row: its own place, or its cluster's.
    """
    if isinstance(a.found, SpanEvaluation) and isinstance(b.found, SpanEvaluation):
        parts, left_out = [entity_part(a.found, b.found)], []
    else:
        assert not isinstance(a.found, SpanEvaluation)
        assert not isinstance(b.found, SpanEvaluation)
        parts, left_out = question_parts(a.found, b.found), questions_of_one(a.found, b.found)
    found = _resampled(parts, unit, resamples, seed)
    own = [_resampled([part], unit, resamples, seed) for part in parts] if len(parts) > 1 else [found]
    metrics = _defined(named_rows(found.overall, OVERALL))
    sliced = compared_images(a.slices, _numbers(parts), OVERALL, unit, resamples, seed)
    report = {
        "a": _about(a),
        "b": _about(b),
        **about(a.found),
        "images": a.answers.rows,
        "labels": sum(len(part.labels.image) for part in parts),
        "cluster": cluster,
        "units": found.units,
        "method": "half-sample bootstrap",
        "resamples": resamples,
        "seed": seed,
        "metrics": metrics,
        "categories": [row for part, one in zip(parts, own, strict=True) for row in _categories(part, one)],
        "questions": [
            {"question": part.question, "kind": part.kind, "metrics": _defined(named_rows(one.overall, OVERALL))}
            for part, one in zip(parts, own, strict=True)
        ]
        if len(parts) > 1
        else [],
        "slices": [{**row, "metrics": _named(row["metrics"], metrics)} for row in sliced],
        "left_out": left_out,
        "changes": _changes(parts, a.slices),
        "regressed_images": _regressed(a, parts),
        "notes": [*_notes(parts, found, cluster), *_unshared(left_out), *_found(a, b), *a.notes],
    }
    return report, pa.concat_tables([part.table for part in parts])


def about(found: ClassEvaluation | SpanEvaluation) -> dict[str, Any]:
    """What an evaluation of answers is: its task, convention and thresholds."""
    if isinstance(found, SpanEvaluation):
        return {"task": "text", "convention": found.convention, "iou": found.iou, "confidence": found.confidence}
    confidences = {result.confidence for result in found.results}
    confidence = confidences.pop() if len(confidences) == 1 else found.settings.confidence
    return {"task": found.task, "convention": found.settings.convention, "iou": None, "confidence": confidence}


def _resampled(parts: list[Part], unit: RowArray, resamples: int, seed: int) -> Comparison:
    """The means over the parts, and every category of them."""
    units = np.concatenate([units_with(part.labels, unit)[: len(part.categories)] for part in parts])
    return comparison_by(_numbers(parts), unit, units, resamples, seed)


def _numbers(parts: list[Part]) -> tuple[NumbersOf, NumbersOf]:
    first, second = ([part.models[side] for part in parts] for side in (0, 1))
    return partial(mean_rates, first), partial(mean_rates, second)


def _named(rows: list[dict[str, Any]], like: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The metrics that the whole has."""
    names = [row["metric"] for row in like]
    return [row for row in rows if row["metric"] in names]


def _defined(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The numbers that one of the two models has: text entities have no accuracy, free text nothing else."""
    return [row for row in rows if row["a"] is not None or row["b"] is not None]


def _about(side: Side) -> dict[str, Any]:
    found = side.found
    if isinstance(found, SpanEvaluation):
        count = len(found.prediction)
    else:
        count = sum(len(one.question.prediction) or int((one.question.probable >= 0).sum()) for one in found.results)
    return {"model": side.name, "target": side.target, "predictions": count}


def _categories(part: Part, found: Comparison) -> list[dict[str, Any]]:
    named = {} if part.question is None else {"question": part.question}
    return [
        {
            "name": name,
            **named,
            "units": int(found.category_units[place]),
            "metrics": named_rows(found.category, RATES, place),
        }
        for place, name in enumerate(part.categories)
    ]


def _changes(parts: list[Part], slices: Sequence[Slice]) -> dict[str, Any]:
    """Counts of each change, over all, by category and slice; no sizes, which answers do not have."""
    found: dict[str, Any] = {}
    for part in parts:
        for tally in part.tallies:
            rows = found.setdefault(
                tally.kind,
                {
                    "total": dict.fromkeys(tally.words, 0),
                    "by_category": [],
                    "by_size": [],
                    "by_slice": [{"name": one.name, **dict.fromkeys(tally.words, 0)} for one in slices],
                },
            )
            _add(rows["total"], tally, tally.code)
            for row, one in zip(rows["by_slice"], slices, strict=True):
                _add(row, tally, tally.code[one.images[tally.row]])
            rows["by_category"] += [
                {"name": name, **dict(zip(tally.words, counts, strict=True))}
                for name, counts in zip(part.categories, _by_category(tally, len(part.categories)), strict=True)
            ]
    return found


def _add(row: dict[str, Any], tally: Tally, code: RowArray) -> None:
    for word, count in zip(tally.words, np.bincount(code, minlength=len(tally.words)).tolist(), strict=True):
        row[word] += count


def _by_category(tally: Tally, categories: int) -> list[list[int]]:
    """Counts of each change by category."""
    width = len(tally.words)
    of_one = (tally.category >= 0) & (tally.category < categories)
    cells = tally.category[of_one] * width + tally.code[of_one]
    counts: list[list[int]] = np.bincount(cells, minlength=categories * width).reshape(categories, width).tolist()
    return counts


def _regressed(side: Side, parts: list[Part]) -> list[dict[str, Any]]:
    """The data rows with the most wrong answers more than before; ties by answers broken, then by their order."""
    rows = side.answers.rows
    tallies = [tally for part in parts for tally in part.tallies]

    def per_row(mask: str, *words: str) -> RowArray:
        total = np.zeros(rows, np.int64)
        for tally in tallies:
            kept = getattr(tally, mask)
            if words:
                kept = np.isin(tally.code, [tally.words.index(word) for word in words if word in tally.words])
            total += np.bincount(tally.row[kept], minlength=rows)
        return total

    before, after = per_row("before"), per_row("after")
    fixed, broken = per_row("after", "fixed"), per_row("after", "broken")
    worse = after - before
    order = np.lexsort((np.arange(rows), -broken, -worse))[:REGRESSED_SHOWN]
    return [
        {
            "id": side.answers.row_ids[int(row)].as_py(),
            "file_name": None,
            "errors_a": int(before[row]),
            "errors_b": int(after[row]),
            "broken": int(broken[row]),
            "fixed": int(fixed[row]),
        }
        for row in order
        if worse[row] > 0
    ]


def _notes(parts: list[Part], found: Comparison, cluster: str | None) -> list[str]:
    what = "data rows" if cluster is None else f"clusters of {cluster}"
    notes = []
    if found.units < LEAST_UNITS:
        notes.append(f"{found.units} {what}: intervals and p-values are undefined, they need at least {LEAST_UNITS}")
    few = sum(bool(one) for one in found.category_units < LEAST_UNITS)
    if few and found.units >= LEAST_UNITS:
        notes.append(f"{few} categories have labels in fewer than {LEAST_UNITS} {what}: their intervals are undefined")
    if len(parts) > 1:
        notes.append(SEVERAL)
    if parts[0].tallies[0].kind == "labels":
        notes.append(ENTITIES)
    return notes


def _unshared(left_out: list[dict[str, Any]]) -> list[str]:
    return [
        f"question {one['question']!r} is of {one['model']} alone, with {one['answers']:,} answers: it is not compared"
        for one in left_out
    ]


def _found(a: Side, b: Side) -> list[str]:
    """What was found while reading: of both sides, then of one alone."""
    first, second = ([finding.sentence() for finding in side.found.findings] for side in (a, b))
    alone = [("A", first, second), ("B", second, first)]
    return [
        *(text for text in first if text in second),
        *(f"{side}: {text}" for side, own, other in alone for text in own if text not in other),
    ]
