"""Boxes out of list columns; areas of polygons equal shapely's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from qm_cli.link_boxes import box_findings, box_format, checked, outside, polygon_areas


def test_checked() -> None:
    rows = [[1, 2, 3, 4], None, [1, 2], [1, 2, -1, 4], [1, 2, 0, 4], [1, 2, None, 4], [5, 6, 7, 8]]
    boxes = checked(pa.array(rows, pa.list_(pa.float64())))
    assert boxes.good.tolist() == [True, False, False, False, True, False, True]
    assert boxes.flat.tolist() == [False, False, False, False, True, False, False]
    assert boxes.values[6].tolist() == [5, 6, 7, 8]


def test_checked_slice_and_empty() -> None:
    whole = pa.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 9, 9, 9]], pa.list_(pa.float64()))
    assert checked(whole.slice(1, 1)).values.tolist() == [[5, 6, 7, 8]]
    assert checked(whole.slice(0, 0)).values.shape == (0, 4)


def test_outside_allows_a_pixel() -> None:
    image = pa.table({"width": [100.0, None], "height": [50.0, None]})
    boxes = np.array([[0, 0, 101, 50], [0, 0, 102, 50], [-2, 0, 5, 5], [0, 0, 999, 999], [0, 0, 999, 1]], float)
    assert outside(boxes, np.array([0, 0, 0, 1, -1], np.int32), image).tolist() == [False, True, True, False, False]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(1, 30), st.integers(1, 30)), max_size=4))
def test_polygon_areas_equal_shapely(triangles: list[tuple[int, int, int, int]]) -> None:
    parts = [[float(v) for v in (x, y, x + w, y, x, y + h)] for x, y, w, h in triangles]
    areas, bad = polygon_areas(pa.array([None, parts or None, [[1.0, 2.0]]], pa.list_(pa.list_(pa.float64()))))
    assert bad.tolist() == [False, False, True]
    assert np.isnan(areas[[0, 2]]).all()
    expected = sum(Polygon(np.reshape(part, (-1, 2))).area for part in parts)
    assert areas[1] == pytest.approx(expected) if parts else np.isnan(areas[1])


IMAGES = pa.table({"width": [100.0, 640.0, None], "height": [80.0, 480.0, None]})


def formats(boxes: np.ndarray[Any, Any], rows: np.ndarray[Any, Any]) -> list[tuple[str, str]]:
    lists = pa.array(boxes.tolist(), pa.list_(pa.float64()))
    found = box_findings("prediction", pa.array(range(len(boxes))), checked(lists), rows, IMAGES)
    return [(one.code, one.detail) for one in found if one.code.startswith("boxes-")]


@pytest.mark.parametrize("count", [5, 30_000])
def test_the_format_of_all_boxes(count: int) -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(-1, 2, count).astype(np.int32)
    size = np.array([[100, 80], [640, 480], [100, 80]], float)[rows]
    corner = rng.uniform(0.3, 0.6, (count, 2)) * size
    plain = np.hstack([corner, rng.uniform(0.1, 0.3, (count, 2)) * size])
    told = f"all {int((rows >= 0).sum()):,} boxes taken together"
    assert formats(plain, rows) == []
    assert formats(plain / np.hstack([size, size]), rows) == [("boxes-normalised", told)]
    assert formats(np.hstack([corner + 0.1 * size, corner + 0.3 * size]), rows) == [("boxes-corners", told)]
    assert formats(plain / np.hstack([size, size]), np.full(count, 2, np.int32)) == [
        ("boxes-normalised", f"all {count:,} boxes taken together")
    ]


def test_astronomical_boxes_are_none() -> None:
    """1e308 + 1e308 is no number any more; a warning would fail the test."""
    boxes = checked(pa.array([[1e308, 0, 1e308, 1], [0, 0, 1e160, 1e160], [1, 2, 3, 4]], pa.list_(pa.float64())))
    assert boxes.good.tolist() == [False, False, True]
    rows = np.zeros(3, np.int32)
    assert outside(boxes.values, rows, IMAGES).tolist() == [True, True, False]
    assert [one.code for one in box_findings("label", pa.array([1, 2, 3]), boxes, rows, IMAGES)] == ["label-bad-box"]


BOXES = np.array([[10, 10, 20, 20], [50, 40, 30, 30], [70, 5, 25, 60], [60, 50, 35, 28]], float)
WIDTH, HEIGHT = np.full(4, 100.0), np.full(4, 80.0)
CORNERS = np.hstack([BOXES[:, :2], BOXES[:, :2] + BOXES[:, 2:]])


def test_box_format() -> None:
    assert box_format(BOXES, WIDTH, HEIGHT) == ""
    assert box_format(BOXES / 100, WIDTH, HEIGHT) == "normalised"
    assert box_format(CORNERS, WIDTH, HEIGHT) == "corners"
    assert box_format(CORNERS / 100, WIDTH, HEIGHT) == "normalised"


def test_box_format_of_what_tells_nothing() -> None:
    assert box_format(np.zeros((0, 4)), np.zeros(0), np.zeros(0)) == ""
    assert box_format(np.full((4, 4), np.nan), WIDTH, HEIGHT) == ""
    assert box_format(np.array([[0.0, 0, 1, 1]]), WIDTH[:1], HEIGHT[:1]) == ""
    assert box_format(BOXES / 100, np.ones(4), np.ones(4)) == ""
    assert box_format(CORNERS, WIDTH * np.nan, HEIGHT * np.nan) == ""
    assert box_format(BOXES * [1, 1, 20, 20], WIDTH, HEIGHT) == ""
