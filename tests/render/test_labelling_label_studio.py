"""Against Label Studio's documented task format with pre-annotations.

What label-studio-sdk reads of every kind of shape is held in tests/oracles/test_importers.py.
"""

from __future__ import annotations

import pytest

from qm_cli.render.labelling_label_studio import as_label_studio
from tests.render.chosen_images import chosen, with_answers


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
    (prediction,) = next(as_label_studio(batch))["predictions"]
    assert [one["type"] for one in prediction["result"]] == ["choices"]


def test_answers_to_named_questions() -> None:
    """A control for each question; all that is ticked is one result."""
    batch = chosen()
    (prediction,) = next(as_label_studio(with_answers(batch)))["predictions"]
    assert [(one["from_name"], one["score"], one["value"]) for one in prediction["result"]] == [
        ("sky", 0.6, {"choices": ["dog <&>"]}),
        ("things", 0.5, {"choices": ["cat", "dog <&>"]}),
    ]


def test_without_a_file_name() -> None:
    batch = chosen()
    batch["images"][0]["file_name"] = None
    assert next(as_label_studio(batch))["data"] == {"image": "https://b/a/%C3%BC%201.jpg", "id": 3}
