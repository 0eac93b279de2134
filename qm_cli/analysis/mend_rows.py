"""Annotations and predictions put right row by row: what is wrong is removed, clipped, converted or derived."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import msgspec
import numpy as np
from msgspec import Struct
from msgspec.structs import asdict

from qm_cli.findings import CODES, EXAMPLES_KEPT
from qm_cli.link_boxes import LARGEST, MARGIN, box_format
from qm_cli.link_labels import FIELDS as LABEL_FIELDS
from qm_cli.link_predictions import FIELDS as PREDICTION_FIELDS
from qm_cli.raw_shapes import is_bad_mask

Row = dict[str, Any]


class Mended(Struct, frozen=True):
    """`count` samples of `file` to which `code` applied; `how` they were mended: removed, clipped, derived, …"""

    code: str
    how: str
    count: int
    examples: tuple[str, ...]
    file: str

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "examples": list(self.examples), "meaning": CODES[self.code].meaning}

    def sentence(self) -> str:
        """One line for notes and the terminal."""
        shown = ", ".join(self.examples)
        return f"{self.file}: {self.code}: {self.count} × {CODES[self.code].meaning}, {self.how} (first: {shown})"


class Log:
    """What was mended in one file, by code and way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.samples: dict[tuple[str, str], list[str]] = defaultdict(list)

    def add(self, code: str, how: str, sample: object) -> None:
        self.samples[code, how].append(str(sample))

    def mended(self) -> list[Mended]:
        return [
            Mended(code, how, len(samples), tuple(samples[:EXAMPLES_KEPT]), self.file)
            for (code, how), samples in self.samples.items()
        ]


def mend_annotations(given: list[Row | None], sizes: dict[Any, Any], categories: set[Any], log: Log) -> list[Row]:
    """The annotations that can be put right; those of unknown images and categories go."""
    rows = _identified(_filled(given, LABEL_FIELDS, "label", log), log)
    rows = _known(rows, "label", sizes, categories, log)
    for row in rows:
        _mend_shape(row, sizes[row["image_id"]], log)
    if any(row.get("bbox") is not None for row in rows):
        for row in rows:
            _box_from_polygon(row, log)
        rows = _boxed(rows, "label", sizes, log)
    for row in rows:
        area = row.get("area")
        if area is None or area < 0:
            log.add("label-missing-area" if area is None else "label-bad-area", "derived", row["id"])
            row["area"] = _area(row)
        if row.get("iscrowd") is None:
            log.add("label-missing-iscrowd", "set to 0", row["id"])
            row["iscrowd"] = 0
    return rows


def _filled(rows: list[Row | None], fields: Sequence[str], level: str, log: Log) -> list[Row]:
    """Rows with at least one of the fields."""
    kept = []
    for place, row in enumerate(rows):
        if row is None or all(row.get(field) is None for field in fields):
            log.add(f"{level}-empty", "removed", place)
        else:
            kept.append(row)
    return kept


def _identified(rows: list[Row], log: Log) -> list[Row]:
    """Exact repeats removed; an id that is missing or taken by another annotation replaced by a new one."""
    seen: dict[Any, Row] = {}
    numbers = [row["id"] for row in rows if isinstance(row.get("id"), int)]
    following = max(numbers, default=0) + 1
    texts = any(isinstance(row.get("id"), str) for row in rows)
    kept: list[Row] = []
    for row in rows:
        given = row.get("id")
        if given is not None and given in seen:
            if seen[given] == row:
                log.add("label-duplicate-id", "exact repeats removed", given)
                continue
            log.add("label-duplicate-id", "given a new id", given)
        elif given is None:
            log.add("label-missing-id", "given a new id", len(kept))
        if given is None or given in seen:
            row = {**row, "id": f"qm-{following}" if texts else following}
            following += 1
        seen[row["id"]] = row
        kept.append(row)
    return [dict(row) for row in kept]


def _known(rows: list[Row], level: str, sizes: Mapping[Any, Any], categories: set[Any], log: Log) -> list[Row]:
    """Rows of listed images and categories; the category of a prediction with probabilities need not be given."""
    kept = []
    for place, row in enumerate(rows):
        likely = level == "prediction" and row.get("category_id") is None and (row.get("probs") or row.get("logits"))
        if row.get("image_id") not in sizes:
            log.add(_lost(row, level, "image"), "removed", row.get("id", place))
        elif row.get("category_id") not in categories and not likely:
            log.add(_lost(row, level, "category"), "removed", row.get("id", place))
        else:
            kept.append(row)
    return kept


def _lost(row: Row, level: str, parent: str) -> str:
    missing = level == "prediction" and row.get(f"{parent}_id") is None
    return f"{level}-missing-{parent}-id" if missing else f"{level}-unknown-{parent}"


def _mend_shape(row: Row, size: tuple[float, float], log: Log) -> None:
    """Polygons keep their good parts; a mask that is none goes."""
    shape = row.get("segmentation")
    if isinstance(shape, dict):
        known = (None, None) if math.isnan(size[0]) else (size[1], size[0])
        if is_bad_mask(msgspec.json.encode(shape), known):
            log.add("label-bad-mask", "shape removed", row["id"])
            del row["segmentation"]
    elif shape is not None and shape != []:
        parts = _parts(row)
        if parts != shape:
            log.add("label-bad-polygon", "bad parts removed" if parts else "shape removed", row["id"])
            row["segmentation"] = parts
        if not parts:
            del row["segmentation"]


def _boxed(rows: list[Row], level: str, sizes: Mapping[Any, tuple[float, float]], log: Log) -> list[Row]:
    """Rows with a box of some area inside the image; a whole file of normalised or corner boxes is converted first."""
    good = [row for row in rows if _is_box(row.get("bbox"))]
    if good:
        size = np.array([sizes[row["image_id"]] for row in good], float)
        form = box_format(np.array([row["bbox"] for row in good], float), size[:, 0], size[:, 1])
        if form and np.isfinite(size).all():
            log.add(f"boxes-{form}", "converted", f"{len(good)} {level}s")
            for row, (width, height) in zip(good, size.tolist(), strict=True):
                _convert(row, form, width, height)
    kept = []
    for place, row in enumerate(rows):
        name = row.get("id", place)
        box = row.get("bbox")
        if not _is_box(box) or box[2] < 0 or box[3] < 0:
            log.add(f"{level}-bad-box", "removed", name)
        elif 0 in box[2:]:
            log.add(f"{level}-zero-area", "removed", name)
        elif _clip(row, *sizes[row["image_id"]], log, level, name):
            kept.append(row)
    return kept


def _is_box(box: Any) -> TypeGuard[list[float]]:
    return isinstance(box, list) and len(box) == 4 and all(map(_is_number, box))


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < LARGEST


def _convert(row: Row, form: str, width: float, height: float) -> None:
    left, top, right, bottom = row["bbox"]
    if form == "corners":
        row["bbox"] = [left, top, right - left, bottom - top]
    else:
        row["bbox"] = [left * width, top * height, right * width, bottom * height]
    if "area" in row:
        row["area"] = _area(row)


def _clip(row: Row, width: float, height: float, log: Log, level: str, name: object) -> bool:
    """Clip a box that reaches more than a pixel over the border; False when nothing of it is inside."""
    left, top, wide, high = row["bbox"]
    inside = left >= -MARGIN and top >= -MARGIN and left + wide <= width + MARGIN and top + high <= height + MARGIN
    if inside or math.isnan(width):
        return True
    x0, y0 = max(left, 0), max(top, 0)
    box = [x0, y0, min(left + wide, width) - x0, min(top + high, height) - y0]
    if box[2] <= 0 or box[3] <= 0:
        log.add(f"{level}-outside-image", "removed", name)
        return False
    log.add(f"{level}-outside-image", "clipped", name)
    row["bbox"] = box
    if "area" in row and not row.get("segmentation"):
        row["area"] = box[2] * box[3]
    return True


def _parts(row: Row) -> list[Any]:
    """Polygon parts of at least 3 points."""
    parts = row.get("segmentation")
    parts = parts if isinstance(parts, list) else []
    return [p for p in parts if isinstance(p, list) and len(p) >= 6 and len(p) % 2 == 0 and all(map(_is_number, p))]


def _box_from_polygon(row: Row, log: Log) -> None:
    points = np.array([value for part in _parts(row) for value in part], float).reshape(-1, 2)
    if not _is_box(row.get("bbox")) and len(points):
        low, high = points.min(0), points.max(0)
        row["bbox"] = [*low.tolist(), *(high - low).tolist()]
        log.add("label-bad-box", "derived from polygon", row["id"])


def _area(row: Row) -> float:
    """Of the polygons (shoelace, parts summed), else of the box."""
    areas = []
    for part in _parts(row):
        x, y = np.array(part, float).reshape(-1, 2).T
        areas.append(abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2)
    box = row.get("bbox")
    return sum(areas) if areas else float(box[2] * box[3]) if _is_box(box) else 0.0


def mend_predictions(rows: list[Row | None], sizes: Mapping[Any, Any], categories: set[Any], log: Log) -> list[Row]:
    """The predictions that can be put right."""
    kept = _known(_filled(rows, PREDICTION_FIELDS, "prediction", log), "prediction", sizes, categories, log)
    scored = []
    for place, given in enumerate(kept):
        row = _without_holes(dict(given), place, log)
        if row.get("score") is None and not row.get("probs"):
            log.add("prediction-missing-score", "removed", row.get("id", place))
        else:
            scored.append(row)
    if any(row.get("bbox") is not None for row in scored):
        scored = _boxed(scored, "prediction", sizes, log)
    return scored


def _without_holes(row: Row, place: int, log: Log) -> Row:
    """Probabilities of which one is no number are of no use."""
    for name in ("probs", "logits"):
        if isinstance(row.get(name), list) and not all(map(_is_number, row[name])):
            log.add("prediction-probs-null", f"{name} removed", row.get("id", place))
            del row[name]
    return row
