"""Predictions as tools draw them: inside the image, each by its own kind of shape."""

from __future__ import annotations

from typing import Any

import pytest

from qm_cli.labelling_shapes import drawn


def one(**fields: Any) -> dict[str, Any]:
    return {"bbox": [0.0, 0.0, 10.0, 10.0], **fields}


def test_boxes_end_at_the_border() -> None:
    assert drawn(one(bbox=[-2.0, 3.0, 10.0, 20.0]), 6, 9) == [{"kind": "box", "bbox": [0.0, 3.0, 6.0, 6.0]}]


@pytest.mark.parametrize("box", [[6.0, 0.0, 2.0, 2.0], [-3.0, 0.0, 3.0, 2.0], [0.0, 0.0, 0.0, 2.0]])
def test_nothing_is_left_of_what_lies_outside(box: list[float]) -> None:
    assert drawn(one(bbox=box), 6, 9) == []


def test_without_a_size_boxes_stay() -> None:
    assert drawn(one(bbox=[-2.0, 3.0, 10.0, 20.0]), None, None)[0]["bbox"] == [-2.0, 3.0, 10.0, 20.0]


def test_a_class_of_the_image_has_no_place() -> None:
    assert drawn(one(bbox=None), 6, 9) == [{"kind": "whole"}]


def test_a_mask_without_a_pixel_is_nothing() -> None:
    assert drawn(one(mask_counts="4", mask_size=[2.0, 2.0]), 2, 2) == []


def test_rotated_boxes_have_a_centre_sides_and_an_angle() -> None:
    """A quarter turn clockwise: the first side points down."""
    (shape,) = drawn(one(corners=[6, 1, 6, 5, 4, 5, 4, 1]), 9, 9)
    assert (shape["kind"], shape["center"], shape["size"]) == ("rotated", [5, 3], [4, 2])
    assert shape["angle"] == pytest.approx(90)


def test_four_corners_that_are_no_rectangle_stay_a_polygon() -> None:
    (shape,) = drawn(one(corners=[0, 0, 8, 0, 9, 4, 0, 4]), 9, 9)
    assert (shape["kind"], shape["points"]) == ("polygon", [[0, 0], [8, 0], [9, 4], [0, 4]])


def test_each_part_of_a_line_is_one() -> None:
    shapes = drawn(one(polyline=[[0, 0, 5, 5], [6, 6, 20, 7]]), 9, 9)
    assert [(shape["kind"], shape["points"]) for shape in shapes] == [
        ("line", [[0, 0], [5, 5]]),
        ("line", [[6, 6], [9, 7]]),
    ]


def test_keypoints_keep_their_order() -> None:
    (shape,) = drawn(one(keypoints=[5, 6, 2, 0, 0, 0, 30, 2, 1]), 9, 9)
    assert (shape["kind"], shape["points"]) == ("keypoints", [[5, 6], [0, 0], [9, 2]])
