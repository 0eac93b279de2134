"""The chosen point against trying every confidence, and targets as text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.analysis.operating_points import (
    COST,
    F_BETA,
    PRECISION,
    RECALL,
    Target,
    curve_of,
    operating_point,
    parsed_target,
)
from qm_cli.errors import UsageError

TARGETS = [
    Target("p", PRECISION, 0.6),
    Target("p", PRECISION, 1.0),
    Target("r", RECALL, 0.5),
    Target("r", RECALL, 1.0),
    Target("f", F_BETA, 1.0),
    Target("f", F_BETA, 0.5),
    Target("c", COST, cost=(1.0, 5.0)),
    Target("c", COST, cost=(3.0, 1.0)),
]
ROWS = st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), st.booleans()), min_size=1, max_size=12)


def by_hand(rows: list[tuple[float, bool]], labels: int, target: Target) -> float | None:
    """The confidence, found by trying each score and one above all; of equal ones the highest."""
    candidates = []
    for confidence in [np.nextafter(max(score for score, _ in rows), 2), *sorted({score for score, _ in rows})[::-1]]:
        kept = [true for score, true in rows if score >= confidence]
        found, false = sum(kept), len(kept) - sum(kept)
        missed = labels - found
        if target.kind == PRECISION and kept and found / len(kept) >= target.value:
            candidates.append((found, confidence))
        if target.kind == RECALL and labels and found / labels >= target.value:
            candidates.append((0, confidence))
        if target.kind == F_BETA and found:
            square = target.value**2
            candidates.append(((1 + square) * found / ((1 + square) * found + false + square * missed), confidence))
        if target.kind == COST:
            candidates.append((-(target.cost[0] * false + target.cost[1] * missed), confidence))
    return max(candidates)[1] if candidates else None


@given(ROWS, st.integers(0, 3), st.sampled_from(TARGETS))
@settings(max_examples=200, deadline=None)
def test_equal_to_trying_every_confidence(rows: list[tuple[float, bool]], missed: int, target: Target) -> None:
    rows = sorted(rows, key=lambda row: -row[0])
    labels = sum(true for _, true in rows) + missed
    curve = curve_of(np.array([score for score, _ in rows]), np.array([true for _, true in rows]), labels)
    point = operating_point(curve, target)
    assert (None if point is None else curve.confidence[point]) == by_hand(rows, labels, target)


def test_a_curve_has_a_point_for_every_score_and_one_for_nothing() -> None:
    curve = curve_of(np.array([0.9, 0.9, 0.4]), np.array([True, False, True]), 5)
    assert curve.confidence.tolist() == [np.nextafter(0.9, 1), 0.9, 0.4]
    assert (curve.true_positives.tolist(), curve.false_positives.tolist()) == ([0, 1, 2], [0, 1, 1])


def test_of_equal_recall_the_confidence_with_fewer_errors() -> None:
    curve = curve_of(np.array([0.9, 0.5]), np.array([True, False]), 1)
    assert operating_point(curve, Target("p", PRECISION, 0.5)) == 1


def test_nothing_predicted() -> None:
    curve = curve_of(np.zeros(0), np.zeros(0, bool), 2)
    assert [operating_point(curve, target) for target in TARGETS] == [None] * 6 + [0, 0]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("precision=0.9", Target("precision=0.9", PRECISION, 0.9)),
        (" recall = .8 ", Target("recall=.8", RECALL, 0.8)),
        ("f1", Target("f1", F_BETA, 1.0)),
        ("f0.5", Target("f0.5", F_BETA, 0.5)),
        ("cost=FN:5, FP:1", Target("cost=FN:5,FP:1", COST, cost=(1.0, 5.0))),
    ],
)
def test_targets_as_text(text: str, target: Target) -> None:
    assert parsed_target(text) == target


@pytest.mark.parametrize(
    "text",
    [
        *("", "precision", "precision=0", "precision=1.1", "precision=nan", "f", "f0", "f-1", "accuracy=1"),
        *("cost=FP:1", "cost=FP:1,FP:2", "cost=FP:-1,FN:2", "cost=FP:0,FN:0", "cost=FP:inf,FN:1", "cost=FP:x,FN:1"),
    ],
)
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is nothing to reach"):
        parsed_target(text)
