"""Chosen images → Labelbox: the data rows of a dataset, and predictions to import beside them."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from qm_cli.kernels.mask_codes import as_png, in_place

QUESTION = "category"


def as_labelbox(chosen: dict[str, Any]) -> list[dict[str, Any]]:
    """A list of data rows for dataset.create_data_rows; the file name is the global key."""
    return [
        {"row_data": image["url"], "global_key": image["file_name"], "external_id": str(image["id"])}
        for image in chosen["images"]
    ]


def as_labelbox_predictions(chosen: dict[str, Any]) -> str:
    """NDJSON for a pre-label import: an object per prediction, named as the category; rows by global key.

    Boxes, masks, polygons (of rotated boxes too), lines and points; keypoints of an object, which it has no shape for,
    are its box. A class of a whole image is the answer to a radio question `category`. The same input gives the same
    uuids.
    """
    lines = []
    for image in chosen["images"]:
        for one in image["predictions"]:
            for number, shape in enumerate(one["shapes"]):
                part = f":{number}" if number else ""
                key = f"qm:{chosen['model']}:{image['file_name']}:{one['id']}{part}"
                row = {"uuid": str(uuid5(NAMESPACE_URL, key)), "dataRow": {"globalKey": image["file_name"]}}
                lines.append({**row, **_answer(one["category"]["name"], shape), "confidence": one["score"]})
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _answer(name: str, shape: dict[str, Any]) -> dict[str, Any]:
    kind = shape["kind"]
    if kind == "whole":
        return {"name": QUESTION, "answer": {"name": name}}
    if kind == "mask":
        mask = in_place(shape["mask"], shape["window"], shape["whole"])
        return {"name": name, "mask": {"png": b64encode(as_png(mask)).decode()}}
    if kind in ("box", "keypoints"):
        left, top, width, height = shape["bbox"]
        return {"name": name, "bbox": {"left": left, "top": top, "width": width, "height": height}}
    points = [{"x": x, "y": y} for x, y in shape["points"]]
    if kind == "point":
        return {"name": name, "point": points[0]}
    return {"name": name, "line" if kind == "line" else "polygon": points}
