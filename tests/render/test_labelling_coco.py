from __future__ import annotations

from qm_cli.render.labelling_coco import as_coco
from tests.render.chosen_images import chosen


def test_fields() -> None:
    document = as_coco(chosen())
    assert document["images"] == [
        {"id": 3, "file_name": "a/ü 1.jpg", "width": 100, "height": 50},
        {"id": 2, "file_name": "b.png", "width": 64, "height": 32},
    ]
    facts = {"id": 9, "image_id": 3, "category_id": 7, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 1}
    assert document["annotations"] == [facts]
    assert document["categories"] == [{"id": 1, "name": "cat"}, {"id": 7, "name": "dog <&>"}]
