from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.kernels.geometry_iou import around, boxes_of, corners_of, discs, geometry_iou, is_convex, quadrilaterals

Point = tuple[float, float]


def clipped_area(subject: list[Point], clip: list[Point]) -> float:
    """Area that two convex polygons share: one is cut along the edges of the other, one after another."""
    if signed_area(clip) < 0:
        clip = clip[::-1]
    for (ax, ay), (bx, by) in zip(clip, clip[1:] + clip[:1], strict=True):
        sides = [(bx - ax) * (y - ay) - (by - ay) * (x - ax) for x, y in subject]
        kept: list[Point] = []
        for place, point in enumerate(subject):
            before, side, last = subject[place - 1], sides[place], sides[place - 1]
            if (side >= 0) != (last >= 0):
                share = last / (last - side)
                kept.append((before[0] + share * (point[0] - before[0]), before[1] + share * (point[1] - before[1])))
            if side >= 0:
                kept.append(point)
        subject = kept
        if not subject:
            return 0.0
    return abs(signed_area(subject))


def signed_area(points: list[Point]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1], strict=True)) / 2


def loop_corners(box: list[float]) -> list[Point]:
    """Corners of [cx, cy, w, h, degrees], counter-clockwise as seen: y points down."""
    cx, cy, width, height, degrees = box
    turn = math.radians(degrees)
    ends = [(-width / 2, -height / 2), (width / 2, -height / 2), (width / 2, height / 2), (-width / 2, height / 2)]
    return [
        (cx + x * math.cos(turn) + y * math.sin(turn), cy - x * math.sin(turn) + y * math.cos(turn)) for x, y in ends
    ]


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_rotated_boxes_as_a_loop(seed: int) -> None:
    random = np.random.default_rng(seed)
    boxes = np.column_stack(
        [
            random.integers(0, 12, (8, 2)),
            random.integers(1, 12, (8, 2)),
            random.choice([0.0, 30, 45, 90, 137.5, -90, 360], 8),
        ]
    ).astype(float)
    shapes = quadrilaterals(corners_of(boxes, "degrees"))
    left, right = (grid.ravel() for grid in np.meshgrid(np.arange(8), np.arange(8)))
    found = geometry_iou(shapes, shapes, left, right, np.zeros(64, bool))
    for a, b, iou in zip(left, right, found, strict=True):
        shared = clipped_area(loop_corners(boxes[a].tolist()), loop_corners(boxes[b].tolist()))
        union = boxes[a, 2] * boxes[a, 3] + boxes[b, 2] * boxes[b, 3] - shared
        assert iou == pytest.approx(shared / union, abs=1e-9)


def test_radians_turn_the_other_way() -> None:
    degrees = corners_of(np.array([[5.0, 6, 4, 2, 30]]), "degrees")
    radians = corners_of(np.array([[5.0, 6, 4, 2, -math.pi / 6]]), "radians")
    assert degrees.ravel().tolist() == pytest.approx(radians.ravel().tolist())


def test_convex() -> None:
    corners = np.array([[0, 0, 4, 0, 4, 4, 0, 4], [0, 0, 4, 4, 4, 0, 0, 4], [0, 0, 4, 0, 1, 1, 0, 4], [1] * 8], float)
    assert is_convex(corners).tolist() == [True, False, False, True]


def test_points_are_discs_of_64_corners() -> None:
    """The polygon that shapely's own method draws; two of them 70 px apart by hand from the area of a lens."""
    import shapely

    shapes = discs(np.array([[0.0, 0.0], [70.0, 0.0]]), 70.0)
    assert shapes[0].equals(shapely.Point(0, 0).buffer(70.0))
    found = geometry_iou(shapes, shapes, np.array([0, 0]), np.array([0, 1]), np.zeros(2, bool))
    lens = 2 * math.pi / 3 - math.sqrt(3) / 2
    assert found == pytest.approx([1.0, lens / (2 * math.pi - lens)], abs=2e-3)


def test_lines_as_shapely_draws_them() -> None:
    import shapely

    lines = around([[[0, 0, 30, 0, 30, 30]], [[0, 5, 30, 5], [50, 50, 60, 60]], [[3, 4]]], 10.0)
    assert lines[0].equals(shapely.LineString([(0, 0), (30, 0), (30, 30)]).buffer(10.0))
    two = shapely.MultiLineString([[(0, 5), (30, 5)], [(50, 50), (60, 60)]]).buffer(10.0)
    assert lines[1].equals(two)
    assert lines[2].area == pytest.approx(shapely.Point(3, 4).buffer(10.0).area)
    found = geometry_iou(lines, lines, np.array([0]), np.array([1]), np.array([False]))
    assert found[0] == pytest.approx(lines[0].intersection(two).area / lines[0].union(two).area)


def test_crowd_and_nothing_shared() -> None:
    shapes = quadrilaterals(np.array([[0, 0, 4, 0, 4, 4, 0, 4], [0, 0, 2, 0, 2, 2, 0, 2], [9] * 8], float))
    found = geometry_iou(shapes, shapes, np.array([0, 0, 2]), np.array([1, 1, 0]), np.array([True, False, False]))
    assert found.tolist() == [1.0, 0.25, 0.0]
    assert boxes_of(shapes)[1].tolist() == [0, 0, 2, 2]
