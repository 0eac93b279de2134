"""Small label and prediction files, written for real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qm_cli.load import load_tables
from qm_cli.tables import Tables

Row = dict[str, Any]


def image(identifier: Any = 1, **more: Any) -> Row:
    return {"id": identifier, "file_name": f"{identifier}.jpg", "width": 100, "height": 80, **more}


def label(identifier: Any = 1, **more: Any) -> Row:
    row = {"id": identifier, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0}
    return {**row, **more}


def prediction(**more: Any) -> Row:
    return {"image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "score": 0.9, **more}


def without(row: Row, *keys: str) -> Row:
    return {key: value for key, value in row.items() if key not in keys}


def document(
    images: list[Row] | None = None, labels: list[Row] | None = None, categories: list[Row] | None = None
) -> Row:
    return {
        "images": [image(1), image(2)] if images is None else images,
        "categories": [{"id": 1, "name": "cat"}, {"id": 7, "name": "dog"}] if categories is None else categories,
        "annotations": [label(1), label(2, image_id=2)] if labels is None else labels,
    }


def write(path: Path, content: Any) -> Path:
    """Text and bytes as they are, everything else as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def tables(folder: Path, labels: Row | None = None, predictions: Any = None, **options: Any) -> Tables:
    label_file = write(folder / "labels.json", document() if labels is None else labels)
    prediction_file = None if predictions is None else write(folder / "predictions.json", predictions)
    return load_tables(label_file, prediction_file, **{"shapes": True, **options})


def codes(loaded: Tables) -> dict[str, int]:
    return {found.code: found.count for found in loaded.findings}
