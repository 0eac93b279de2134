"""Chosen images → a COCO label file of these images alone, with what is labelled in them."""

from __future__ import annotations

from typing import Any

AS_THEY_ARE = ("bbox", "area", "segmentation", "keypoints", "num_keypoints", "polyline", "point")


def as_coco(chosen: dict[str, Any]) -> dict[str, Any]:
    """images, annotations and categories; ids as in the input, fields that are not known left out.

    A mask is its polygon where the label file had one, else its run lengths; a rotated box the polygon of its corners.
    """
    images, annotations = [], []
    for image in chosen["images"]:
        facts = {name: image.get(name) for name in ("id", "file_name", "width", "height")}
        images.append({name: _whole(value) for name, value in facts.items() if value is not None})
        for label in image["labels"]:
            links = {"id": label["id"], "image_id": image["id"], "category_id": label["category"]["id"]}
            own = {name: label[name] for name in AS_THEY_ARE if label.get(name) is not None}
            crowd = {"iscrowd": int(label.get("iscrowd") or 0)}
            annotations.append({**links, **own, **_outline(label), **crowd})
    return {"images": images, "annotations": annotations, "categories": chosen["categories"]}


def _outline(label: dict[str, Any]) -> dict[str, Any]:
    if label.get("segmentation") is not None:
        return {}
    if label.get("mask_counts") is not None:
        return {"segmentation": {"size": [int(side) for side in label["mask_size"]], "counts": label["mask_counts"]}}
    return {} if label.get("corners") is None else {"segmentation": [label["corners"]]}


def _whole(value: Any) -> Any:
    """Pixels as whole numbers, which readers of COCO files expect."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
