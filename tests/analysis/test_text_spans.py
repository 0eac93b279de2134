"""Matching of character spans against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.analysis.text_spans import Matched, Overlaps, Spans, by_overlap, by_score, overlapping, overlaps

ROWS = 3
ENTITY = st.tuples(
    st.integers(0, ROWS - 1),
    st.integers(0, 1),
    st.integers(0, 6),
    st.integers(1, 5),
    st.sampled_from([0.25, 0.5, 1.0, float("nan")]),
)
ENTITIES = st.lists(ENTITY, max_size=8)
Entity = tuple[int, int, int, int, float]


def spans(entities: list[Entity]) -> Spans:
    rows = sorted(entities, key=lambda one: one[0])
    row, category, start, length, score = (
        np.array([one[place] for one in rows], np.float64 if place == 4 else np.int64) for place in range(5)
    )
    return Spans(row, category, start, start + length, score)


def looped(label: Spans, prediction: Spans) -> dict[tuple[int, int], float]:
    found = {}
    for one in range(len(label)):
        for other in range(len(prediction)):
            left = set(range(label.start[one], label.end[one]))
            right = set(range(prediction.start[other], prediction.end[other]))
            if label.row[one] == prediction.row[other] and left & right:
                found[one, other] = len(left & right) / len(left | right)
    return found


def rank(prediction: Spans, place: int) -> float:
    """A score, 1 where there is none."""
    return 1.0 if np.isnan(prediction.score[place]) else float(prediction.score[place])


@given(ENTITIES, ENTITIES)
def test_overlaps_are_those_of_sets_of_characters(labels: list[Entity], predictions: list[Entity]) -> None:
    label, prediction = spans(labels), spans(predictions)
    found = overlaps(label, prediction, ROWS)
    pairs = dict(
        zip(zip(found.label.tolist(), found.prediction.tolist(), strict=True), found.iou.tolist(), strict=True)
    )
    assert pairs == looped(label, prediction)


@given(ENTITIES, ENTITIES, st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_by_score_is_the_greedy_loop(labels: list[Entity], predictions: list[Entity], threshold: float) -> None:
    label, prediction = spans(labels), spans(predictions)
    pairs, taken, expected = looped(label, prediction), set[int](), np.full(len(prediction), -1)
    for other in sorted(range(len(prediction)), key=lambda place: -rank(prediction, place)):
        best, best_iou = -1, min(threshold, 1 - 1e-10)
        for one in range(len(label)):
            same = label.category[one] == prediction.category[other] and one not in taken
            if same and (one, other) in pairs and pairs[one, other] >= best_iou:
                best, best_iou = one, pairs[one, other]
        if best >= 0:
            taken.add(best)
            expected[other] = best
    found = by_score(label, prediction, overlaps(label, prediction, ROWS), threshold)
    assert found.label.tolist() == expected.tolist()
    _one_to_one(label, prediction, found)


@given(ENTITIES, ENTITIES, st.sampled_from([0.0, 0.25, 0.5]))
def test_by_overlap_is_the_greedy_loop(labels: list[Entity], predictions: list[Entity], threshold: float) -> None:
    label, prediction = spans(labels), spans(predictions)
    pairs = [(pair, iou) for pair, iou in looped(label, prediction).items() if iou > threshold]
    pairs.sort(key=lambda pair: (-pair[1], -rank(prediction, pair[0][1]), pair[0][1], pair[0][0]))
    left, right, expected = set[int](), set[int](), np.full(len(prediction), -1)
    crossed = set()
    for (one, other), _ in pairs:
        if one in left or other in right:
            continue
        left.add(one)
        right.add(other)
        if label.category[one] == prediction.category[other]:
            expected[other] = one
        else:
            crossed.add((one, other))
    found = by_overlap(label, prediction, overlaps(label, prediction, ROWS), threshold)
    assert found.label.tolist() == expected.tolist()
    assert set(zip(*(part.tolist() for part in found.crossed), strict=True)) == crossed


def _one_to_one(label: Spans, prediction: Spans, found: Matched) -> None:
    labels, predictions = found.crossed
    every = [*found.label[found.label >= 0].tolist(), *labels.tolist()]
    assert len(set(every)) == len(every)
    assert not (found.label[predictions] >= 0).any()
    assert (label.category[labels] != prediction.category[predictions]).all()


@given(ENTITIES)
def test_overlapping_entities_are_those_that_start_before_another_ends(entities: list[Entity]) -> None:
    one = spans(entities)
    found = overlapping(one)
    order = sorted(
        range(len(one)), key=lambda place: (one.row[place], one.category[place], one.start[place], one.end[place])
    )
    for at, place in enumerate(order):
        before = [
            other
            for other in order[:at]
            if (one.row[other], one.category[other]) == (one.row[place], one.category[place])
            and one.end[other] > one.start[place]
        ]
        assert found[place] == bool(before)


def test_worked_by_hand() -> None:
    label = spans([(0, 0, 0, 4, 1.0), (0, 1, 10, 4, 1.0)])
    prediction = spans([(0, 0, 1, 4, 0.9), (0, 0, 10, 4, 0.8)])
    pairs = overlaps(label, prediction, 1)
    assert pairs.iou.tolist() == [0.6, 1.0]
    assert by_score(label, prediction, pairs, 0.5).label.tolist() == [0, -1]
    assert [part.tolist() for part in by_score(label, prediction, pairs, 0.5).crossed] == [[1], [1]]


def test_nothing_at_all() -> None:
    none = spans([])
    pairs = overlaps(none, none, 2)
    assert isinstance(pairs, Overlaps)
    for rule in (by_score, by_overlap):
        assert len(rule(none, none, pairs, 0.5).label) == 0
    assert len(overlapping(none)) == 0
    assert pairs.iou == pytest.approx([])
