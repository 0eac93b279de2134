"""Batches as the writers of import files get them, one for each kind of shape, and what a tool should read of them."""

from __future__ import annotations

import json
import math
import random
from typing import Any

from qm_cli.labelling_shapes import drawn
from qm_cli.render.as_json import as_json, as_json_list
from qm_cli.render.labelling_coco import as_coco
from qm_cli.render.labelling_cvat import as_cvat
from qm_cli.render.labelling_label_studio import as_label_studio
from qm_cli.render.labelling_labelbox import as_labelbox, as_labelbox_predictions

CATEGORIES = [{"id": 1, "name": "cat"}, {"id": 7, "name": 'dog <&> "é"'}, {"id": 9, "name": "a, b"}]
KINDS = ("box", "mask", "keypoints", "rotated", "line", "point", "whole")
FORMATS = ("coco", "cvat", "label-studio", "labelbox", "labelbox-predictions")
NAMES = ("a/ü 1.png", "b.png", "c d/e&f.png", "empty.png")
SIZES = ((40, 30), (64, 17), (33, 51), (20, 20))


def case(kind: str) -> dict[str, Any]:
    """Four images, the last without objects; boxes at fractions of a pixel, some across the border or outside."""
    dice = random.Random(KINDS.index(kind))
    images: list[dict[str, Any]] = []
    for place, (name, (width, height)) in enumerate(zip(NAMES, SIZES, strict=True)):
        count = 0 if name == "empty.png" else 1 if kind == "whole" else 4
        own = [_object(dice, kind, width, height, place * 10 + n) for n in range(count)]
        labels = [
            {key: value for key, value in one.items() if key != "score"}
            | {"id": 100 + one["id"], "area": 12.5, "iscrowd": kind == "mask" and one["id"] % 4 == 0}
            for one in own
        ]
        url = "https://bucket/" + name.replace(" ", "%20").replace("ü", "%C3%BC").replace("&", "%26")
        facts = {"id": 50 - place, "file_name": name, "width": float(width), "height": float(height), "url": url}
        images.append({**facts, "labels": labels, "predictions": own})
    return {"images": images, "categories": CATEGORIES, "model": "model"}


def _object(dice: random.Random, kind: str, width: int, height: int, number: int) -> dict[str, Any]:
    one: dict[str, Any] = {"id": number, "category": dice.choice(CATEGORIES), "score": round(dice.random(), 6)}
    if kind == "whole":
        return {**one, "bbox": None}
    x, y = dice.uniform(-4, width - 6), dice.uniform(-4, height - 6)
    box = [x, y, dice.uniform(5, width), dice.uniform(5, height)]
    if kind == "box":
        return {**one, "bbox": [float(width), 0.0, 3.0, 3.0] if number % 10 == 3 else box}
    middle = [dice.uniform(8, width - 8), dice.uniform(8, height - 8)]
    points = [[dice.uniform(0, width), dice.uniform(0, height)] for _ in range(4)]
    if kind == "mask":
        runs = _column_runs(dice, width * height)
        return {**one, "bbox": box, "mask_counts": _compressed(runs), "mask_size": [float(height), float(width)]}
    if kind == "keypoints":
        flat = [value for point in points for value in (*point, float(dice.choice([1, 2])))]
        return {**one, "bbox": _around(points), "keypoints": flat, "num_keypoints": 4}
    if kind == "rotated":
        turn, across, down = dice.uniform(0, math.pi), dice.uniform(2, 8), dice.uniform(2, 8)
        corners = _corners(middle, across, down, turn)
        if number % 10 == 2:
            corners[2] = [corners[2][0] + 2, corners[2][1] + 1]
        return {**one, "bbox": _around(corners), "corners": [value for point in corners for value in point]}
    if kind == "line":
        parts = [points[:3], points[2:]] if number % 10 == 1 else [points]
        return {**one, "bbox": _around(points), "polyline": [[v for point in part for v in point] for part in parts]}
    return {**one, "bbox": [middle[0], middle[1], 1.0, 1.0], "point": middle}


def _corners(middle: list[float], across: float, down: float, turn: float) -> list[list[float]]:
    """The corners of a box turned clockwise about its centre, the first that of its own top left."""
    cosine, sine = math.cos(turn), math.sin(turn)
    places = [(-across / 2, -down / 2), (across / 2, -down / 2), (across / 2, down / 2), (-across / 2, down / 2)]
    return [[middle[0] + x * cosine - y * sine, middle[1] + x * sine + y * cosine] for x, y in places]


def _around(points: list[list[float]]) -> list[float]:
    (left, top), (right, bottom) = (tuple(end(p[axis] for p in points) for axis in (0, 1)) for end in (min, max))
    return [left, top, right - left, bottom - top]


def _column_runs(dice: random.Random, pixels: int) -> list[int]:
    """Lengths of background and object in turn, column by column."""
    runs = [0] if dice.random() < 0.3 else []
    while sum(runs) < pixels:
        runs.append(min(dice.choice([1, 2, 7, 30, 200]), pixels - sum(runs)))
    return runs


def _compressed(runs: list[int]) -> str:
    """COCO's text of run lengths: groups of five bits, lowest first, as differences from the third run on."""
    text = ""
    for place, run in enumerate(runs):
        value = run - runs[place - 2] if place > 2 else run
        more = True
        while more:
            low = value & 31
            value >>= 5
            more = value != (-1 if low & 16 else 0)
            text += chr(low + 32 * more + 48)
    return text


def pixels_of(one: dict[str, Any]) -> list[int]:
    """Lengths of background and object in turn, row by row, of a prediction's mask; a loop over its pixels."""
    height, width = (int(side) for side in one["mask_size"])
    flat, runs, text = [], [], one["mask_counts"]
    values: list[int] = []
    place = 0
    while place < len(text):
        value, shift, more = 0, 0, True
        while more:
            part = ord(text[place]) - 48
            value |= (part & 31) << shift
            more, shift, place = part >= 32, shift + 5, place + 1
        if part & 16:
            value -= 1 << shift
        values.append(value + (values[-2] if len(values) > 2 else 0))
    for number, value in enumerate(values):
        flat += [number % 2] * value
    current = 0
    for row in range(height):
        for column in range(width):
            value = flat[column * height + row]
            if value != current or not runs:
                runs += [0, 1] if value != current and not runs else [1]
                current = value
            else:
                runs[-1] += 1
    return runs


def written(batch: dict[str, Any], format: str) -> str:
    """The import file."""
    for image in batch["images"]:
        for one in image["predictions"]:
            one["shapes"] = drawn(one, image["width"], image["height"])
    if format == "cvat":
        return "".join(as_cvat(batch))
    if format == "labelbox-predictions":
        return "".join(as_labelbox_predictions(batch))
    if format == "label-studio":
        return "".join(as_json_list(as_label_studio(batch)))
    return as_json({"coco": as_coco, "labelbox": as_labelbox}[format](batch))


def meant(batch: dict[str, Any], format: str) -> list[dict[str, Any]]:
    """What a tool should read, image by image."""
    found = []
    for image in batch["images"]:
        facts = {"name": image["url"] if format == "labelbox" else image["file_name"]}
        if format == "coco":
            objects = [_meant_label(one) for one in image["labels"]]
        elif format == "labelbox":
            objects = []
        else:
            shapes = [(one, shape) for one in image["predictions"] for shape in _meant_shapes(one, image, format)]
            objects = [{"category": one["category"]["name"], "score": one["score"], **shape} for one, shape in shapes]
        found.append({**facts, "objects": objects})
    return found


def _meant_label(one: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {"category": one["category"]["name"], "crowd": bool(one["iscrowd"]), "area": one["area"]}
    if one["bbox"] is not None:
        facts["bbox"] = one["bbox"]
    if "mask_counts" in one:
        facts["mask"] = pixels_of(one)
    if "corners" in one:
        facts["points"] = _pairs(one["corners"])
    if "keypoints" in one:
        facts["keypoints"] = one["keypoints"]
    return facts


def _meant_shapes(one: dict[str, Any], image: dict[str, Any], format: str) -> list[dict[str, Any]]:
    if one["bbox"] is None:
        return [{}]
    left, top = max(one["bbox"][0], 0), max(one["bbox"][1], 0)
    right = min(one["bbox"][0] + one["bbox"][2], image["width"])
    bottom = min(one["bbox"][1] + one["bbox"][3], image["height"])
    if right <= left or bottom <= top:
        return []
    if "mask_counts" in one:
        return [{"mask": pixels_of(one)}]
    if "corners" in one:
        return [{"points": _pairs(one["corners"])}]
    if "polyline" in one:
        return [{"points": _pairs(part)} for part in one["polyline"]]
    if "point" in one:
        return [{"points": [one["point"]]}]
    if "keypoints" in one and format == "cvat":
        return [{"points": [one["keypoints"][n : n + 2] for n in range(0, 12, 3)]}]
    return [{"bbox": [left, top, right - left, bottom - top]}]


def _pairs(flat: list[float]) -> list[list[float]]:
    return [flat[n : n + 2] for n in range(0, len(flat), 2)]


def identity(text: str) -> str:
    """A file's digest; of a picture inside it, whose bytes are its encoder's choice, the pixels alone."""
    import hashlib
    import re
    from base64 import b64decode

    import cv2
    import numpy as np

    def pixels(found: re.Match[str]) -> str:
        picture = cv2.imdecode(np.frombuffer(b64decode(found[1]), np.uint8), cv2.IMREAD_UNCHANGED)
        return json.dumps({"png": picture.tolist()})

    return hashlib.sha256(re.sub(r'\{"png": "([^"]+)"\}', pixels, text).encode()).hexdigest()
