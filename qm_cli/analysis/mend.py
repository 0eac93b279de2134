"""Mended copies of label and prediction files: what can be put right is, the rest is left out, and all of it listed."""

from __future__ import annotations

import gzip
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeGuard

import msgspec
import numpy as np
import pyarrow as pa

from qm_cli.analysis.check import MARGIN, box_format
from qm_cli.errors import InputError, UsageError
from qm_cli.findings import CODES, EXAMPLES_KEPT

Row = dict[str, Any]


@dataclass(frozen=True)
class Mended:
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


class _Log:
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


def mend(labels: Path, output: Path, predictions: Mapping[str, Path] | None = None) -> list[Mended]:
    """Write mended copies and say what was mended. The originals are only read.

    output: a .json file for the labels alone; else a folder, which becomes a dataset: labels.json and
    predictions/MODEL.json. Unknown fields are kept. Raises InputError for files that are no JSON of these kinds,
    UsageError when the output is one of the inputs.
    """
    predictions = predictions or {}
    alone = output.suffix == ".json"
    targets = {"": output if alone else output / "labels.json"}
    targets |= {} if alone else {model: output / "predictions" / f"{model}.json" for model in predictions}
    for target in targets.values():
        for source in (labels, *predictions.values()):
            if target.exists() and target.samefile(source):
                raise UsageError(f"{target}: is an input; a mended copy never replaces it", "name another place")
    document = _document(labels)
    log = _Log(labels.name)
    sizes = _mend_entries(document, log)
    names = {category["id"] for category in document["categories"]}
    document["annotations"] = _mend_annotations(document.get("annotations") or [], sizes, names, log)
    written: dict[Path, Any] = {targets[""]: document}
    mended = log.mended()
    for model, path in () if alone else predictions.items():
        log = _Log(path.name)
        written[targets[model]] = _mend_predictions(path, sizes, names, log)
        mended += log.mended()
    for target, content in written.items():
        _write(target, content)
    return mended


def _document(path: Path) -> Row:
    document = _decoded(path)
    if not isinstance(document, dict) or not all(isinstance(document.get(k), list) for k in ("images", "categories")):
        raise InputError(f"{path}: no COCO label file", "only labels with images and categories can be mended")
    return document


def _decoded(path: Path) -> Any:
    """JSON, packed or not."""
    content = path.read_bytes()
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        elif content[:4] == b"\x28\xb5\x2f\xfd":
            content = pa.CompressedInputStream(pa.BufferReader(content), "zstd").read()
        return msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (OSError, EOFError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: cannot be mended: {error}", "only whole, valid JSON can be") from None


def _write(target: Path, content: Any) -> None:
    """Whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.write_bytes(msgspec.json.encode(content))
    part.replace(target)


def _mend_entries(document: Row, log: _Log) -> dict[Any, tuple[float, float]]:
    """Images and categories: each id once, no size below 0. The size of each image, NaN where it has none."""
    for level, key in (("image", "images"), ("category", "categories")):
        kept: dict[Any, Row] = {}
        for place, entry in enumerate(document[key]):
            if entry.get("id") is None:
                log.add(f"{level}-missing-id", "removed", place)
            elif entry["id"] in kept:
                log.add(f"{level}-duplicate-id", "removed", entry["id"])
            else:
                kept[entry["id"]] = entry
        document[key] = list(kept.values())
    sizes = {}
    for image in document["images"]:
        size = [image.get(side) for side in ("width", "height")]
        if any(side is not None and side <= 0 for side in size):
            log.add("image-bad-size", "size removed", image["id"])
            image.pop("width", None), image.pop("height", None)
            size = [None, None]
        sizes[image["id"]] = (math.nan, math.nan) if None in size else (float(size[0]), float(size[1]))
    return sizes


def _mend_annotations(rows: list[Row], sizes: dict[Any, Any], categories: set[Any], log: _Log) -> list[Row]:
    rows = _identified(rows, log)
    rows = _known(rows, "label", sizes, categories, log)
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


def _identified(rows: list[Row], log: _Log) -> list[Row]:
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


def _known(rows: list[Row], level: str, sizes: Mapping[Any, Any], categories: set[Any], log: _Log) -> list[Row]:
    """Rows of listed images and categories."""
    kept = []
    for place, row in enumerate(rows):
        if row.get("image_id") not in sizes:
            log.add(f"{level}-unknown-image", "removed", row.get("id", place))
        elif row.get("category_id") not in categories:
            log.add(f"{level}-unknown-category", "removed", row.get("id", place))
        else:
            kept.append(row)
    return kept


def _boxed(rows: list[Row], level: str, sizes: Mapping[Any, tuple[float, float]], log: _Log) -> list[Row]:
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
    return isinstance(box, list) and len(box) == 4 and all(type(v) in (int, float) and math.isfinite(v) for v in box)


def _convert(row: Row, form: str, width: float, height: float) -> None:
    left, top, right, bottom = row["bbox"]
    if form == "corners":
        row["bbox"] = [left, top, right - left, bottom - top]
    else:
        row["bbox"] = [left * width, top * height, right * width, bottom * height]
    if "area" in row:
        row["area"] = _area(row)


def _clip(row: Row, width: float, height: float, log: _Log, level: str, name: object) -> bool:
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
    return [p for p in parts if isinstance(p, list) and len(p) >= 6 and len(p) % 2 == 0]


def _box_from_polygon(row: Row, log: _Log) -> None:
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


def _mend_predictions(path: Path, sizes: Mapping[Any, Any], categories: set[Any], log: _Log) -> list[Row]:
    content = _decoded(path)
    rows = content if isinstance(content, list) else content.get("predictions", content.get("annotations"))
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path}: no list of predictions", "only a COCO results list can be mended")
    kept = _known([dict(row) for row in rows], "prediction", sizes, categories, log)
    if rows and not kept:
        raise InputError(f"{path}: nothing would be left", "not one id is the labels'; see qm check for what would fit")
    scored = []
    for place, row in enumerate(kept):
        if row.get("score") is None and not row.get("probs"):
            log.add("prediction-missing-score", "removed", row.get("id", place))
        else:
            scored.append(row)
    if any(row.get("bbox") is not None for row in scored):
        scored = _boxed(scored, "prediction", sizes, log)
    return scored
