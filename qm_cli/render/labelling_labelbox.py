"""Chosen images → Labelbox: the data rows of a dataset, and predictions to import beside them."""

from __future__ import annotations

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

QUESTION = "category"


def as_labelbox(chosen: dict[str, Any]) -> list[dict[str, Any]]:
    """A list of data rows for dataset.create_data_rows; the file name is the global key."""
    return [
        {"row_data": image["url"], "global_key": image["file_name"], "external_id": str(image["id"])}
        for image in chosen["images"]
    ]


def as_labelbox_predictions(chosen: dict[str, Any]) -> str:
    """NDJSON for a pre-label import: a bounding box per prediction, named as the category; rows by global key.

    A class of a whole image is the answer to a radio question `category`. The same input gives the same uuids.
    """
    lines = []
    for image in chosen["images"]:
        for one in image["predictions"]:
            key = f"qm:{chosen['model']}:{image['file_name']}:{one['id']}"
            row = {"uuid": str(uuid5(NAMESPACE_URL, key)), "dataRow": {"globalKey": image["file_name"]}}
            lines.append({**row, **_answer(one), "confidence": one["score"]})
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _answer(one: dict[str, Any]) -> dict[str, Any]:
    name = one["category"]["name"]
    if one["bbox"] is None:
        return {"name": QUESTION, "answer": {"name": name}}
    left, top, width, height = one["bbox"]
    return {"name": name, "bbox": {"left": left, "top": top, "width": width, "height": height}}
