"""A suggestion about one label: what AP would become of it, and the label file with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct, field
from msgspec.structs import replace

from qm_cli.analysis.average_precision import average_precision
from qm_cli.arrays import to_arrow
from qm_cli.errors import InputError
from qm_cli.matching import match_tables
from qm_cli.overlap import masks
from qm_cli.schema import TABLES
from qm_cli.settings import Settings
from qm_cli.subset import of_categories
from qm_cli.tables import Tables

ADD, REMOVE, CHANGE_CATEGORY, CHANGE_BOX = "add label", "remove label", "change category", "change box"
CHANGE_SHAPE = "change shape"
SHAPE_COLUMNS = ("mask_counts", "mask_size", "keypoints", "num_keypoints")
GONE = -1


class Suggestion(Struct, frozen=True):
    """What to do with a label: `label_row` (−1 for one to add), and the category row, box and shape it would have.

    shape: columns of the label table, of a mask or keypoints; a changed shape changes these alone. prediction_row: the
    prediction that the label would be for, −1 where it is for none.
    """

    action: str
    image_row: int
    label_row: int
    category_row: int
    bbox: tuple[float, ...]
    shape: Mapping[str, Any] = field(default_factory=dict)
    prediction_row: int = GONE

    @property
    def uses(self) -> set[tuple[str, int]]:
        """The label and the prediction it takes."""
        rows = {"label": self.label_row, "prediction": self.prediction_row}
        return {(level, row) for level, row in rows.items() if row != GONE}

    @property
    def columns(self) -> dict[str, Any]:
        """What it changes of the label's row, or adds to none."""
        if self.action == CHANGE_CATEGORY:
            return {"category_row": self.category_row}
        box = {"bbox": self.bbox, "area": math.prod(self.bbox[2:])}
        if self.action == CHANGE_BOX:
            return box
        if self.action == CHANGE_SHAPE:
            return dict(self.shape)
        links = {"image_row": self.image_row, "category_row": self.category_row, "iscrowd": False}
        return {**box, **links, **self.shape}


class Gains:
    """What AP would gain from suggestions, each accepted alone; only the categories it touches are matched anew."""

    def __init__(self, tables: Tables, settings: Settings) -> None:
        self.tables = tables
        areas, iou = settings.area_ranges[:1], settings.iou_thresholds[0]
        self.settings = replace(settings, area_ranges=areas, iou=iou, grid=None)
        self.precision = self._precision(tables)
        self._parts: dict[tuple[int, ...], Tables] = {}

    @property
    def mean(self) -> float:
        """AP as it is; NaN where no category has a label."""
        return _mean(self.precision)

    def gain(self, one: Suggestion) -> float:
        """AP with the suggestion accepted less AP as it is; NaN where either is undefined."""
        touched = {one.category_row}
        if one.label_row >= 0:
            touched.add(int(self.tables.values("label", "category_row")[one.label_row]))
        rows = tuple(sorted(touched))
        after = self.precision.copy()
        after[list(rows)] = self._precision(self._accepted(one, rows))
        return _mean(after) - self.mean

    def mean_with(self, accepted: Sequence[Suggestion]) -> float:
        """AP with all of these accepted together; NaN where no category has a label."""
        return _mean(self._precision(with_suggestions(self.tables, accepted)))

    def _accepted(self, one: Suggestion, rows: tuple[int, ...]) -> Tables:
        """Those categories alone, their labels as the suggestion has them."""
        keep = np.array(rows)
        if rows not in self._parts:
            self._parts[rows] = of_categories(self.tables, keep)
            if self.settings.task == "segm":
                masks(self._parts[rows], "prediction")
        part = self._parts[rows]
        within = np.isin(self.tables.values("label", "category_row"), keep)
        label = -1 if one.label_row < 0 else int(np.count_nonzero(within[: one.label_row]))
        return with_suggestions(part, [replace(one, label_row=label, category_row=rows.index(one.category_row))])

    def _precision(self, tables: Tables) -> npt.NDArray[np.float64]:
        """AP of each category, NaN where it has no label that counts."""
        precision = average_precision(tables, match_tables(tables, self.settings), self.settings).precision
        averaged: npt.NDArray[np.float64] = precision.mean(axis=(0, 1))
        return averaged


def compatible(suggestions: Sequence[Suggestion], gains: Sequence[float]) -> list[Suggestion]:
    """Those that take no label and no prediction twice, in their order.

    The one that adds most is taken first, of equal ones the earlier; whatever takes its label or its prediction goes.
    """
    taken: set[tuple[str, int]] = set()
    kept = []
    for place in sorted(range(len(suggestions)), key=lambda place: -gains[place]):
        if not suggestions[place].uses & taken:
            taken |= suggestions[place].uses
            kept.append(place)
    return [suggestions[place] for place in sorted(kept)]


def _mean(values: npt.NDArray[np.float64]) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def with_suggestions(tables: Tables, accepted: Sequence[Suggestion]) -> Tables:
    """The tables with the suggestions accepted; labels keep what an evaluation needs of them.

    Where a label is to change twice, the later has its way; where it is to go and to change, it goes.
    """
    there = [name for name in SHAPE_COLUMNS if name in tables.label.column_names]
    label = tables.label.select([*TABLES["label"], *there])
    changes: dict[int, dict[str, Any]] = {}
    for one in accepted:
        if one.action not in (ADD, REMOVE):
            changes[one.label_row] = {**changes.get(one.label_row, {}), **one.columns}
    added = [one for one in accepted if one.action == ADD]
    changed = [_row(label, place, columns) for place, columns in changes.items()]
    new = [_row(label, None, {"source_row": label.num_rows + place, **one.columns}) for place, one in enumerate(added)]
    order = np.arange(label.num_rows)
    order[list(changes)] = label.num_rows + np.arange(len(changed))
    order[[one.label_row for one in accepted if one.action == REMOVE]] = GONE
    ends = tables.offsets("label")[1:][[one.image_row for one in added]]
    order = np.insert(order, ends, label.num_rows + len(changed) + np.arange(len(new)))
    label = pa.concat_tables([label, *changed, *new]).combine_chunks().take(to_arrow(order[order != GONE]))
    label = label.set_column(label.schema.get_field_index("id"), "id", to_arrow(np.arange(label.num_rows)))
    kept = {key: view for key, view in tables._views.items() if key[0] == "prediction"}
    return replace(tables, label=label, _views=kept)


def _row(label: pa.Table, place: int | None, changed: Mapping[str, Any]) -> pa.Table:
    """The label's row with what the suggestions change; a new one without a place."""
    if place is None:
        changed = {"id": label["id"][0].as_py() if label.num_rows else None, **changed}
    columns = [
        pa.chunked_array([pa.array([changed.get(field.name)], field.type)])
        if place is None or field.name in changed
        else label[field.name].slice(place, 1)
        for field in label.schema
    ]
    return pa.Table.from_arrays(columns, schema=label.schema)


def patched(document: Any, tables: Tables, accepted: list[Suggestion], where: str) -> dict[str, Any]:
    """The label file's content with the suggestions accepted; entries that none is about stay as they are.

    A box that changes leaves the entry's outline behind, which is not the new box's. Keypoints that change leave box
    and area as they are. Where a label is to go and to change, it goes.
    """
    if not isinstance(document, dict) or not isinstance(document.get("annotations"), list):
        raise InputError(f"{where}: is no COCO label file", "score with a label file to have a patched one")
    entries = list(document["annotations"])
    source = tables.values("label", "source_row")
    if len(source) and int(source.max()) >= len(entries):
        raise InputError(f"{where}: has fewer labels than were scored", "score the dataset again")
    ids = tables.category["id"].to_pylist()
    gone = {int(source[one.label_row]) for one in accepted if one.action == REMOVE}
    for one in accepted:
        if one.action in (CHANGE_CATEGORY, CHANGE_BOX, CHANGE_SHAPE):
            place = int(source[one.label_row])
            entries[place] = _changed(entries[place], one, ids[one.category_row])
    kept = [entry for place, entry in enumerate(entries) if place not in gone]
    images = tables.image["id"].to_pylist()
    number = _next_id(entries)
    for one in accepted:
        if one.action == ADD:
            identifier: Any = number if isinstance(number, int) else f"{number}{len(kept)}"
            entry = {"id": identifier, "image_id": images[one.image_row], "category_id": ids[one.category_row]}
            kept.append({**entry, **coco_fields(one.columns), "iscrowd": 0})
            number = number + 1 if isinstance(number, int) else number
    return {**document, "annotations": kept}


def _changed(entry: dict[str, Any], one: Suggestion, category: Any) -> dict[str, Any]:
    if one.action == CHANGE_CATEGORY:
        return {**entry, "category_id": category}
    outdated = () if one.action == CHANGE_SHAPE else ("segmentation",)
    rest = {name: value for name, value in entry.items() if name not in outdated}
    return {**rest, **coco_fields(one.columns)}


def coco_fields(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Place and shape of a label as a COCO file has them, of columns of the label table; a mask as run lengths."""
    found: dict[str, Any] = {name: columns[name] for name in ("area", "num_keypoints") if name in columns}
    found |= {name: list(columns[name]) for name in ("bbox", "keypoints") if name in columns}
    if "mask_counts" in columns:
        size = [int(side) for side in columns["mask_size"]]
        found["segmentation"] = {"size": size, "counts": columns["mask_counts"]}
    return found


def _next_id(entries: list[dict[str, Any]]) -> int | str:
    """The number after the largest id; for ids that are no numbers the beginning of new ones."""
    ids = [entry.get("id") for entry in entries]
    numbers = [value for value in ids if isinstance(value, int)]
    if len(numbers) == len(ids):
        return max(numbers, default=0) + 1
    prefix = "review-"
    while any(str(value).startswith(prefix) for value in ids):
        prefix += "review-"
    return prefix
