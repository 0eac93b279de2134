from __future__ import annotations

import pytest

from qm_cli.metrics import label_outcome
from tests.metrics.examples import Example, check, complete

EXAMPLES = [
    Example(
        label_outcome.outcome,
        {"counts": [True, True, False, False], "matched_prediction_row": [0, -1, -1, 4]},
        ["TP", "FN", "ignored", "ignored"],
    )
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(label_outcome, EXAMPLES)
