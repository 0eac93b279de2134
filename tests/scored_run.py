"""A run folder with enough rows to analyse: what is small is missed, what is in fog is wrong, the rest is chance."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from qm_cli.settings import Settings
from tests.made_run import noted, report

WEATHER = ("clear", "fog", None)


def write_scored(folder: Path, images: int = 150, seed: int = 0, random: bool = False, models: int = 1) -> Path:
    """Images with 1–5 labels and as many predictions; the outcome of labels hangs on `size`, of predictions on fog."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    per_image = rng.integers(1, 6, images)
    image_row = np.repeat(np.arange(images), per_image)
    count = len(image_row)
    weather = rng.choice([0, 0, 0, 1, 1, 2], images)
    size = rng.random(count)
    found = rng.random(count) < np.clip(1.6 * size, 0.05, 0.97)
    right = rng.random(count) < np.where(weather[image_row] == 1, 0.35, 0.9)
    image = {
        "id": np.arange(images) + 7,
        "file_name": [f"{row}.jpg" for row in range(images)],
        "width": np.full(images, 640.0),
        "weather": [WEATHER[one] for one in weather],
        "video_id": np.arange(images) // 5,
        "brightness": np.where(np.arange(images) == 3, 9.0, rng.random(images)),
        "blur": np.where(np.arange(images) == 3, 5.0, rng.random(images)),
        "near_duplicate_group": np.arange(images),
        "true_positives": np.bincount(image_row[right], minlength=images),
        "false_positives": np.bincount(image_row[~right], minlength=images),
        "false_negatives": np.zeros(images, np.int64),
    }
    if random:
        image["random"] = np.linspace(0, 1, images)
    category = rng.integers(0, 2, count).astype(np.int32)
    links = {
        "id": np.arange(count),
        "image_row": image_row.astype(np.int32),
        "category_row": category,
        "image_id": image_row + 7,
        "category": [("cat", "dog")[one] for one in category],
    }
    label = {
        **links,
        "iscrowd": np.zeros(count, bool),
        "size": size,
        "outcome": np.where(found, "TP", "FN"),
        "empty": [None] * (count - 1) + [1.0],
    }
    prediction = {
        **links,
        "score": rng.random(count),
        "size": size,
        "iou": np.where(right, 0.8, 0.1),
        "outcome": np.where(right, "TP", "FP").astype(object),
    }
    prediction["outcome"][-1] = None
    better = {"brightness": "neither", "blur": "lower", "size": "neither", "iou": "higher", "random": "neither"}
    tables = {"image": image, "label": label, "prediction": prediction}
    for name, columns in tables.items():
        table = pa.table({key: pa.array(values) for key, values in columns.items()})
        pq.write_table(
            noted(table, **{key: end for key, end in better.items() if key in columns}), folder / f"{name}.parquet"
        )
    pq.write_table(pa.table({"id": [1, 2], "name": ["cat", "dog"]}), folder / "category.parquet")
    names = ["one", "two"][:models]
    if models > 1:
        for name in names:
            (folder / name).mkdir(exist_ok=True)
            shutil.copy(folder / "prediction.parquet", folder / name)
        (folder / "prediction.parquet").unlink()
    manifest = {"schema_version": 1, "models": names, "settings": Settings().as_dict(), "findings": [], "seed": 3}
    (folder / "run.json").write_text(json.dumps(manifest))
    summary = {"models": dict.fromkeys(names, report()), "findings": [], "skipped": [], "notes": []}
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder
