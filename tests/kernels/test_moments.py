from __future__ import annotations

import cv2
import numpy as np
import pytest
import shapely

from qm_cli.kernels.moments import log_hu, shape_moments

HEART = [(0, 0), (40, 60), (70, 50), (60, 20), (45, 25), (20, -10)]


def geometries(*shapes: shapely.Geometry) -> np.ndarray:
    array = np.empty(len(shapes), object)
    array[:] = shapes
    return array


def seven(shape: shapely.Geometry) -> np.ndarray:
    return log_hu(shape_moments(geometries(shape)))[0]


def test_as_opencv_has_them() -> None:
    points = np.array(HEART, np.float32)
    expected = cv2.HuMoments(cv2.moments(points))[:, 0]
    expected[6] = abs(expected[6])
    wanted = np.sign(expected) * np.log10(1 + np.abs(expected) / 1e-6)
    np.testing.assert_allclose(seven(shapely.Polygon(HEART)), wanted, rtol=1e-5, atol=1e-6)


def test_a_hole_and_parts_as_opencv_sums_pixels() -> None:
    shape = shapely.union_all(
        [
            shapely.Polygon([(0, 0), (60, 0), (60, 40), (0, 40)], [[(10, 10), (30, 10), (30, 30), (10, 30)]]),
            shapely.box(80, 5, 95, 60),
        ]
    )
    mask = np.zeros((60, 95), np.uint8)
    mask[:40, :60] = 1
    mask[10:30, 10:30] = 0
    mask[5:60, 80:95] = 1
    expected = cv2.HuMoments(cv2.moments(mask, binaryImage=True))[:, 0]
    wanted = np.sign(expected) * np.log10(1 + np.abs(expected) / 1e-6)
    np.testing.assert_allclose(seven(shape)[:4], wanted[:4], atol=0.02)


@pytest.mark.parametrize(
    "change",
    [
        lambda shape: shapely.affinity.translate(shape, 5000, -300),
        lambda shape: shapely.affinity.scale(shape, 7, 7),
        lambda shape: shapely.affinity.rotate(shape, 33),
        lambda shape: shapely.affinity.scale(shape, -1, 1),
        lambda shape: shapely.reverse(shape),
    ],
)
def test_neither_place_size_turn_nor_mirroring_counts(change) -> None:  # type: ignore[no-untyped-def]
    import shapely.affinity

    heart = shapely.Polygon(HEART)
    np.testing.assert_allclose(seven(change(heart)), seven(heart), atol=1e-8)


def test_no_area() -> None:
    assert np.isnan(log_hu(shape_moments(geometries(shapely.Polygon())))).all()
    assert shape_moments(geometries()).shape == (10, 0)
