"""A small run folder made by hand, for tests of the commands that read one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from qm_cli.settings import Settings

IDS = [10, 9, 2, 100, 7, 1]
FILES = ["a.jpg", "b.jpg", "c, d.jpg", "e.jpg", "f.jpg", "g.jpg"]
ENTROPY = [0.5, 0.9, 0.5, None, 0.1, 0.5]
BY_ENTROPY = [9, 1, 2, 10, 7, 100]
"""Ids with the highest entropy first, ties by id, the one without last."""


def noted(table: pa.Table, **better: str) -> pa.Table:
    """The table with the better end of some columns in their notes."""
    fields = [
        field.with_metadata({"better": better[field.name], "metric": f"any.{field.name}"})
        if field.name in better
        else field
        for field in table.schema
    ]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields))


def image_table() -> pa.Table:
    """Six images, the ids neither sorted nor in the order of the values."""
    table = pa.table(
        {
            "id": IDS,
            "file_name": FILES,
            "weather": ["fog", "sun", "fog", "sun", "fog", None],
            "entropy": ENTROPY,
            "margin": [0.3, 0.2, 0.2, None, 0.2, 0.4],
            "brightness": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
            "object_count": [2, 1, 0, 0, 0, 1],
            "odd": [float("nan"), 1.0, float("inf"), 2.0, 3.0, 4.0],
        }
    )
    return noted(table, entropy="lower", margin="higher", brightness="neither", object_count="neither")


def label_table() -> pa.Table:
    """Labels of the images in rows 0, 1 and 5."""
    rows = {"id": [1, 2, 3, 4], "image_row": pa.array([0, 0, 1, 5], pa.int32()), "category": ["cat", "dog"] * 2}
    return pa.table({**rows, "category_row": pa.array([0, 1, 0, 1], pa.int32()), "area": [4.0, 3.0, 2.0, 1.0]})


def prediction_table() -> pa.Table:
    """Predictions with score and outcome."""
    rows = {
        "id": [0, 1, 2, 3, 4],
        "image_row": pa.array([0, 0, 1, 4, 5], pa.int32()),
        "score": [0.9, 0.2, 0.8, 0.7, 0.8],
    }
    links = {"category_row": pa.array([0, 1, 0, 1, 1], pa.int32()), "category": ["cat", "dog", "cat", "dog", "dog"]}
    boxes = pa.array([[0.0, 0.0, 2.0, 2.0]] * 5, pa.list_(pa.float64(), 4))
    return pa.table({**rows, **links, "bbox": boxes, "outcome": ["TP", "FP", "FP", "FP", "TP"]})


def report(**metrics: float | None) -> dict[str, Any]:
    """An evaluation report with these metrics."""
    category = {"labels": 2, "predictions": 2, "AP": 0.5, "AP50": 0.5, "precision": 0.5, "true_positives": 1}
    return {
        "task": "bbox",
        "convention": "coco",
        "iou": 0.5,
        "confidence": 0.5,
        "images": 6,
        "labels": 4,
        "crowd": 0,
        "predictions": 5,
        "metrics": {"AP": 0.4, "AP50": 0.6, "precision": 0.75, "recall": 0.5, "APs": None, "false_positives": 3}
        | metrics,
        "categories": [
            {"id": 1, "name": "cat", **category, "recall": 1.0},
            {"id": 2, "name": "dog", **category, "recall": None},
        ],
        "findings": [],
        "notes": [],
    }


def lost(code: str = "prediction-unknown-image", count: int = 3) -> dict[str, Any]:
    """A finding of rows that were dropped."""
    facts = {
        "severity": "error",
        "meaning": "prediction for an image that is not in the labels",
        "hint": "",
        "detail": "",
    }
    return {"code": code, "count": count, "examples": ["77"], **facts, "dropped": True}


def write_run(
    folder: Path, models: tuple[str, ...] = ("better",), findings: list[dict[str, Any]] | None = None
) -> Path:
    """A run of one model, or of several with the model's columns in subfolders."""
    folder.mkdir(parents=True, exist_ok=True)
    own = ["entropy", "margin", "odd"]
    several = len(models) > 1
    image = image_table()
    pq.write_table(image.drop_columns(own) if several else image, folder / "image.parquet", row_group_size=2)
    pq.write_table(label_table(), folder / "label.parquet")
    pq.write_table(pa.table({"id": [1, 2], "name": ["cat", "dog"]}), folder / "category.parquet")
    for model in models:
        place = folder / model if several else folder
        place.mkdir(exist_ok=True)
        pq.write_table(prediction_table(), place / "prediction.parquet")
        if several:
            pq.write_table(image.select(own), place / "image.parquet", row_group_size=4)
    reports = {
        name: report(precision=0.75 - place / 4) | {"findings": findings or []} for place, name in enumerate(models)
    }
    settings = Settings().as_dict()
    manifest = {"schema_version": 1, "models": list(models), "settings": settings, "findings": findings or []}
    (folder / "run.json").write_text(json.dumps(manifest))
    summary = {"models": reports, "findings": findings or [], "skipped": [], "notes": []}
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder
