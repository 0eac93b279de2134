"""Make this folder's dataset anew: `python sample_data/make.py`. Same library versions, same bytes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from labels import CATEGORIES, Fault, Label, label_photos
from photos import Photo, develop, plan
from predictions import BETTER, FOG, WORSE, Prediction, predict
from recording import record

SEED = 20240607
HERE = Path(__file__).resolve().parent
PLAN, PIXELS, LABELS, BETTER_STREAM, WORSE_STREAM, RECORDING = range(6)  # random streams


def stream(*numbers: int) -> np.random.Generator:
    """An independent random stream."""
    return np.random.default_rng([SEED, *numbers])


def fault(
    name: str, level: str, ids: Iterable[int | str], metric: str | None = None, end: str | None = None, **extra: Any
) -> Fault:
    """One entry of planted.json."""
    return {"fault": name, "level": level, "metric": metric, "end": end, "ids": list(ids), **extra}


def image_faults(photos: list[Photo]) -> list[Fault]:
    """What is wrong with whole images."""

    def ids(kind: str) -> list[int]:
        return [photo.id for photo in photos if photo.kind == kind]

    def groups(kind: str) -> list[list[int]]:
        copies = [photo for photo in photos if photo.kind == kind and photo.source]
        sources = sorted({photo.source.id for photo in copies if photo.source})
        return [
            [source, *(photo.id for photo in copies if photo.source and photo.source.id == source)]
            for source in sources
        ]

    return [
        fault("exact_duplicate", "image", ids("exact"), groups=groups("exact"), column="image.duplicate_group"),
        fault(
            "near_duplicate", "image", ids("near"), groups=groups("near"), column="image.near_duplicate_group", radius=4
        ),
        fault("dark", "image", ids("dark"), "image.brightness", "low"),
        fault("blurred", "image", ids("blurred"), "image.sharpness", "low"),
        fault("blank", "image", ids("blank"), "image.information", "low"),
        fault("tiny", "image", ids("tiny"), "image.area", "low"),
    ]


def label_faults(faulty: dict[str, list[Label]], photos: list[Photo], rows: list[Prediction]) -> list[Fault]:
    """What is wrong with labels; `rows` are the better model's, whose row numbers point at the evidence."""
    row_of = {id(row.planted_for): i for i, row in enumerate(rows) if row.planted_for}
    sure = {
        kind: [(photo, photo.certain[0]) for photo in photos if photo.fault == kind]
        for kind in ("wrong_category", "missing_label", "shifted_box")
    }
    evidence = {kind: [row_of[id(thing)] for _, thing in pairs] for kind, pairs in sure.items()}

    def ids(kind: str) -> list[int]:
        return [label.id for label in faulty[kind]]

    return [
        fault(
            "wrong_category",
            "label",
            ids("wrong_category"),
            "label.swapped",
            "low",
            model="better",
            true_category_ids=[CATEGORIES[thing.category] for _, thing in sure["wrong_category"]],
            prediction_rows=evidence["wrong_category"],
        ),
        fault(
            "missing_label",
            "prediction",
            evidence["missing_label"],
            "prediction.overlooked",
            "low",
            model="better",
            note="ids are row numbers, from 0, of predictions/better.json",
            image_ids=[photo.id for photo, _ in sure["missing_label"]],
            boxes=[list(thing.box) for _, thing in sure["missing_label"]],
            category_ids=[CATEGORIES[thing.category] for _, thing in sure["missing_label"]],
        ),
        fault(
            "shifted_box",
            "label",
            ids("shifted_box"),
            "label.badly_located",
            "low",
            model="better",
            true_boxes=[list(thing.box) for _, thing in sure["shifted_box"]],
            prediction_rows=evidence["shifted_box"],
        ),
        fault(
            "duplicate_label",
            "label",
            ids("duplicate_label"),
            "label.duplicate_iou",
            "high",
            note="ids are originals and copies, in pairs",
            copies=ids("duplicate_label")[1::2],
        ),
        fault(
            "box_outside",
            "label",
            ids("partly_outside") + ids("wholly_outside"),
            "label.border_closeness",
            "high",
            partly=ids("partly_outside"),
            wholly=ids("wholly_outside"),
        ),
    ]


def model_faults(photos: list[Photo]) -> list[Fault]:
    """What is wrong with the models."""
    return [
        fault(
            "confusion",
            "category",
            [CATEGORIES["van"], CATEGORIES["car"]],
            true=CATEGORIES["van"],
            predicted=CATEGORIES["car"],
            models=["better", "worse"],
            note="largest cell between two categories at IoU .5, confidence .5; much larger in worse",
        ),
        fault(
            "small_missed",
            "model",
            ["better", "worse"],
            driver="label.area_relative",
            driver_end="low",
            note="of all but size metrics none comes near it in telling whether a label is found",
        ),
        fault(
            "weak_slice",
            "model",
            ["better", "worse"],
            slice={"weather": FOG},
            image_ids=[photo.id for photo in photos if photo.weather == FOG],
            note="lower recall and lower precision than elsewhere",
        ),
        fault("worse_model", "model", ["worse"], reference="better", note="lower AP; paired by image"),
    ]


def image_record(photo: Photo) -> dict[str, Any]:
    """The COCO image entry."""
    return {
        "id": photo.id,
        "file_name": photo.file_name,
        "width": photo.size[0],
        "height": photo.size[1],
        "weather": photo.weather,
        "site": photo.site,
        "split": photo.split,
    }


def rows_as_json(rows: Iterable[dict[str, Any]]) -> str:
    """A JSON list with one row a line."""
    return "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]"


def write(path: Path, text: str) -> None:
    """Write a text file with Unix line ends, ending in one."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode() + b"\n")


def write_labels(path: Path, images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> None:
    """Write a COCO label file."""
    categories = [{"id": number, "name": name, "supercategory": "toy"} for name, number in CATEGORIES.items()]
    parts = {"images": images, "categories": categories, "annotations": annotations}
    write(path, "{" + ",\n".join(f'"{key}": {rows_as_json(rows)}' for key, rows in parts.items()) + "}")


def write_planted(path: Path, faults: list[Fault]) -> None:
    """Write the record of what was planted."""
    write(path, f'{{"seed": {SEED}, "faults": {rows_as_json(faults)}}}')


def emptied(folder: Path) -> Path:
    """The folder, without what was in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def make_recording() -> None:
    """The recording: a dataset of its own."""
    here = HERE / "recording"
    parts, faults = record(lambda *numbers: stream(RECORDING, *numbers), emptied(here / "images"))
    write_labels(here / "labels.json", parts["images"], parts["annotations"])
    write_planted(here / "planted.json", faults)


def main() -> None:
    """Make images, labels, predictions and the record of what was planted."""
    photos = plan(stream(PLAN))
    images = emptied(HERE / "images")
    for photo in photos:
        develop(stream(PIXELS, photo.id), photo, images)
    labels, faulty = label_photos(stream(LABELS), photos)
    write_labels(HERE / "labels.json", [image_record(photo) for photo in photos], [label.record() for label in labels])
    better = predict(stream(BETTER_STREAM), BETTER, photos, labels)
    worse = predict(stream(WORSE_STREAM), WORSE, photos, labels)
    for name, rows in (("better", better), ("worse", worse)):
        write(HERE / "predictions" / f"{name}.json", rows_as_json(row.record() for row in rows))
    faults = image_faults(photos) + label_faults(faulty, photos, better) + model_faults(photos)
    write_planted(HERE / "planted.json", faults)
    make_recording()


if __name__ == "__main__":
    main()
