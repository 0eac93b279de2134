"""Curves of straight lines: bit by bit those of numpy.interp, one category at a time, and one worked by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from qm_cli.kernels.straight_lines import area_under_lines, places_of, rates_at

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Group = tuple[BoolArray, FloatArray, int]
RECALLS, CONFIDENCES = np.linspace(0, 1, 101), np.linspace(0, 1, 1000)


def groups_of(seed: int, count: int = 40) -> list[Group]:
    """Hits, falling scores, many of them equal, and labels, never fewer than hits; some empty, some without labels."""
    random = np.random.default_rng(seed)
    groups = []
    for _ in range(count):
        size = int(random.choice([0, 1, 2, 7, 60]))
        hit = random.random(size) < random.choice([0.0, 0.3, 0.9, 1.0])
        score = np.sort(random.integers(0, 12, size) / random.choice([11, 999]))[::-1]
        labels = int(hit.sum()) + int(random.choice([0, 1, 5]))
        groups.append((hit, score, labels) if labels else (np.zeros(size, bool), score, 0))
    return groups


def joined(groups: list[Group]) -> tuple[BoolArray, FloatArray, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    hit, score = (np.concatenate([one[place] for one in groups]) for place in (0, 1))
    start = np.append(0, np.cumsum([len(one[0]) for one in groups]))
    return hit.astype(bool), score.astype(np.float64), start, np.array([one[2] for one in groups])


def curve(hit: BoolArray, labels: int) -> tuple[FloatArray, FloatArray]:
    found = np.cumsum(hit)
    return found / np.arange(1, len(hit) + 1), found / labels


def area(hit: BoolArray, labels: int) -> float:
    if labels == 0 or len(hit) == 0:
        return 0.0 if labels else np.nan
    precision, recall = curve(hit, labels)
    raised = np.maximum.accumulate(np.concatenate([[1.0], precision, [0.0]])[::-1])[::-1]
    values = np.interp(RECALLS, np.concatenate([[0.0], recall, [1.0]]), raised)
    return float(np.trapezoid(values, RECALLS))


@pytest.mark.parametrize("seed", range(20))
def test_areas_are_those_of_interp(seed: int) -> None:
    groups = groups_of(seed)
    hit, _, start, labels = joined(groups)
    place = np.flatnonzero(hit)
    group = np.searchsorted(start, place, side="right") - 1
    hits = np.append(0, np.cumsum(np.bincount(group, minlength=len(groups))))
    found = area_under_lines(place - start[group] + 1, hits, np.diff(start), labels, RECALLS)
    np.testing.assert_array_equal(found, [area(one[0], one[2]) for one in groups])


@pytest.mark.parametrize("seed", range(20))
def test_rates_are_those_of_interp(seed: int) -> None:
    groups = groups_of(seed)
    hit, score, start, labels = joined(groups)
    precision, recall = rates_at(hit, score, start, places_of(score, start, CONFIDENCES), labels, CONFIDENCES)
    for place, (own, scores, positives) in enumerate(groups):
        expected = np.full((2, len(CONFIDENCES)), 0.0 if positives else np.nan)
        if positives and len(own):
            after = curve(own, positives)
            expected = np.stack([np.interp(-CONFIDENCES, -scores, after[side], left=1.0 - side) for side in (0, 1)])
        np.testing.assert_array_equal(precision[place], expected[0])
        np.testing.assert_array_equal(recall[place], expected[1])


def test_no_group_at_all() -> None:
    none = np.zeros(0, np.int64)
    assert area_under_lines(none, np.zeros(1, np.int64), none, none, RECALLS).shape == (0,)
    places = places_of(np.zeros(0), np.zeros(1, np.int64), CONFIDENCES)
    assert rates_at(np.zeros(0, bool), np.zeros(0), np.zeros(1, np.int64), places, none, CONFIDENCES)[0].shape == (
        0,
        1000,
    )


def test_by_hand() -> None:
    """A miss, then a hit of two labels: from precision .5 at recall 0 and .5 down to 0 at 1: .25 + .125."""
    found = area_under_lines(np.array([2]), np.array([0, 1]), np.array([2]), np.array([2]), RECALLS)
    assert found.tolist() == [pytest.approx(0.375, abs=1e-12)]
