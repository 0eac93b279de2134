"""Against Label Studio's documented task format with pre-annotations.

What label-studio-sdk reads of every kind of shape is held in tests/oracles/test_importers.py.
"""

from __future__ import annotations

import pytest

from qm_cli.render.labelling_label_studio import as_label_studio
from tests.render.chosen_images import chosen


def test_tasks() -> None:
    first, second = as_label_studio(chosen())
    assert first["data"] == {"image": "https://b/a/%C3%BC%201.jpg", "id": 3, "file_name": "a/ü 1.jpg"}
    assert "predictions" not in second
    (prediction,) = first["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("best", 0.6)
    box, whole = prediction["result"]
    value = box.pop("value")
    assert box == {
        "id": "3-4",
        "from_name": "label",
        "to_name": "image",
        "type": "rectanglelabels",
        "score": 0.8,
        "image_rotation": 0,
        "original_width": 100,
        "original_height": 50,
    }
    assert value.pop("rectanglelabels") == ["cat"]
    assert value == pytest.approx({"x": 10, "y": 0, "width": 40, "height": 40, "rotation": 0})
    assert (whole["type"], whole["from_name"], whole["value"]) == ("choices", "class", {"choices": ["dog <&>"]})


def test_without_a_size_no_box_can_be_placed() -> None:
    batch = chosen()
    batch["images"][0]["height"] = None
    (prediction,) = as_label_studio(batch)[0]["predictions"]
    assert [one["type"] for one in prediction["result"]] == ["choices"]
