"""Boxes out of list columns; areas of polygons equal shapely's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from qm_cli.link_boxes import checked, outside, polygon_areas


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
