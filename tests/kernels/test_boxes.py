from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.kernels import boxes
from tests.oracles.geometry_loop import union_area
from tests.strategies import boxes as box_strategy

NAN = float("nan")
SIZE = np.array([100.0, 50.0])


def clipped(rows: list[list[float]], width: float = 100.0, height: float = 50.0) -> np.ndarray:
    given_boxes = np.array(rows, float).reshape(-1, 4)
    return boxes.clipped_corners(given_boxes, np.full(len(rows), width), np.full(len(rows), height))


def test_clipped_corners() -> None:
    corners = clipped([[-5, -5, 10, 10], [90, 40, 20, 20], [200, 0, 5, 5], [5, 5, -3, 4]])
    assert corners.tolist() == [[0, 0, 5, 5], [90, 40, 100, 50], [100, 0, 100, 5], [5, 5, 5, 9]]
    assert boxes.corner_areas(corners).tolist() == [25, 100, 0, 0]


def test_clipped_corners_of_what_is_not_known() -> None:
    assert np.isnan(boxes.corner_areas(clipped([[NAN] * 4]))).all()
    assert np.isnan(boxes.corner_areas(clipped([[0, 0, 5, 5]], width=NAN))).all()


@given(st.lists(st.lists(box_strategy(), max_size=8), max_size=4), st.sampled_from([1, 5, 1 << 22]))
def test_union_areas_equal_the_loop(runs: list[list[list[float]]], stretch: int) -> None:
    corners = clipped([box for run in runs for box in run], 128, 96)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boxes, "PAIRS_AT_ONCE", stretch)
        found = boxes.union_areas(corners, np.cumsum([0, *map(len, runs)]))
    assert found.tolist() == pytest.approx([union_area(run, 128, 96) for run in runs], abs=1e-9)


def test_union_of_one_box_is_its_area_to_the_last_bit() -> None:
    corners = clipped([[0.1, 0.2, 20.3, 19.7]])
    assert boxes.union_areas(corners, np.array([0, 1])).tolist() == boxes.corner_areas(corners).tolist()


@given(st.lists(st.tuples(st.integers(0, 2), box_strategy()), max_size=9), st.sampled_from([1, 3, 1 << 22]))
def test_largest_overlaps_do_not_depend_on_the_stretch(rows: list[tuple[int, list[float]]], stretch: int) -> None:
    group, given_boxes = np.array([g for g, _ in rows], int), np.array([b for _, b in rows], float).reshape(-1, 4)
    whole = boxes.largest_overlaps(given_boxes, group)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boxes, "PAIRS_AT_ONCE", stretch)
        cut = boxes.largest_overlaps(given_boxes, group)
    assert [column.tolist() for column in cut] == [column.tolist() for column in whole]


def test_the_earlier_box_wins_a_tie() -> None:
    overlap, partner = boxes.largest_overlaps(np.array([[0.0, 0, 5, 5]] * 3), np.zeros(3, int))
    assert overlap.tolist() == [1, 1, 1]
    assert partner.tolist() == [1, 0, 0]
