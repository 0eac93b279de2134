"""Against what Labelbox's Python package sends: data rows, and NDJSON predictions by global key.

What the package reads of every kind of shape is held in tests/oracles/test_importers.py.
"""

from __future__ import annotations

import json
from uuid import UUID

from qm_cli.render.labelling_labelbox import as_labelbox, as_labelbox_predictions
from tests.render.chosen_images import chosen, with_answers


def test_data_rows() -> None:
    assert as_labelbox(chosen()) == [
        {"row_data": "https://b/a/%C3%BC%201.jpg", "global_key": "a/ü 1.jpg", "external_id": "3"},
        {"row_data": "https://b/b.png", "global_key": "b.png", "external_id": "2"},
    ]


def test_predictions() -> None:
    lines = list(as_labelbox_predictions(chosen()))
    box, whole = (json.loads(line) for line in lines)
    assert UUID(box["uuid"]) != UUID(whole["uuid"])
    assert box["dataRow"] == {"globalKey": "a/ü 1.jpg"}
    assert (box["name"], box["confidence"]) == ("cat", 0.8)
    assert box["bbox"] == {"left": 10, "top": 0, "width": 40, "height": 20}
    assert (whole["name"], whole["answer"]) == ("category", {"name": "dog <&>"})
    assert lines == list(as_labelbox_predictions(chosen()))
    assert all(line.endswith("}\n") for line in lines)


def test_answers_to_named_questions() -> None:
    """A line for each question, of a checklist with all that is ticked."""
    sky, things = (json.loads(line) for line in as_labelbox_predictions(with_answers(chosen())))
    assert (sky["name"], sky["answer"], sky["confidence"]) == ("sky", {"name": "dog <&>"}, 0.6)
    ticked = [{"name": "cat", "confidence": 0.8}, {"name": "dog <&>", "confidence": 0.5}]
    assert (things["name"], things["answer"], "confidence" in things) == ("things", ticked, False)


def test_without_a_file_name() -> None:
    """The id is the global key, unless it looks like Labelbox's own."""
    own = "ckz38nsv40bqd3jkqf2yk9vx1"
    for identifier, place in ((3, {"globalKey": "3"}), ("row 1", {"globalKey": "row 1"}), (own, {"id": own})):
        batch = chosen()
        batch["images"][0].update(file_name=None, id=identifier)
        assert json.loads(next(as_labelbox_predictions(batch)))["dataRow"] == place
        assert as_labelbox(batch)[0]["global_key"] == str(identifier)
