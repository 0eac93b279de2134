"""Chosen images → Label Studio tasks, the model's predictions as pre-annotations."""

from __future__ import annotations

from typing import Any

BOX_TAG, CLASS_TAG, IMAGE_TAG = "label", "class", "image"


def as_label_studio(chosen: dict[str, Any]) -> list[dict[str, Any]]:
    """A list of tasks in the basic JSON format, in the order they are to be labelled.

    For a labelling configuration with <Image name="image" value="$image"/> and <RectangleLabels name="label"
    toName="image"/>; classes of whole images go to <Choices name="class" toName="image"/>.
    """
    tasks = []
    for image in chosen["images"]:
        data = {"image": image["url"], "id": image["id"], "file_name": image["file_name"]}
        results = [_result(one, image) for one in image["predictions"] if _placed(one, image)]
        task: dict[str, Any] = {"data": data}
        if results:
            score = min(one["score"] for one in results)
            task["predictions"] = [{"model_version": chosen["model"], "score": score, "result": results}]
        tasks.append(task)
    return tasks


def _placed(one: dict[str, Any], image: dict[str, Any]) -> bool:
    """Boxes are written in percent of the image, so its size must be known."""
    return one["bbox"] is None or bool(image.get("width") and image.get("height"))


def _result(one: dict[str, Any], image: dict[str, Any]) -> dict[str, Any]:
    name = one["category"]["name"]
    facts = {"id": f"{image['id']}-{one['id']}", "to_name": IMAGE_TAG, "score": one["score"]}
    if one["bbox"] is None:
        return {**facts, "from_name": CLASS_TAG, "type": "choices", "value": {"choices": [name]}}
    width, height = float(image["width"]), float(image["height"])
    x0, y0 = max(one["bbox"][0], 0.0), max(one["bbox"][1], 0.0)
    x1, y1 = min(one["bbox"][0] + one["bbox"][2], width), min(one["bbox"][1] + one["bbox"][3], height)
    place = {"x": 100 * x0 / width, "y": 100 * y0 / height}
    size = {"width": 100 * max(x1 - x0, 0.0) / width, "height": 100 * max(y1 - y0, 0.0) / height}
    shape = {"from_name": BOX_TAG, "type": "rectanglelabels", "image_rotation": 0}
    known = {"original_width": int(width), "original_height": int(height)}
    return {**facts, **shape, **known, "value": {**place, **size, "rotation": 0, "rectanglelabels": [name]}}
