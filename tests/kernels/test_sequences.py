from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.kernels import sequences
from qm_cli.kernels.sequences import (
    best_overlaps,
    codes_of,
    frame_keys,
    frame_runs,
    running_cosines,
    scaled_differences,
)
from tests.metrics.examples import objects
from tests.oracles.coco_loop import box_iou


def test_codes_of_every_kind_of_value() -> None:
    assert codes_of(np.array([5, 3, 5])).tolist() == [1, 0, 1]
    assert codes_of(np.array([5.0, np.nan, 2])).tolist() == [1, -1, 0]
    assert codes_of(objects([None, "x", ""])).tolist() == [-1, 1, 0]
    assert codes_of(np.array([True, False])).tolist() == [1, 0]
    assert codes_of(np.zeros(0, object)).tolist() == []


def test_repeated_frames_are_in_no_run_and_leave_a_gap() -> None:
    runs = frame_runs(np.zeros(4, np.int64), np.array([1, 2, 2, 3]), np.ones(4, bool), 1)
    assert runs.repeated.tolist() == [False, True, True, False]
    assert runs.run.tolist() == [0, -1, -1, 1]
    assert frame_runs(np.zeros(4, np.int64), np.array([1, 2, 2, 3]), np.ones(4, bool), 2).place.tolist() == [
        0,
        -1,
        -1,
        1,
    ]


def test_keys_beyond_a_run_meet_no_frame() -> None:
    run, place = np.array([0, 0, 0, 1, -1]), np.array([0, 1, 2, 0, -1])
    here = set(frame_keys(run, place, 0)[:4].tolist())
    assert frame_keys(run, place, 1)[:2].tolist() == frame_keys(run, place, 0)[1:3].tolist()
    for distance in (-2, -1, 1, 2, 9):
        keys = frame_keys(run, place, distance).tolist()
        for row, key in enumerate(keys):
            there = [o for o in range(4) if run[o] == run[row] >= 0 and place[o] == place[row] + distance]
            assert (key in here) == bool(there)


boxes = st.lists(
    st.tuples(*[st.sampled_from([0.0, 1, 3, 5])] * 2, *[st.sampled_from([0.0, 2, 4, 4, float("nan")])] * 2), max_size=12
)


@settings(max_examples=80, deadline=None)
@given(boxes, st.integers(0, 99))
def test_best_overlaps_equal_the_loop(given_boxes: list[tuple[float, ...]], seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = np.array(given_boxes, np.float64).reshape(-1, 4)
    key, sought = random.integers(-1, 3, (2, len(rows)))
    best, partner = best_overlaps(rows, key, sought)
    for i, box in enumerate(rows):
        top, found = 0.0, -1
        for j, other in enumerate(rows):
            if key[j] == sought[i] >= 0 and not np.isnan([*box, *other]).any():
                iou = box_iou(other.tolist(), box.tolist())
                if iou > top:
                    top, found = iou, j
        assert (best[i], partner[i]) == (top, found)


def test_stretches_change_nothing(monkeypatch: object) -> None:
    random = np.random.default_rng(3)
    rows, key = random.uniform(0, 10, (60, 4)), random.integers(0, 4, 60)
    whole = best_overlaps(rows, key, (key + 1) % 4)
    monkeypatch.setattr(sequences, "PAIRS_AT_ONCE", 7)  # type: ignore[attr-defined]
    for one, other in zip(whole, best_overlaps(rows, key, (key + 1) % 4), strict=True):
        np.testing.assert_array_equal(one, other)


def test_scaled_differences_of_equal_values_are_none() -> None:
    found = scaled_differences(np.array([[4.0, 1], [4, 3], [9, 9]]), np.array([0, 0, 1]))
    assert found.tolist() == [[0, -0.5], [0, 0.5], [0, 0]]


def test_running_cosines_of_tracks_of_different_length() -> None:
    vectors = np.array([[1.0, 0], [0, 1], [0, 1], [2, 2], [3, 3]])
    found = running_cosines(vectors, np.array([0, 0, 0, 4, 4]), 0.5)
    np.testing.assert_allclose(found, [np.nan, 0, 0.5 / np.sqrt(0.5), np.nan, 1], rtol=1e-12)
