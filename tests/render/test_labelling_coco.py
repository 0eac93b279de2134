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


def test_masks_are_run_lengths_and_rotated_boxes_polygons() -> None:
    batch = chosen()
    label = {"id": 1, "category": {"id": 1}, "bbox": None, "segmentation": None}
    corners = [0.0, 0.0, 4.0, 0.0, 4.0, 2.0, 0.0, 2.0]
    batch["images"][0]["labels"] = [
        {**label, "mask_counts": "61X13mN", "mask_size": [50.0, 100.0]},
        {**label, "corners": corners},
        {**label, "keypoints": [1.0, 2.0, 2.0], "num_keypoints": 1},
    ]
    mask, turned, posed = as_coco(batch)["annotations"]
    assert mask["segmentation"] == {"size": [50, 100], "counts": "61X13mN"}
    assert turned["segmentation"] == [corners]
    assert (posed["keypoints"], posed["num_keypoints"], "segmentation" in posed) == ([1, 2, 2], 1, False)
