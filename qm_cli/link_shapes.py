"""The shapes that a task compares → columns of the tables, with the box and area of each, and which cannot be used."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct, field

from qm_cli.arrays import one_chunk, to_arrow, to_numpy, valid
from qm_cli.errors import InputError
from qm_cli.findings import Finding, flagged
from qm_cli.kernels.geometry_iou import areas_of, around, boxes_of, corners_of, discs, is_convex, quadrilaterals
from qm_cli.kernels.runs import Runs, decoded
from qm_cli.link_boxes import CheckedBoxes
from qm_cli.link_ids import Mask, Rows, image_order
from qm_cli.link_masks import mask_texts
from qm_cli.link_texts import number_rows, part_rows
from qm_cli.raw import Columns
from qm_cli.settings import Measure
from qm_cli.shape_fields import SHAPE_FIELDS

Numbers = npt.NDArray[np.float64]
LARGEST = 1e9
ROWS_AT_ONCE = 2048


class Shapes(Struct):
    """n rows. columns: for the table; box: float64[n, 4], area: float64[n], NaN where there is no shape.

    good: rows with a usable shape. runs: the masks of task segm, all n of them. upright: rows of task obb whose plain
    box stands for a rotated one, bool[n].
    """

    columns: dict[str, pa.Array]
    box: Numbers
    area: Numbers
    good: Any
    findings: list[Finding] = field(default_factory=list)
    runs: Runs | None = None
    upright: Any = None

    def only_upright(self, keep: Mask) -> bool:
        """Rows are kept, and all of them are plain boxes that stand for rotated ones."""
        return self.upright is not None and bool(keep.any()) and bool(self.upright[keep].all())


def shapes_of(
    level: str,
    columns: Columns,
    size: Numbers,
    ids: pa.Array,
    where: str,
    measure: Measure,
    tolerant: bool,
    runs: Runs | None = None,
) -> Shapes:
    """The shapes of labels or predictions, their column `shape`. size: float64[n, 2], height and width of each row's
    image, NaN if unknown. runs: that column's masks, where they were decoded already.

    Where task obb finds no rotated box in that column, the row's plain `bbox` is taken, at angle 0, which is a finding.
    Raises InputError (unless tolerant) when not a single row has the field that the task compares.
    """
    fields = SHAPE_FIELDS[measure.task]
    shape = columns.get("shape", columns["bbox"] if "bbox" in fields else None)
    there = np.zeros(len(ids), bool) if shape is None else valid(shape)
    if tolerant and not there.any():
        nothing = np.full((len(ids), 4), np.nan)
        return Shapes({}, nothing, nothing[:, 0], there, flagged(f"{level}-without-shape", ids, ~there))
    if shape is None or not there.any():
        what = "annotation" if level == "label" else "prediction"
        named = " or ".join(f"`{name}`" for name in fields)
        raise InputError(f"{where}: no {what} has {named}, which task {measure.task} compares", "see --task")
    if measure.task == "segm":
        found = _masks(shape, size, level, ids, runs)
    elif measure.task == "keypoints":
        found = _keypoints(shape, where, measure)
    elif measure.task == "obb":
        found = _rotated(shape, columns["bbox"], measure)
        there = there | valid(columns["bbox"])
        found.findings += flagged(f"{level}-upright-box", ids, found.upright)
    else:
        found = _lines(shape, measure) if measure.task == "polyline" else _points(shape, measure)
    found.findings += flagged(f"{level}-without-shape", ids, ~there)
    bad = there & ~found.good
    unsized = int(np.count_nonzero(bad & np.isnan(size).any(1))) if measure.task == "segm" else 0
    detail = f"{unsized:,} of an image without width and height, which a polygon needs" if unsized else ""
    found.findings += flagged(f"{level}-bad-shape", ids, bad, detail)
    return found


def image_sizes(image: pa.Table, image_row: Rows) -> Numbers:
    """Height and width of each row's image, NaN where they are not known: float64[n, 2]."""
    sizes = np.stack([to_numpy(one_chunk(image[side])).astype(np.float64) for side in ("height", "width")], 1)
    return np.where(image_row[:, None] >= 0, sizes.take(np.maximum(image_row, 0), axis=0), np.nan)


def with_boxes(boxes: CheckedBoxes, shapes: Shapes) -> CheckedBoxes:
    """The boxes as given; where there is none the shape's."""
    values = np.where(boxes.good[:, None], boxes.values, shapes.box) if boxes.good.any() else shapes.box
    return CheckedBoxes(values, boxes.good | shapes.good, boxes.flat)


def sorted_runs(shapes: Shapes, keep: Mask, image_row: Rows) -> Runs | None:
    """The masks in the order of the table."""
    order = image_order(keep, image_row)
    return shapes.runs if shapes.runs is None or order is None else shapes.runs.take(order)


def _masks(shape: pa.Array, size: Numbers, level: str, ids: pa.Array, runs: Runs | None) -> Shapes:
    """Masks of another size than their image's are none; those decoded already must be of these very rows."""
    masks = mask_texts(shape, size)
    if runs is None or len(runs.good) != len(shape) or (runs.good & ~masks.fits).any():
        runs = decoded(masks.text, masks.offsets, masks.size)
    good = runs.good & masks.fits
    columns = {"mask_counts": masks.column(good), "mask_size": to_arrow(np.where(good[:, None], masks.size, np.nan))}
    box, area = np.where(good[:, None], runs.box, np.nan), np.where(good, runs.area, np.nan)
    crossing = flagged(f"{level}-crossing-polygon", ids, masks.crossing & good)
    return Shapes(columns, box, area, good, crossing, runs)


def _keypoints(shape: pa.Array, where: str, measure: Measure) -> Shapes:
    count = 3 * len(measure.sigmas)
    rows, lengths = number_rows(shape, count)
    good = _sane(rows)
    if not good.any() and (lengths > 0).any():
        other = int(lengths[lengths > 0][0])
        hint = f"--sigmas must name {other // 3} numbers" if other % 3 == 0 else "write x, y, visibility of each"
        raise InputError(f"{where}: keypoints of {other} numbers, {len(measure.sigmas)} sigmas × 3 are {count}", hint)
    if not good.all():
        rows = np.where(good[:, None], rows, np.nan)
    box = np.empty((len(rows), 4))
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        part = slice(begin, begin + ROWS_AT_ONCE)
        for axis in (0, 1):
            values = np.ascontiguousarray(rows[part, axis::3].T)
            box[part, axis] = values.min(0)
            box[part, axis + 2] = values.max(0) - box[part, axis]
    return Shapes({"keypoints": to_arrow(rows)}, box, box[:, 2] * box[:, 3], good)


def _sane(rows: Numbers) -> Any:
    """Rows of finite numbers within a thousand million: bool[n]."""
    if len(rows) and rows.min() > -LARGEST and rows.max() < LARGEST:
        return np.ones(len(rows), bool)
    return (np.abs(rows) < LARGEST).all(1)


def _rotated(shape: pa.Array, box: pa.Array, measure: Measure) -> Shapes:
    """A row whose shape is a mask or a polygon of other than four corners, or that has none, is its box."""
    corners, lengths, upright = _corners(shape, measure)
    other = (lengths == 0) | ((lengths > 5) & (lengths != 8))
    if other.any():
        rest, _, plain = _corners(box, measure)
        corners[other], upright[other] = rest[other], plain[other]
    good = _sane(corners)
    good[good] = is_convex(corners[good])
    corners[~good] = np.nan
    found = _with_geometry({"corners": to_arrow(corners)}, quadrilaterals(corners[good]), good, corners)
    found.upright = upright & good
    return found


def _corners(shape: pa.Array, measure: Measure) -> tuple[Numbers, npt.NDArray[np.int64], Any]:
    """Corners of [cx, cy, w, h, angle], of [x, y, width, height] and of four points as they are, float64[n, 8], NaN for
    anything else; how many numbers each row has; and which are the second."""
    if pa.types.is_struct(shape.type) or pa.types.is_null(shape.type):
        return np.full((len(shape), 8), np.nan), np.zeros(len(shape), np.int64), np.zeros(len(shape), bool)
    boxes, lengths = number_rows(shape, 5)
    corners = number_rows(shape, 8)[0].copy()
    sane = _sane(boxes) & (boxes[:, 2:4] >= 0).all(1)
    corners[sane] = corners_of(boxes[sane], measure.angle)
    plain = number_rows(shape, 4)[0] if (lengths == 4).any() else np.full((len(lengths), 4), np.nan)
    upright = _sane(plain) & (plain[:, 2:] >= 0).all(1)
    x, y, width, height = plain[upright].T
    corners[upright] = np.stack([x, y, x + width, y, x + width, y + height, x, y + height], 1)
    return corners, lengths, upright


def _with_geometry(
    columns: dict[str, pa.Array], geometry: npt.NDArray[np.object_], good: Any, corners: Numbers | None = None
) -> Shapes:
    box, area = np.full((len(good), 4), np.nan), np.full(len(good), np.nan)
    box[good], area[good] = boxes_of(geometry), areas_of(geometry)
    flat = good & np.isnan(box[:, 0])
    if corners is not None and flat.any():
        points = corners[flat].reshape(-1, 4, 2)
        box[flat] = np.concatenate([points.min(1), points.max(1) - points.min(1)], 1)
    return Shapes(columns, box, area, good)


def _lines(shape: pa.Array, measure: Measure) -> Shapes:
    lines = part_rows(shape)
    good = np.array([line is not None and _is_line(line) for line in lines], bool)
    kept = [line if usable else None for line, usable in zip(lines, good, strict=True)]
    column = pa.array(kept, pa.list_(pa.list_(pa.float64())))
    return _with_geometry(
        {"polyline": column}, around([line for line in kept if line is not None], measure.buffer), good
    )


def _is_line(line: list[list[float]]) -> bool:
    return bool(line) and all(
        len(part) >= 2 and len(part) % 2 == 0 and max(part) < LARGEST and min(part) > -LARGEST for part in line
    )


def _points(shape: pa.Array, measure: Measure) -> Shapes:
    points, lengths = number_rows(shape, 2)
    flagged_points, _ = number_rows(shape, 3)
    points = points.copy()
    points[lengths == 3] = flagged_points[lengths == 3, :2]
    good = _sane(points)
    points[~good] = np.nan
    return _with_geometry({"point": to_arrow(points)}, discs(points[good], measure.buffer), good)
