"""Chosen images → a COCO label file of these images alone, with what is labelled in them."""

from __future__ import annotations

from typing import Any


def as_coco(chosen: dict[str, Any]) -> dict[str, Any]:
    """images, annotations and categories; ids as in the input, fields that are not known left out."""
    images, annotations = [], []
    for image in chosen["images"]:
        facts = {name: image.get(name) for name in ("id", "file_name", "width", "height")}
        images.append({name: _whole(value) for name, value in facts.items() if value is not None})
        for label in image["labels"]:
            own = {name: label.get(name) for name in ("bbox", "area", "segmentation")}
            links = {"id": label["id"], "image_id": image["id"], "category_id": label["category"]["id"]}
            crowd = {"iscrowd": int(label.get("iscrowd") or 0)}
            annotations.append({**links, **{name: value for name, value in own.items() if value is not None}, **crowd})
    return {"images": images, "annotations": annotations, "categories": chosen["categories"]}


def _whole(value: Any) -> Any:
    """Pixels as whole numbers, which readers of COCO files expect."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
