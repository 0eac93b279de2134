from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.kernels import polygons
from tests.metrics.examples import objects
from tests.oracles.geometry_loop import polygon_area_absolute

SQUARE = [0, 0, 10, 0, 10, 10, 0, 10.0]
BOW = [0, 0, 10, 10, 10, 0, 0, 10.0]
TWICE = SQUARE + SQUARE


def area_of(*parts: Any) -> list[float]:
    return polygons.areas(polygons.shapes_of(objects([list(parts)])).geometry).tolist()


@pytest.mark.parametrize(
    ("parts", "area"),
    [
        ([SQUARE], [100]),
        ([[*SQUARE, 0, 0]], [100]),  # closed
        ([SQUARE, SQUARE], [100]),  # parts are united
        ([SQUARE, [5, 0, 15, 0, 15, 10, 5, 10.0]], [150]),
        ([SQUARE, [20, 0, 30, 0, 30, 10, 20, 10.0]], [200]),
        ([BOW], [50]),
        ([TWICE], [100]),
        ([[0, 0, 10, 0, 10, 10, 5, 10, 5, 15, 5, 10, 0, 10.0]], [100]),  # a spike
        ([[0, 0, 5, 5, 10, 10.0]], [0]),
        ([[1, 1, 1, 1, 2, 2, 1, 2.0]], [0.5]),
        ([[1, 1, 1, 1, 2, 2, 2, 2.0]], [0]),
        ([[*SQUARE, 7.0]], [100]),  # a coordinate without its partner
        ([SQUARE, [0, 0, 5, 5.0]], [100]),
        ([np.array(SQUARE)], [100]),
        ([[0, 0, 5, 5.0]], []),
        ([[0, 0, 5, 5, 0, 0.0]], []),
        ([[0, 0, float("inf"), 5, 0, 5]], []),
        ([[1, 1, 1, 1, 1, 1.0]], []),
        ([[]], []),
        ([], []),
    ],
)
def test_areas(parts: list[Any], area: list[float]) -> None:
    assert area_of(*parts) == pytest.approx(area)


def test_rows_and_faults() -> None:
    shapes = polygons.shapes_of(objects([None, [SQUARE, SQUARE], [], [BOW], [[0, 0, 1, 1.0]], [SQUARE, [1.0]]]))
    assert shapes.row.tolist() == [1, 3, 5]
    assert shapes.too_few.tolist() == [False, False, False, False, True, True]
    assert shapes.crossing.tolist() == [False, False, False, True, False, False]


def test_equal_lengths_may_arrive_as_a_block() -> None:
    block = np.array([[SQUARE], [BOW]], object)
    assert polygons.areas(polygons.shapes_of(block).geometry).tolist() == pytest.approx([100, 50])


@given(
    st.lists(st.tuples(st.integers(-50, 150), st.integers(-50, 150)), min_size=3, max_size=3, unique=True),
    st.sampled_from([(100.0, 50.0), (30.0, 80.0)]),
)
def test_inside_equals_the_loop(corners: list[tuple[int, int]], size: tuple[float, float]) -> None:
    flat = [float(value) for corner in corners for value in corner]
    shapes = polygons.shapes_of(objects([[flat]]))
    found = polygons.areas(polygons.inside(shapes.geometry, np.array([size[0]]), np.array([size[1]])))
    assert found.tolist() == pytest.approx([polygon_area_absolute(corners, *size)], abs=1e-6)


@pytest.mark.parametrize("size", [0.0, -3.0])
def test_nothing_is_inside_an_image_without_area(size: float) -> None:
    shapes = polygons.shapes_of(objects([[SQUARE]]))
    assert polygons.areas(polygons.inside(shapes.geometry, np.array([size]), np.array([9.0]))).tolist() == [0]


def test_united_keeps_groups_apart() -> None:
    pieces = polygons.from_corners(np.array([[0.0, 0, 2, 2], [1, 0, 3, 2], [0, 0, 1, 1], [5, 5, 6, 6]]))
    groups, unions = polygons.united(pieces, np.array([2, 2, 5, 5]))
    assert groups.tolist() == [2, 5]
    assert polygons.areas(unions).tolist() == [6, 2]
