"""Greedy matching of all cells and lanes at once against COCO's loop over one cell and one lane."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.kernels import greedy
from qm_cli.kernels.greedy import Candidates, Lanes
from tests.oracles import coco_loop

OVERLAPS = [0.0, 0.1, 0.3, 0.5, 0.75, 0.9, 1.0, math.nextafter(0.5, 0), math.nextafter(0.75, 1), 1 - 1e-10, 1 - 2e-10]
THRESHOLDS = [0.3, 0.5, 0.75, 0.95, 1.0]


@dataclass(frozen=True)
class Cell:
    """Overlap of each detection, by falling score, with each label; crowd labels; labels ignored per area range."""

    overlaps: list[list[float]]
    crowd: list[bool]
    ignored: list[list[bool]]


@st.composite
def cells(draw: st.DrawFn, areas: int) -> Cell:
    labels, detections = draw(st.integers(0, 5)), draw(st.integers(0, 7))
    overlap = draw(st.sampled_from([st.sampled_from(OVERLAPS), st.sampled_from([0.0, 0.0, 0.5, 0.75])]))
    crowd = draw(st.lists(st.sampled_from([False, False, False, True]), min_size=labels, max_size=labels))
    outside = st.lists(st.sampled_from([False, False, True]), min_size=labels, max_size=labels)
    ignored = [[a or b for a, b in zip(crowd, draw(outside), strict=True)] for _ in range(areas)]
    rows = st.lists(overlap, min_size=labels, max_size=labels)
    return Cell(draw(st.lists(rows, min_size=detections, max_size=detections)), crowd, ignored)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Cell], list[list[int]], Lanes]:
    """Cells, the number each of their labels has among all, and the lanes."""
    areas = draw(st.integers(1, 3))
    made = draw(st.lists(cells(areas), max_size=4))
    owner = draw(st.permutations([place for place, cell in enumerate(made) for _ in cell.crowd]))
    numbers = [[number for number, place in enumerate(owner) if place == own] for own in range(len(made))]
    chosen = draw(st.lists(st.tuples(st.sampled_from(THRESHOLDS), st.integers(0, areas - 1)), min_size=1, max_size=6))
    return made, numbers, Lanes(np.array([t for t, _ in chosen]), np.array([a for _, a in chosen]))


def candidates(made: list[Cell], numbers: list[list[int]], lowest: float) -> Candidates:
    """The pairs whose overlap reaches the lowest threshold, as `matching` hands them over."""
    count = sum(map(len, numbers))
    crowd, ignored = np.zeros(count, bool), np.zeros((len(made[0].ignored) if made else 1, count), bool)
    cell_of = [place for place, cell in enumerate(made) for _ in cell.overlaps]
    pairs = []
    detection = 0
    for cell, own in zip(made, numbers, strict=True):
        crowd[own] = cell.crowd
        ignored[:, own] = cell.ignored
        for row in cell.overlaps:
            pairs += [(detection, label, iou) for label, iou in zip(own, row, strict=True) if iou >= lowest]
            detection += 1
    first, second, third = (np.array([pair[side] for pair in pairs]) for side in range(3))
    return Candidates(
        first.astype(np.int64), second.astype(np.int64), third.astype(float), np.array(cell_of, int), crowd, ignored
    )


def one_by_one(made: list[Cell], numbers: list[list[int]], lanes: Lanes) -> list[list[int]]:
    """The same in loops: the overlaps are looked up where COCO's loop computes them."""
    expected = []
    for threshold, area in zip(lanes.threshold.tolist(), lanes.area.tolist(), strict=True):
        lane: list[int] = []
        for cell, own in zip(made, numbers, strict=True):
            rows = [{"bbox": [place]} for place in range(len(cell.overlaps))]
            labels = [{"bbox": [place], "iscrowd": int(crowd)} for place, crowd in enumerate(cell.crowd)]
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(coco_loop, "box_iou", lambda d, g, crowd, cell=cell: cell.overlaps[d[0]][g[0]])
                found = coco_loop.match_cell(rows, labels, cell.ignored[area], threshold)
            lane += [-1 if label is None else own[label] for label in found]
        expected.append(lane)
    return expected


@given(cases())
@settings(max_examples=300, deadline=None)
def test_equal_to_cocos_loop(case: tuple[list[Cell], list[list[int]], Lanes]) -> None:
    made, numbers, lanes = case
    lowest = float(np.minimum(lanes.threshold, greedy.MATCH_BOUND).min())
    found = greedy.match(candidates(made, numbers, lowest), lanes)
    assert found.dtype == np.int32
    assert found.tolist() == one_by_one(made, numbers, lanes)


def single(overlaps: list[list[float]], crowd: list[bool], ignored: list[bool], threshold: float = 0.5) -> list[int]:
    """What the detections of one cell take at one threshold."""
    cell = Cell(overlaps, crowd, [ignored])
    lanes = Lanes(np.array([threshold]), np.array([0]))
    numbers = [list(range(len(crowd)))]
    found: list[int] = greedy.match(candidates([cell], numbers, min(threshold, greedy.MATCH_BOUND)), lanes)[0].tolist()
    assert found == one_by_one([cell], numbers, lanes)[0]
    return found


def test_the_later_label_wins_a_tie() -> None:
    assert single([[0.7, 0.7]], [False, False], [False, False]) == [1]


def test_overlaps_one_bit_apart_are_no_tie() -> None:
    assert single([[math.nextafter(0.7, 1), 0.7]], [False, False], [False, False]) == [0]


def test_a_label_that_counts_goes_before_a_better_one_that_is_ignored() -> None:
    assert single([[0.6, 0.9]], [False, False], [False, True]) == [0]


def test_a_crowd_label_is_taken_by_many() -> None:
    assert single([[0.9], [0.8], [0.6]], [True], [True]) == [0, 0, 0]


def test_an_ignored_label_is_taken_once() -> None:
    assert single([[0.9], [0.8]], [False], [True]) == [0, -1]


def test_a_chain_of_contested_labels() -> None:
    overlaps = [[0.9, 0.8, 0, 0], [0.9, 0.8, 0.7, 0], [0, 0.9, 0.8, 0.6], [0, 0, 0.9, 0.5], [0, 0, 0, 0.9]]
    assert single(overlaps, [False] * 4, [False] * 4) == [0, 1, 2, 3, -1]


def test_threshold_one_is_reached_by_equal_boxes() -> None:
    assert single([[1.0]], [False], [False], 1.0) == [0]
    assert single([[1 - 1e-10]], [False], [False], 1.0) == [0]
    assert single([[1 - 2e-10]], [False], [False], 1.0) == [-1]


def test_no_candidates() -> None:
    lanes = Lanes(np.array([0.5, 0.75]), np.array([0, 0]))
    assert greedy.match(candidates([], [], 0.5), lanes).shape == (2, 0)
    assert single([[0.1], [0.2]], [False], [False]) == [-1, -1]
