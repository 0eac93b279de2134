"""The fields of a prediction tell its task."""

from __future__ import annotations

from typing import Any

import pytest

from qm_cli.settings import TASKS
from qm_cli.shape_fields import SHAPE_FIELDS, found_task

BOX, ROTATED = [1, 2, 3, 4], [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("first", "task"),
    [
        ({}, "bbox"),
        ({"bbox": BOX}, "bbox"),
        ({"bbox": BOX, "segmentation": [[1]]}, "bbox"),
        ({"bbox": BOX, "keypoints": [1]}, "keypoints"),
        ({"keypoints": [1]}, "keypoints"),
        ({"segmentation": {"size": []}}, "segm"),
        ({"segmentation": [[1]], "bbox": []}, "segm"),
        ({"segmentation": [[1]], "bbox": None}, "segm"),
        ({"segmentation": None}, "bbox"),
        ({"bbox": ROTATED}, "obb"),
        ({"obb": ROTATED}, "obb"),
        ({"rotated_box": ROTATED, "segmentation": [[1]]}, "obb"),
        ({"polyline": [1]}, "polyline"),
        ({"point": [1]}, "point"),
    ],
)
def test_found_task(first: dict[str, Any], task: str) -> None:
    assert found_task(first)[0] == task


def test_every_task_has_fields() -> None:
    assert set(SHAPE_FIELDS) == set(TASKS)
