"""COCO's numbers: what each says it is, and means of what is defined."""

from __future__ import annotations

import numpy as np

from qm_cli.analysis.coco_numbers import COCO_NUMBERS, category_means, definition, mean_of_defined
from qm_cli.settings import Settings
from tests.oracles.coco_loop import STATS


def test_the_twelve_are_pycocotools() -> None:
    assert [number.name for number in COCO_NUMBERS] == [name for name, *_ in STATS]


def test_definitions_name_every_parameter() -> None:
    words = {number.name: definition(number, Settings(), "an image and category") for number in COCO_NUMBERS}
    assert (
        words["AP"]
        == "average precision over 101 recalls, IoU ≥ 0.5:0.05:0.95, best 100 detections an image and category"
    )
    assert words["AP75"].startswith("average precision over 101 recalls, IoU ≥ 0.75, best 100")
    assert (
        words["ARs"] == "average recall, IoU ≥ 0.5:0.05:0.95, small labels, best 100 detections an image and category"
    )
    assert words["AR1"].endswith("best 1 detections an image and category")
    assert len(set(words.values())) == len(words)


def test_means_leave_out_what_is_undefined() -> None:
    values = np.array([[1.0, np.nan], [0.0, np.nan]])
    assert mean_of_defined(values) == 0.5
    np.testing.assert_array_equal(category_means(values), [0.5, np.nan])
    assert np.isnan(category_means(values[:0])).all()
