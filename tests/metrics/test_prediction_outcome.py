from __future__ import annotations

import pytest

from qm_cli.metrics import prediction_outcome
from tests.metrics.examples import Example, check, complete

NAN = float("nan")
MATCHED = {
    "counted": [True, True, True, False],
    "matched_label_row": [0, -1, 1, -1],
    "label_counts": [True, False],
}
EXAMPLES = [
    Example(prediction_outcome.outcome, MATCHED, ["TP", "FP", "ignored", None]),
    Example(
        prediction_outcome.outcome,
        {"counted": [True, False], "matched_label_row": [-1, -1], "label_counts": [False]},
        ["FP", None],
    ),
    Example(prediction_outcome.iou, {"matched_iou": [0.8, NAN, NAN], "best_iou": [0.9, 0.0, NAN]}, [0.8, 0.0, None]),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(prediction_outcome, EXAMPLES)
