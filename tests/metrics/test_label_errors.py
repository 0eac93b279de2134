from __future__ import annotations

import numpy as np
import pytest

from qm_cli.metrics import label_errors
from tests.metrics.examples import Example, check, complete

NAN = float("nan")
SOFT = np.exp(-np.array([0.0, 8.0]))
"""Weights of the scores .2 and 1 in a soft minimum of temperature .1."""
EXAMPLES = [
    Example(
        label_errors.overlooked,
        {"overlooked_similarity": [0.05, -1.0, NAN], "score": [0.99, 0.96, 0.9], "least_similarity": [0.01] * 3},
        [0.05, 0.0004, None],
    ),
    Example(
        label_errors.badly_located,
        {"located_similarity": [0.3, NAN, 0.3], "counts": [True, True, False]},
        [0.3, 1.0, None],
    ),
    Example(
        label_errors.swapped,
        {
            "swapped_similarity": [0.9, 1.0, NAN, 0.1, NAN],
            "conflicting": [False, False, False, True, False],
            "least_similarity": [0.01] * 5,
            "counts": [True, True, True, True, False],
        },
        [0.1, 0.01, 1.0, 0.01, None],
    ),
    Example(
        label_errors.label_quality,
        {
            "prediction_overlooked": [NAN, 0.001],
            "prediction_offsets": [0, 1, 2, 2],
            "label_badly_located": [0.2, 1.0, NAN],
            "label_swapped": [1.0, 1.0, NAN],
            "label_offsets": [0, 2, 3, 3],
        },
        [float(np.cbrt((SOFT * [0.2, 1.0]).sum() / SOFT.sum())), 0.1, 1.0],
    ),
    Example(label_errors.label_issue, {"issue_code": [2, -1, 1]}, ["overlooked", None, "badly located"]),
    Example(
        label_errors.label_issues,
        {
            "label_issue_code": [0, 1, -1],
            "label_offsets": [0, 2, 3, 3],
            "prediction_issue_code": [-1, 2],
            "prediction_offsets": [0, 0, 1, 2],
        },
        [2, 0, 1],
    ),
    Example(
        label_errors.mistakenness,
        {"witness_score": [0.8, 0.8, NAN], "witness_agrees": [True, False, False]},
        [0.1, 0.9, None],
    ),
    Example(
        label_errors.mistakenness_location,
        {"witness_score": [0.8, 0.8, 0.8, NAN], "witness_iou": [1.0, 0.5, 0.3, NAN]},
        [0.1, 0.9, 0.9, None],
    ),
    Example(label_errors.self_confidence, {"own_probability": [0.2, NAN]}, [0.2, None]),
    Example(
        label_errors.normalized_margin,
        {"own_probability": [0.2, NAN], "other_probability": [0.6, NAN]},
        [0.3, None],
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(label_errors, EXAMPLES)
