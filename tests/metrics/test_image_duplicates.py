from __future__ import annotations

import numpy as np
import pytest

from qm_cli.metrics import image_duplicates
from tests.metrics.examples import Example, check, complete

EXAMPLES = [
    Example(
        image_duplicates.duplicate_group,
        {"id": [5, 6, 7, 8, 9, 10], "pixel_hash": ["a", "b", None, "b", None, "b"]},
        [None, 6, None, 6, None, 6],
    ),
    Example(
        image_duplicates.duplicate_group, {"id": ["x", "y", "z"], "pixel_hash": [None, "a", "a"]}, [None, "y", "y"]
    ),
    Example(
        image_duplicates.near_duplicate_group,
        {"id": [5, 6, 7, 8, 9], "perceptual_hash": ["000f", None, "0fff", "00ff", "f000"]},
        [5, None, 5, 5, None],
    ),
    Example(
        image_duplicates.near_duplicate_group,
        {"id": [5, 6, 7], "perceptual_hash": ["0001", "0000", "0001"]},
        [5, None, 5],
        {"radius": 0},
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(image_duplicates, EXAMPLES)


def test_images_without_pixels_are_no_duplicates_of_each_other() -> None:
    missing = np.full(3, None, object)
    assert image_duplicates.duplicate_group(np.arange(3), missing).tolist() == [None] * 3
    assert image_duplicates.near_duplicate_group(np.arange(3), missing).tolist() == [None] * 3
