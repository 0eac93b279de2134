"""Polygon → pixels, against a plain loop over pixel centres."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qm_cli.kernels.masks import polygon_mask


def test_square_of_whole_pixels() -> None:
    mask = polygon_mask(np.array([[1, 1], [3, 1], [3, 4], [1, 4.0]]), (5, 5))
    assert mask.sum() == 6
    assert mask[1:4, 1:3].all()


@pytest.mark.parametrize("seed", range(20))
def test_same_as_asking_every_centre(seed: int) -> None:
    random = np.random.default_rng(seed)
    angle = np.sort(random.uniform(0, 2 * np.pi, 7))
    radius = random.uniform(1, 9, 7)
    points = np.stack([6 + radius * np.cos(angle), 5 + radius * np.sin(angle)], axis=1)
    rows, columns = np.mgrid[0:10, 0:12] + 0.5
    shape = shapely.Polygon(points)
    expected = shapely.contains_xy(shape, columns, rows)
    if shape.is_valid:
        np.testing.assert_array_equal(polygon_mask(points, (10, 12)), expected)


def test_beyond_the_window_and_without_area() -> None:
    assert polygon_mask(np.array([[-9, -9], [99, -9], [99, 99], [-9, 99.0]]), (3, 4)).all()
    assert not polygon_mask(np.array([[20, 20], [30, 20], [30, 30.0]]), (3, 4)).any()
    assert not polygon_mask(np.zeros((0, 2)), (3, 4)).any()
    assert not polygon_mask(np.array([[1, 1], [3, 1.0]]), (3, 4)).any()
