"""Against what Labelbox's Python package sends: data rows, and NDJSON predictions by global key.

What the package reads of every kind of shape is held in tests/oracles/test_importers.py.
"""

from __future__ import annotations

import json
from uuid import UUID

from qm_cli.render.labelling_labelbox import as_labelbox, as_labelbox_predictions
from tests.render.chosen_images import chosen


def test_data_rows() -> None:
    assert as_labelbox(chosen()) == [
        {"row_data": "https://b/a/%C3%BC%201.jpg", "global_key": "a/ü 1.jpg", "external_id": "3"},
        {"row_data": "https://b/b.png", "global_key": "b.png", "external_id": "2"},
    ]


def test_predictions() -> None:
    text = as_labelbox_predictions(chosen())
    box, whole = (json.loads(line) for line in text.splitlines())
    assert UUID(box["uuid"]) != UUID(whole["uuid"])
    assert box["dataRow"] == {"globalKey": "a/ü 1.jpg"}
    assert (box["name"], box["confidence"]) == ("cat", 0.8)
    assert box["bbox"] == {"left": 10, "top": 0, "width": 40, "height": 20}
    assert (whole["name"], whole["answer"]) == ("category", {"name": "dog <&>"})
    assert text == as_labelbox_predictions(chosen())
