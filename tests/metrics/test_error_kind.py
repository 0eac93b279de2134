from __future__ import annotations

import pytest

from qm_cli.metrics import error_kind
from tests.metrics.examples import Example, check, complete

KINDS = ["classification", "localisation", "both", "duplicate", "background", "missed", None]
REASONS = [
    "no overlapping label of the class",
    "IoU too low",
    "a prediction with higher confidence already matched the label",
    None,
]
EXAMPLES = [
    Example(error_kind.error_kind, {"error_code": [0, 1, 2, 3, 4, 5, -1]}, KINDS),
    Example(error_kind.false_positive_reason, {"reason_code": [0, 1, 2, -1]}, REASONS),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(error_kind, EXAMPLES)
