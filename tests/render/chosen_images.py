"""A batch as the writers of import files get it."""

from __future__ import annotations

from typing import Any

CAT, DOG = {"id": 1, "name": "cat"}, {"id": 7, "name": "dog <&>"}

INSIDE = {"kind": "box", "bbox": [10.0, 0.0, 40.0, 20.0]}


def chosen() -> dict[str, Any]:
    box = {"id": 4, "category": CAT, "bbox": [10.0, -5.0, 40.0, 25.0], "score": 0.8, "shapes": [INSIDE]}
    whole = {"id": 5, "category": DOG, "bbox": None, "score": 0.6, "shapes": [{"kind": "whole"}]}
    label = {"id": 9, "category": DOG, "bbox": [1.0, 2.0, 3.0, 4.0], "area": 12.0, "iscrowd": True}
    first = {"id": 3, "file_name": "a/ü 1.jpg", "width": 100.0, "height": 50.0, "url": "https://b/a/%C3%BC%201.jpg"}
    second = {"id": 2, "file_name": "b.png", "width": 64.0, "height": 32.0, "url": "https://b/b.png"}
    images = [{**first, "labels": [label], "predictions": [box, whole]}, {**second, "labels": [], "predictions": []}]
    return {"images": images, "categories": [CAT, DOG], "model": "best"}


def with_answers(batch: dict[str, Any]) -> dict[str, Any]:
    """The first image with the answer to a question, and two to a checklist, instead of its predictions."""
    one = {"bbox": None, "shapes": [{"kind": "whole"}]}
    single = {**one, "id": 1, "category": DOG, "score": 0.6, "question": "sky", "several": False}
    first, second = (
        {**one, "id": number, "category": category, "score": score, "question": "things", "several": True}
        for number, category, score in ((2, CAT, 0.8), (3, DOG, 0.5))
    )
    first["answers"], second["answers"] = [first, second], []
    batch["images"][0]["predictions"] = [single, first, second]
    return batch
