"""Encord's three reasons, worked by hand."""

from __future__ import annotations

from qm_cli.analysis.false_positive_reasons import false_positive_reasons
from qm_cli.error_names import REASONS
from qm_cli.evaluation import evaluate_tables
from qm_cli.settings import Settings
from tests import builders
from tests.boxes import CAT, DOG, document, label, prediction


def test_each_reason() -> None:
    labels = [label(1, 1, CAT, [0, 0, 10, 10]), label(2, 2, CAT, [0, 0, 10, 10], iscrowd=1)]
    predictions = [
        prediction(1, CAT, [0, 0, 10, 10], 0.9),
        prediction(1, CAT, [0, 0, 10, 9], 0.8),
        prediction(1, CAT, [0, 0, 10, 4], 0.7),
        prediction(1, CAT, [50, 50, 10, 10], 0.7),
        prediction(1, DOG, [0, 0, 10, 10], 0.7),
        prediction(2, CAT, [0, 0, 10, 10], 0.7),
        prediction(1, CAT, [0, 0, 10, 10], 0.1),
    ]
    evaluation = evaluate_tables(builders.tables(document(labels), predictions), Settings())
    codes = false_positive_reasons(evaluation.outcomes, evaluation.pairs.best_iou, 0.5)
    found = [
        None if code < 0 else REASONS[code]
        for code in codes[evaluation.tables.values("prediction", "source_row").argsort()]
    ]
    nothing, low, taken = REASONS
    assert found == [None, taken, low, nothing, nothing, None, None]
