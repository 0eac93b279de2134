"""What an evaluation found, as columns that metrics may take: by level and name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.counts import matched_iou
from qm_cli.analysis.false_positive_reasons import false_positive_reasons
from qm_cli.analysis.label_issues import Issues, object_issues
from qm_cli.class_issues import class_issues
from qm_cli.classification import ClassEvaluation
from qm_cli.classification_tables import outcomes_of
from qm_cli.columns import Sources
from qm_cli.error_names import CONFIDENT_LEARNING, NONE
from qm_cli.evaluation import Evaluation
from qm_cli.kernels.confident_learning import own_and_other
from qm_cli.overlap import overlap
from qm_cli.plan import Plan
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
LABELS_AT_ONCE = 1 << 12


def _matched_iou(evaluation: Evaluation) -> FloatArray:
    return matched_iou(evaluation.tables, evaluation.settings.task, evaluation.outcomes)


def _prediction_error(evaluation: Evaluation) -> npt.NDArray[np.int8]:
    kinds = evaluation.error_kinds
    return kinds.prediction_kind if kinds else np.full(evaluation.tables.count("prediction"), NONE, np.int8)


def _label_error(evaluation: Evaluation) -> npt.NDArray[np.int8]:
    kinds = evaluation.error_kinds
    return kinds.label_kind if kinds else np.full(evaluation.tables.count("label"), NONE, np.int8)


def _reason(evaluation: Evaluation) -> npt.NDArray[np.int8]:
    """The convention's own, or those of COCO's matching; of none under other conventions."""
    if evaluation.reasons is not None:
        return evaluation.reasons
    if evaluation.curves is None:
        return np.full(evaluation.tables.count("prediction"), NONE, np.int8)
    return false_positive_reasons(evaluation.outcomes, evaluation.pairs.best_iou, evaluation.settings.iou)


def _witness(evaluation: Evaluation, name: str) -> npt.NDArray[Any]:
    """A column of the prediction that sits on each label; NaN where none does, the label's own place aside."""
    rows = evaluation.corresponding
    values = evaluation.tables.values("prediction", name)
    found = np.full(len(rows), np.nan)
    found[rows >= 0] = values[rows[rows >= 0]]
    return found


def _witness_iou(evaluation: Evaluation) -> FloatArray:
    label = np.flatnonzero(evaluation.corresponding >= 0)
    iou = np.full(evaluation.tables.count("label"), np.nan)
    iou[label] = overlap(evaluation.tables, evaluation.settings.task, label, evaluation.corresponding[label])
    return iou


def _witness_agrees(evaluation: Evaluation) -> npt.NDArray[np.bool_]:
    agrees: npt.NDArray[np.bool_] = _witness(evaluation, "category_row") == evaluation.tables.values(
        "label", "category_row"
    )
    return agrees


def _probability(evaluation: Evaluation, place: int) -> FloatArray:
    """p(label), or the largest p of another category, as the prediction on each label has them; NaN without."""
    tables = evaluation.tables
    label = np.flatnonzero(evaluation.corresponding >= 0)
    values = np.full(tables.count("label"), np.nan)
    category, probabilities = tables.values("label", "category_row"), tables.values("prediction", "probs")
    for start in range(0, len(label), LABELS_AT_ONCE):
        rows = label[start : start + LABELS_AT_ONCE]
        values[rows] = own_and_other(category[rows], probabilities[evaluation.corresponding[rows]])[place]
    return values


def _least(evaluation: Evaluation, level: str) -> FloatArray:
    return np.full(evaluation.tables.count(level), evaluation.evidence.least)


def _issues(evaluation: Evaluation) -> Issues:
    """Those of ObjectLab's rule, found once; not under the tables' lock, which the threads that compare shapes take."""
    kept, key = evaluation.tables._views, ("label", "issues")
    if key not in kept:
        kept[key] = object_issues(evaluation.tables, evaluation.evidence, evaluation.settings.task)
    found: Issues = kept[key]
    return found


COLUMNS: dict[tuple[str, str], Callable[[Evaluation], npt.NDArray[Any]]] = {
    ("prediction", "matched_label_row"): lambda evaluation: evaluation.outcomes.matched_label,
    ("prediction", "matched_iou"): _matched_iou,
    ("prediction", "best_iou"): lambda evaluation: evaluation.pairs.best_iou,
    ("prediction", "counted"): lambda evaluation: evaluation.outcomes.counted,
    ("prediction", "true_positive"): lambda evaluation: evaluation.outcomes.true_positive,
    ("prediction", "false_positive"): lambda evaluation: evaluation.outcomes.false_positive,
    ("prediction", "error_code"): _prediction_error,
    ("prediction", "reason_code"): _reason,
    ("prediction", "overlooked_similarity"): lambda evaluation: evaluation.evidence.overlooked,
    ("prediction", "least_similarity"): lambda evaluation: _least(evaluation, "prediction"),
    ("prediction", "issue_code"): lambda evaluation: _issues(evaluation).prediction,
    ("label", "matched_prediction_row"): lambda evaluation: evaluation.outcomes.matched_prediction,
    ("label", "counts"): lambda evaluation: evaluation.outcomes.label_counts,
    ("label", "false_negative"): lambda evaluation: evaluation.outcomes.false_negative,
    ("label", "error_code"): _label_error,
    ("label", "located_similarity"): lambda evaluation: evaluation.evidence.located,
    ("label", "swapped_similarity"): lambda evaluation: evaluation.evidence.swapped,
    ("label", "conflicting"): lambda evaluation: evaluation.evidence.conflicting,
    ("label", "least_similarity"): lambda evaluation: _least(evaluation, "label"),
    ("label", "issue_code"): lambda evaluation: _issues(evaluation).label,
    ("label", "witness_score"): lambda evaluation: _witness(evaluation, "score"),
    ("label", "witness_iou"): _witness_iou,
    ("label", "witness_agrees"): _witness_agrees,
}
WITH_PROBABILITIES: dict[tuple[str, str], Callable[[Evaluation], npt.NDArray[Any]]] = {
    ("label", "own_probability"): lambda evaluation: _probability(evaluation, 0),
    ("label", "other_probability"): lambda evaluation: _probability(evaluation, 1),
}
"""Those that need class probabilities."""


def _offered(tables: Tables) -> dict[tuple[str, str], Callable[[Evaluation], npt.NDArray[Any]]]:
    probable = "probs" in tables.prediction.column_names
    return COLUMNS | WITH_PROBABILITIES if probable else COLUMNS


def promised(tables: Tables) -> Sources:
    """The columns that an evaluation of these tables can give, without their values."""
    return dict.fromkeys(_offered(tables), np.zeros(0))


def evaluation_columns(evaluation: Evaluation, plan: Plan) -> Sources:
    """Those columns that a step of the plan reads."""
    read = {(origin.level, origin.name) for step in plan.steps for origin in step.inputs.values()}
    return {key: column(evaluation) for key, column in _offered(evaluation.tables).items() if key in read}


def class_columns(tables: Tables, evaluation: ClassEvaluation) -> Sources:
    """What was right and wrong among classes, as columns that metrics may take; none for ticks that are no rows."""
    found = outcomes_of(tables, evaluation)
    if found is None:
        return {}
    wrong = class_issues(tables, evaluation)
    doubts: Sources = (
        {}
        if wrong is None
        else {
            ("label", "own_probability"): wrong.own,
            ("label", "other_probability"): wrong.other,
            ("label", "issue_code"): np.where(wrong.issue, CONFIDENT_LEARNING, NONE).astype(np.int8),
        }
    )
    return {
        **doubts,
        ("prediction", "matched_label_row"): found.matched_label,
        ("prediction", "counted"): found.counted,
        ("prediction", "true_positive"): found.true_positive,
        ("prediction", "false_positive"): found.false_positive,
        ("label", "matched_prediction_row"): found.matched_prediction,
        ("label", "counts"): found.label_counts,
        ("label", "false_negative"): found.false_negative,
    }
