"""Small folders of real image files with labels, and what runs over them give."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from PIL import Image

from qm_cli.run_folder import Run

DETERMINES = ("image", "label")


def photo_set(folder: Path, count: int, side: int = 48) -> Path:
    """A dataset folder of `count` images of noise, with one labelled box each."""
    (folder / "images").mkdir(parents=True)
    random = np.random.default_rng(count)
    for number in range(count):
        add_photo(folder, number, random, side)
    write_labels(folder, count, side)
    return folder


def add_photo(folder: Path, number: int, random: np.random.Generator, side: int = 48) -> None:
    pixels = random.integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "images" / f"{number:04}.png")


def write_labels(folder: Path, count: int, side: int = 48) -> None:
    numbers = range(count)
    box = {"category_id": 1, "bbox": [4, 4, 20, 30], "area": 600, "iscrowd": 0}
    labels = {
        "images": [{"id": n, "file_name": f"{n:04}.png", "width": side, "height": side} for n in numbers],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [{"id": n, "image_id": n, **box} for n in numbers],
    }
    (folder / "labels.json").write_text(json.dumps(labels))


def fingerprints(run: Run | Path) -> dict[str, str]:
    """SHA-256 of each Parquet file of a run."""
    folder = run if isinstance(run, Path) else run.path
    files = sorted(folder.rglob("*.parquet"))
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
