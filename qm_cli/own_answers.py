"""Classes and text with each category at its own confidence, as a file of thresholds says.

The best answer is looked for first and then held against the confidence of its category, as the thresholds were chosen;
text entities below theirs are dropped before they are matched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from qm_cli.analysis.counts import mean_of_defined
from qm_cli.analysis.gate_quantities import MACRO, Confidences, lowest_scores
from qm_cli.answers import FREE_TEXT
from qm_cli.classification import ClassEvaluation, evaluate_answers
from qm_cli.classification_report import class_report
from qm_cli.errors import UsageError
from qm_cli.own_confidences import cell_of, own_of, read_named
from qm_cli.text_entities import SpanEvaluation, evaluate_spans, span_report
from qm_cli.threshold_file import Thresholds, category_key

COUNTED = ("precision", "recall", "f1", "true_positives", "false_positives", "false_negatives")
RATES = COUNTED[:3]
FACTS = ("id", "name", "question")


def own_answer_cells(
    evaluation: ClassEvaluation | SpanEvaluation, report: Mapping[str, Any], texts: Sequence[str]
) -> list[dict[str, Any]]:
    """Everything that is counted at the thresholds of a file: `confidence=t.json#f1` each, of text with `,iou=0.6`.

    A category without a confidence keeps nothing and has no numbers. report: that of the evaluation. Raises UsageError
    for an IoU of classes, InputError as `own_of`.
    """
    return [_cell(evaluation, report, text) for text in texts]


def _cell(evaluation: ClassEvaluation | SpanEvaluation, report: Mapping[str, Any], text: str) -> dict[str, Any]:
    where, file, iou = cell_of(text)
    thresholds = read_named(file, where, f"write confidence={file.path}#TARGET")
    own = _own(thresholds, file.path, where, report)
    if iou is not None and isinstance(evaluation, ClassEvaluation):
        raise UsageError(f"{where}: classes have no IoU", f"write --at confidence={file}")
    found = answers_at_own(evaluation, own, thresholds.overall, iou)
    return {
        "confidence": str(file),
        "iou": found["iou"],
        "metrics": found["metrics"],
        "categories": [
            {**{name: row[name] for name in (*FACTS, *COUNTED) if name in row}, "confidence": least}
            for row, least in zip(found["categories"], own, strict=True)
        ],
        "confusion": found["confusion"] and {**found["confusion"], "confidence": str(file)},
    }


def answers_at_own(
    evaluation: ClassEvaluation | SpanEvaluation, own: Confidences, overall: float | None, iou: float | None = None
) -> dict[str, Any]:
    """The report of the same answers with each category at its own confidence.

    own: None keeps nothing of a category and gives it no numbers. overall: the confidence of free text. iou: of text
    entities, None for the evaluation's.
    """
    if isinstance(evaluation, SpanEvaluation):
        at = evaluation.iou if iou is None else iou
        found = span_report(evaluate_spans(evaluation.answers, evaluation.convention, at, lowest_scores(own)))
    else:
        found = class_report(_with_own(evaluation, own, overall))
    categories = [
        {**row, **(dict.fromkeys(COUNTED) if least is None else {})}
        for row, least in zip(found["categories"], own, strict=True)
    ]
    return {**found, "metrics": {**found["metrics"], **_means(categories)}, "categories": categories}


def _means(categories: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Means of the questions' means over their categories; a category without a confidence is left out."""
    questions = dict.fromkeys(row.get("question") for row in categories)
    found = {}
    for name in RATES:
        values = [[row[name] for row in categories if row.get("question") == one] for one in questions]
        found[f"{name}{MACRO}"] = _mean([_mean(one) for one in values])
    return found


def _mean(values: Sequence[float | None]) -> float | None:
    return mean_of_defined(np.array(values, np.float64))


def _own(thresholds: Thresholds, path: Path, where: str, report: Mapping[str, Any]) -> Confidences:
    names = [category_key(row) for row in report["categories"]]
    return own_of(thresholds, path, where, report["task"], report["convention"], names)


def _with_own(evaluation: ClassEvaluation, own: Confidences, overall: float | None) -> ClassEvaluation:
    """The same answers at the confidences, by category of one question after the other; a free text at the overall."""
    kinds = [result.question for result in evaluation.results]
    sizes = [0 if one.kind == FREE_TEXT else one.categories for one in kinds]
    least = lowest_scores(own)
    by_question: dict[str | None, float | npt.NDArray[np.float64]] = {}
    for question, (begin, end) in zip(kinds, pairwise(np.append(0, np.cumsum(sizes)).tolist()), strict=True):
        free = np.inf if overall is None else overall
        by_question[question.name] = free if question.kind == FREE_TEXT else least[begin:end]
    return evaluate_answers(evaluation.answers, replace(evaluation.settings, own=by_question))
