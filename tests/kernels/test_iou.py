"""IoU against the plain formula and, to the last bit, against pycocotools' own code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.kernels.iou import box_iou
from tests.oracles import coco_loop
from tests.strategies import boxes

SIDE = st.one_of(st.floats(0, 500), st.sampled_from([0.0, 1.0, 0.1, 1e-9, 1e5]))
ANY_BOX = st.tuples(st.floats(-500, 500), st.floats(-500, 500), SIDE, SIDE).map(list)
PAIRS = st.lists(st.tuples(st.one_of(boxes(), ANY_BOX), st.one_of(boxes(), ANY_BOX), st.booleans()), max_size=8)
Pair = tuple[list[float], list[float], bool]


def columns(pairs: list[Pair]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels, predictions, crowd = ([pair[side] for pair in pairs] for side in range(3))
    return np.array(labels, float).reshape(-1, 4), np.array(predictions, float).reshape(-1, 4), np.array(crowd, bool)


@given(PAIRS)
@settings(deadline=None)
def test_equal_to_the_loop(pairs: list[Pair]) -> None:
    expected = [coco_loop.box_iou(prediction, label, crowd) for label, prediction, crowd in pairs]
    assert box_iou(*columns(pairs)).tolist() == expected


@given(PAIRS.filter(len))
@settings(max_examples=60, deadline=None)
def test_equal_to_pycocotools_to_the_last_bit(pairs: list[Pair]) -> None:
    mask = pytest.importorskip("pycocotools.mask")
    labels, predictions, crowd = columns(pairs)
    mine = box_iou(labels, predictions, crowd)
    theirs = mask.iou(predictions, labels, crowd.astype(np.uint8)).diagonal()
    solid = predictions[:, 2] * predictions[:, 3] + labels[:, 2] * labels[:, 3] > 0
    assert mine[solid].tolist() == theirs[solid].tolist()


@given(PAIRS)
@settings(deadline=None)
def test_inputs_are_untouched(pairs: list[Pair]) -> None:
    given_columns = columns(pairs)
    before = [column.copy() for column in given_columns]
    for column in given_columns:
        column.flags.writeable = False
    box_iou(*given_columns)
    for column, old in zip(given_columns, before, strict=True):
        assert column.tobytes() == old.tobytes()


@pytest.mark.parametrize(
    ("label", "prediction", "crowd", "expected"),
    [
        ([0, 0, 10, 10], [10, 0, 10, 10], False, 0.0),
        ([0, 0, 10, 10], [10, 10, 10, 10], True, 0.0),
        ([5, 5, 0, 0], [5, 5, 0, 0], False, 0.0),
        ([0, 0, 10, 10], [5, 5, 0, 0], True, 0.0),
        ([0, 0, 100, 100], [0, 0, 10, 10], True, 1.0),
        ([0, 0, 100, 100], [0, 0, 10, 10], False, 0.01),
        ([0, 0, 10, 10], [0, 0, 10, 10], False, 1.0),
        ([0, 0, 10, 10], [0, 0, 20, 10], True, 0.5),
        ([0, 0, 1e-200, 1e-200], [0, 0, 1e-200, 1e-200], False, 0.0),
        ([0, 0, 5, 5], [0, 0, 1e-200, 1e-200], True, 0.0),
        ([0, 0, -10, 10], [-10, 0, 10, 10], False, 0.0),
    ],
)
def test_worked_by_hand(label: list[float], prediction: list[float], crowd: bool, expected: float) -> None:
    assert box_iou(*columns([(label, prediction, crowd)])).tolist() == [expected]


def test_nothing_to_compare() -> None:
    assert box_iou(np.zeros((0, 4)), np.zeros((0, 4)), np.zeros(0, bool)).tolist() == []


def test_an_unknown_box_overlaps_nothing_that_can_be_told() -> None:
    unknown = [float("nan")] * 4
    found = box_iou(*columns([(unknown, [0, 0, 5, 5], False), ([0, 0, 5, 5], unknown, True)]))
    assert np.isnan(found).all()
