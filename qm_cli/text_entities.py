"""Evaluation of text entities: character spans of a data row, matched by a convention; the report as data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.classification_counts import mean
from qm_cli.analysis.classification_outcome import falls_short
from qm_cli.analysis.counts import Counts, ratio
from qm_cli.analysis.text_spans import Matched, Spans, by_overlap, by_score, overlapping, overlaps
from qm_cli.answers import Answers, Given
from qm_cli.arrays import compute, number_or_none, to_arrow, to_numpy
from qm_cli.errors import InputError
from qm_cli.findings import Finding, flagged
from qm_cli.kernels.segments import starts_of

BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
COCO, LABELBOX = "coco", "labelbox"
CONVENTIONS = (COCO, LABELBOX)
RULES = {
    COCO: "by falling confidence each prediction takes the free label of its category with the largest IoU ≥ the "
    "threshold",
    LABELBOX: "pairs of any category are taken by falling IoU > the threshold, and count where the categories agree",
}
RATES = ("precision", "recall", "f1")
OUTCOMES = ("true_positives", "false_positives", "false_negatives")


class SpanEvaluation(Struct, frozen=True):
    """label, prediction: the usable entities, sorted by data row, predictions at or above the confidence."""

    answers: Answers
    convention: str
    iou: float
    confidence: float
    label: Spans
    prediction: Spans
    matched: Matched
    mean_iou: float | None
    findings: tuple[Finding, ...]

    @property
    def found(self) -> BoolArray:
        """Labels that a prediction of their category found: bool[labels]."""
        hit = np.zeros(len(self.label) + 1, bool)
        hit[self.matched.label] = True
        hit[-1] = False
        return hit[:-1]

    @property
    def true_positive(self) -> BoolArray:
        hit: BoolArray = self.matched.label >= 0
        return hit


def evaluate_spans(answers: Answers, convention: str, iou: float, confidence: float | FloatArray) -> SpanEvaluation:
    """Match the entities of every data row. A prediction without a score counts at every confidence.

    confidence: of all categories, or of each, float64[categories]; inf keeps nothing. Raises InputError where a side
    has answers and none of them is a text entity that can be used.
    """
    findings = list(answers.findings)
    label, more = _usable(answers, answers.label, "labels")
    findings += more
    prediction, more = _usable(answers, answers.prediction, "predictions")
    findings += more
    least = confidence[prediction.category] if isinstance(confidence, np.ndarray) else confidence
    prediction = prediction.take(~falls_short(prediction.score, least))
    pairs = overlaps(label, prediction, answers.rows)
    matched = (by_score if convention == COCO else by_overlap)(label, prediction, pairs, iou)
    hit = matched.label[pairs.prediction] == pairs.label
    return SpanEvaluation(
        answers,
        convention,
        iou,
        math.nan if isinstance(confidence, np.ndarray) else confidence,
        label,
        prediction,
        matched,
        mean(pairs.iou[hit]),
        tuple(findings),
    )


def _usable(answers: Answers, given: Given, what: str) -> tuple[Spans, list[Finding]]:
    """The entities with offsets inside their text and a category, sorted by data row."""
    length = np.nan_to_num(to_numpy(compute.utf8_length(answers.texts)).astype(np.float64), nan=np.inf)
    start, end = given.start, given.end
    with np.errstate(invalid="ignore"):
        good = (start >= 0) & (end > start) & (end <= length[given.row]) & (start % 1 == 0) & (end % 1 == 0)
    good &= given.category >= 0
    ids = answers.row_ids.take(to_arrow(given.row))
    found = flagged("span-bad", ids, ~good)
    if len(good) and not good.any():
        message = f"none of the {len(good):,} {what} is a text entity that can be used: {found[0].sentence()}"
        raise InputError(message, found[0].rule.hint)
    rows = np.flatnonzero(good)
    rows = rows[np.argsort(given.row[rows], kind="stable")]
    spans = Spans(
        given.row[rows],
        given.category[rows],
        given.start[rows].astype(np.int64),
        given.end[rows].astype(np.int64),
        given.score[rows],
    )
    again = ~_first_of_each(spans)
    kept_ids = ids.take(to_arrow(rows))
    found += flagged("span-duplicate", kept_ids, again)
    found += flagged("span-overlapping", kept_ids, overlapping(spans) & ~again)
    return spans, found


def _first_of_each(spans: Spans) -> BoolArray:
    columns = (spans.end, spans.start, spans.category, spans.row)
    order = np.lexsort((np.arange(len(spans)), *columns))
    keys = np.stack([column[order] for column in columns])
    first = np.zeros(len(spans), bool)
    first[order] = np.append(True, (keys[:, 1:] != keys[:, :-1]).any(0))[: len(spans)]
    return first


def counts_of(evaluation: SpanEvaluation, label: RowArray, prediction: RowArray, groups: int) -> Counts:
    """Counts of groups, given that of each label and of each prediction."""
    hit, found = evaluation.true_positive, evaluation.found
    return Counts(
        np.bincount(prediction[hit], minlength=groups),
        np.bincount(prediction[~hit], minlength=groups),
        np.bincount(label[~found], minlength=groups),
    )


def row_means(evaluation: SpanEvaluation) -> tuple[RowArray, dict[str, npt.NDArray[np.float64]]]:
    """Labelbox's numbers of each data row with a label and a prediction: arithmetic means over its categories."""
    width = max(len(evaluation.answers.category_names), 1)
    sides = [side.row * width + side.category for side in (evaluation.label, evaluation.prediction)]
    cells, place = np.unique(np.concatenate(sides), return_inverse=True)
    split = len(sides[0])
    counts = counts_of(evaluation, place[:split], place[split:], len(cells))
    row = cells // width
    starts = starts_of(row)
    rows = row[starts]
    both = np.isin(rows, evaluation.label.row) & np.isin(rows, evaluation.prediction.row)
    means = {}
    for name in RATES:
        values = getattr(counts, name)
        there = ~np.isnan(values)
        if len(starts):
            sums = np.add.reduceat(np.where(there, values, 0), starts)
            means[name] = ratio(sums, np.add.reduceat(there.astype(np.int64), starts))[both]
        else:
            means[name] = np.zeros(0)
    return rows[both], means


def span_report(evaluation: SpanEvaluation) -> dict[str, Any]:
    """The one object that `qm evaluate --json` prints for text entities and every table is rendered from."""
    answers, label, prediction = evaluation.answers, evaluation.label, evaluation.prediction
    names = answers.category_names
    counts = counts_of(evaluation, label.category, prediction.category, len(names))
    return {
        "task": "text",
        "convention": evaluation.convention,
        "iou": evaluation.iou,
        "confidence": evaluation.confidence,
        "images": answers.rows,
        "labels": len(label),
        "crowd": 0,
        "predictions": len(prediction),
        "metrics": _overall(evaluation, counts),
        "categories": [
            {"id": answers.category_ids[row], "name": name, **_of_category(counts, row)}
            for row, name in enumerate(names)
        ],
        "confusion": _confusion(evaluation),
        "findings": [finding.as_dict() for finding in evaluation.findings],
        "notes": [
            *(finding.sentence() for finding in evaluation.findings),
            RULES[evaluation.convention],
            "exact: start, end and category agree; every entity counts once",
        ],
    }


def _overall(evaluation: SpanEvaluation, counts: Counts) -> dict[str, Any]:
    """The numbers over all entities, and their means over categories and over data rows."""
    total = counts.total()
    _, rows = row_means(evaluation)
    return {
        **{name: number_or_none(getattr(total, name)[0]) for name in RATES},
        **{f"{name}_macro": mean(getattr(counts, name)) for name in RATES},
        **{f"{name}_data_row": mean(values) for name, values in rows.items()},
        **_exact(evaluation),
        "mean_iou": evaluation.mean_iou,
        **{name: int(getattr(total, name)[0]) for name in OUTCOMES},
    }


def _of_category(counts: Counts, row: int) -> dict[str, Any]:
    """The numbers of one category."""
    outcomes = {name: int(getattr(counts, name)[row]) for name in OUTCOMES}
    return {
        "labels": outcomes["true_positives"] + outcomes["false_negatives"],
        "predictions": outcomes["true_positives"] + outcomes["false_positives"],
        **{rate: number_or_none(getattr(counts, rate)[row]) for rate in RATES},
        **outcomes,
    }


def _exact(evaluation: SpanEvaluation) -> dict[str, float | None]:
    """Precision, recall and F1 of entities that agree in start, end and category."""
    sides = [
        set(zip(*(one.tolist() for one in (side.row, side.category, side.start, side.end)), strict=True))
        for side in (evaluation.label, evaluation.prediction)
    ]
    hits = len(sides[0] & sides[1])
    parts = (hits, hits, 2 * hits), (len(sides[1]), len(sides[0]), len(sides[0]) + len(sides[1]))
    return {f"{name}_exact": part / whole if whole else None for name, part, whole in zip(RATES, *parts, strict=True)}


def _confusion(evaluation: SpanEvaluation) -> dict[str, Any]:
    """The matrix as its filled cells, largest first; None stands for no label or no prediction."""
    names: list[str | None] = [*evaluation.answers.category_names, None]
    none, width = len(names) - 1, len(names)
    label, prediction, matched = evaluation.label, evaluation.prediction, evaluation.matched
    labels, predictions = matched.crossed
    hit = np.flatnonzero(evaluation.true_positive)
    spurious, missed = ~evaluation.true_positive, ~evaluation.found
    spurious[predictions], missed[labels] = False, False
    cells = np.concatenate(
        [
            label.category[matched.label[hit]] * width + prediction.category[hit],
            label.category[labels] * width + prediction.category[predictions],
            label.category[missed] * width + none,
            none * width + prediction.category[spurious],
        ]
    )
    filled, counts = np.unique(cells, return_counts=True)
    order = np.lexsort((filled, -counts))
    rows = zip(filled[order].tolist(), counts[order].tolist(), strict=True)
    return {
        "orientation": "rows true, columns predicted",
        "iou": evaluation.iou,
        "confidence": evaluation.confidence,
        "cells": [
            {"true": names[cell // width], "predicted": names[cell % width], "count": count} for cell, count in rows
        ],
    }
