"""Chosen images → Labelbox: the data rows of a dataset, and predictions to import beside them."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from qm_cli.kernels.mask_codes import as_png, in_place

QUESTION = "category"
ROW_ID = re.compile("c[a-z0-9]{24}")
"""What Labelbox's own ids of data rows look like."""


def as_labelbox(chosen: dict[str, Any]) -> list[dict[str, Any]]:
    """A list of data rows for dataset.create_data_rows; the file name is the global key, the id without one."""
    return [
        {"row_data": image["url"], "global_key": _key(image), "external_id": str(image["id"])}
        for image in chosen["images"]
    ]


def as_labelbox_predictions(chosen: dict[str, Any]) -> Iterator[str]:
    """NDJSON for a pre-label import: an object per prediction, named as the category; rows by global key.

    Boxes, masks, polygons (of rotated boxes too), lines and points; keypoints of an object, which it has no shape for,
    are its box. A class of a whole image is the answer to its question, the radio question `category` where none is
    named; a checklist is one line. The global key is the file name; without one the image's id, which is taken for
    Labelbox's own if it looks like one. The same input gives the same uuids.
    """
    for image in chosen["images"]:
        place = {"globalKey": _key(image)}
        if not image.get("file_name") and ROW_ID.fullmatch(_key(image)):
            place = {"id": _key(image)}
        for one in image["predictions"]:
            for number, shape in enumerate(one["shapes"]):
                part = f":{number}" if number else ""
                key = f"qm:{chosen['model']}:{_key(image)}:{one['id']}{part}"
                row = {"uuid": str(uuid5(NAMESPACE_URL, key)), "dataRow": place}
                said = _answer(one) if shape["kind"] == "whole" else _object(one, shape)
                if said:
                    yield json.dumps({**row, **said}, ensure_ascii=False) + "\n"


def _key(image: dict[str, Any]) -> str:
    return image.get("file_name") or str(image["id"])


def _answer(one: dict[str, Any]) -> dict[str, Any]:
    """Nothing for an answer that stands with the first of its checklist."""
    question = one.get("question") or QUESTION
    if not one.get("several"):
        return {"name": question, "answer": {"name": one["category"]["name"]}, "confidence": one["score"]}
    answers = [{"name": each["category"]["name"], "confidence": each["score"]} for each in one["answers"]]
    return {"name": question, "answer": answers} if answers else {}


def _object(one: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    return {"name": one["category"]["name"], **_drawn(shape), "confidence": one["score"]}


def _drawn(shape: dict[str, Any]) -> dict[str, Any]:
    kind = shape["kind"]
    if kind == "mask":
        mask = in_place(shape["mask"], shape["window"], shape["whole"])
        return {"mask": {"png": b64encode(as_png(mask)).decode()}}
    if kind in ("box", "keypoints"):
        left, top, width, height = shape["bbox"]
        return {"bbox": {"left": left, "top": top, "width": width, "height": height}}
    points = [{"x": x, "y": y} for x, y in shape["points"]]
    if kind == "point":
        return {"point": points[0]}
    return {"line" if kind == "line" else "polygon": points}
