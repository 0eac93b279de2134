"""Box lists → float64[n, 4] with their findings; areas of polygons."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from qm_cli.arrays import compute as pc
from qm_cli.arrays import flat_values, one_chunk, to_arrow, to_numpy, valid
from qm_cli.findings import Finding, flagged
from qm_cli.link_ids import Mask, Rows

Boxes = npt.NDArray[np.float64]
MARGIN = 1.0
LARGEST = 1e150
NORMALISED_LIMIT = 1.5
MOSTLY = 0.99
SAMPLE = 2000
SUSPICIOUS = 0.4


class CheckedBoxes(Struct, frozen=True):
    """values: float64[n, 4]; good: rows with 4 numbers, width and height ≥ 0; flat: good ones without area.

    Numbers of 1e150 and more are not good: no area of such a box is finite.
    """

    values: Boxes
    good: Mask
    flat: Mask


def checked(lists: pa.Array) -> CheckedBoxes:
    """The boxes of a list column; a row of another length than 4 is NaN."""
    if boxless(lists):
        nothing = np.zeros(len(lists), bool)
        return CheckedBoxes(np.full((len(lists), 4), np.nan), nothing, nothing)
    boxes = _plain_boxes(lists)
    count = len(boxes)
    sane = count > 0 and boxes.max() < LARGEST and boxes.min() > -LARGEST
    if sane and np.minimum(boxes[:, 2], boxes[:, 3]).min() > 0:
        return CheckedBoxes(boxes, np.ones(count, bool), np.zeros(count, bool))
    good = (np.abs(boxes) < LARGEST).all(1) & (boxes[:, 2] >= 0) & (boxes[:, 3] >= 0)
    return CheckedBoxes(boxes, good, good & ((boxes[:, 2] == 0) | (boxes[:, 3] == 0)))


def _plain_boxes(lists: pa.Array) -> Boxes:
    if lists.null_count == 0:
        offsets = np.frombuffer(lists.buffers()[1] or b"", np.int32)[lists.offset :][: len(lists) + 1]
        if (np.diff(offsets) == 4).all():
            return np.asarray(to_numpy(flat_values(lists)), np.float64).reshape(-1, 4)
    flat = lists.flatten()
    lengths = np.nan_to_num(to_numpy(pc.list_value_length(lists)), nan=-1)
    fits = lengths == 4
    boxes = np.full((len(lists), 4), np.nan)
    boxes[fits] = to_numpy(flat)[np.repeat(fits, lengths.clip(0).astype(np.int64))].reshape(-1, 4)
    return boxes


def outside(boxes: Boxes, image_row: Rows, image: pa.Table) -> Mask:
    """Boxes reaching more than a pixel over the border of their image (rounding of a pixel is not worth a word)."""
    if image.num_rows == 0 or len(boxes) == 0:
        return np.zeros(len(boxes), bool)
    over: Mask = np.minimum(boxes[:, 0], boxes[:, 1]) < -MARGIN
    for axis, side in ((0, "width"), (1, "height")):
        limit = to_numpy(one_chunk(image[side])) + MARGIN
        with np.errstate(over="ignore", invalid="ignore"):
            end = boxes[:, axis] + boxes[:, axis + 2]
        over |= end > (limit[0] if (limit == limit[0]).all() else limit[image_row])
    return over & (image_row >= 0)


def box_findings(level: str, ids: pa.Array, boxes: CheckedBoxes, image_row: Rows, image: pa.Table) -> list[Finding]:
    """Boxes that are none, without area, or outside of their image."""
    found = flagged(f"{level}-bad-box", ids, ~boxes.good)
    found += flagged(f"{level}-zero-area", ids, boxes.flat)
    over = outside(boxes.values, image_row, image)
    found += flagged(f"{level}-outside-image", ids, over & boxes.good)
    return found + _format_findings(level, boxes, image_row, image)


def box_format(boxes: Boxes, width: Boxes, height: Boxes) -> str:
    """ "normalised", "corners" or "" for plain [x, y, width, height]: what all boxes together look like.

    boxes: float64[n, 4]; width, height: of each box's image, NaN where it is not known.
    Normalised: no coordinate beyond 1.5, some fractional, on images larger than that. Corners: most boxes leave their
    image as [x, y, width, height], and all but 1 % fit into it as [x1, y1, x2, y2].
    """
    kept = np.isfinite(boxes).all(1)
    boxes, width, height = boxes[kept], width[kept], height[kept]
    if len(boxes) == 0:
        return ""
    fractional = (boxes != np.round(boxes)).any()
    small = (width <= NORMALISED_LIMIT) | (height <= NORMALISED_LIMIT)
    if np.abs(boxes).max() <= NORMALISED_LIMIT and fractional and not small.all():
        return "normalised"
    leaves, limits = _leaving(boxes, width, height)
    left, top, right, bottom = boxes.T
    fits = (right > left) & (bottom > top) & (right <= limits[0]) & (bottom <= limits[1])
    known = np.isfinite(limits).all(0)
    return "corners" if known.any() and leaves[known].mean() > 0.5 and fits[known].mean() >= MOSTLY else ""


def _leaving(boxes: Boxes, width: Boxes, height: Boxes) -> tuple[Mask, Boxes]:
    """Boxes that end outside of their image, and how far they may reach: float64[2, n]."""
    limits = np.stack([width + MARGIN, height + MARGIN])
    with np.errstate(over="ignore", invalid="ignore"):
        ends = boxes[:, :2] + boxes[:, 2:]
    return (ends[:, 0] > limits[0]) | (ends[:, 1] > limits[1]), limits


def _format_findings(level: str, boxes: CheckedBoxes, image_row: Rows, image: pa.Table) -> list[Finding]:
    """Whether all boxes together look normalised or like corners; a sample decides if it is worth looking at all."""
    sizes = [to_numpy(one_chunk(image[side])) for side in ("width", "height")]
    if len(image_row) == 0 or not (np.isfinite(sizes[0]) & np.isfinite(sizes[1])).any():
        return []
    if not _suspicious(*_usable(boxes, image_row, sizes, slice(None, None, max(len(image_row) // SAMPLE, 1)))):
        return []
    values, width, height = _usable(boxes, image_row, sizes, slice(None))
    return format_finding(level, len(values), box_format(values, width, height))


def format_finding(level: str, count: int, form: str) -> list[Finding]:
    """The finding of a file whose boxes are of that form, none for plain ones."""
    return [Finding(f"boxes-{form}", 1, (f"{level}s",), f"all {count:,} boxes taken together")] if form else []


def _usable(boxes: CheckedBoxes, image_row: Rows, sizes: list[Boxes], part: slice) -> tuple[Boxes, Boxes, Boxes]:
    """Those of the rows that are good boxes on a known image, and the image's width and height."""
    rows = image_row[part]
    kept = boxes.good[part] & (rows >= 0)
    return boxes.values[part][kept], sizes[0][rows[kept]], sizes[1][rows[kept]]


def _suspicious(boxes: Boxes, width: Boxes, height: Boxes) -> bool:
    if len(boxes) == 0:
        return False
    tiny = bool(np.abs(boxes).max() <= NORMALISED_LIMIT)
    return tiny or bool(_leaving(boxes, width, height)[0].mean() > SUSPICIOUS)


def boxless(lists: pa.Array) -> bool:
    """There are rows and none of them has a box."""
    return len(lists) > 0 and lists.null_count == len(lists)


def box_column(boxes: Boxes) -> pa.FixedSizeListArray:
    """float64[n, 4] as a column without a copy; a row that starts with NaN is null."""
    return to_arrow(boxes)


def polygon_areas(segmentation: pa.Array) -> tuple[npt.NDArray[np.float64], Mask]:
    """Area of each row's polygon parts (shoelace, summed; NaN without any), and rows with a part that is no polygon."""
    parts = segmentation.flatten()
    part_rows = to_numpy(pc.list_parent_indices(segmentation)).astype(np.int64)
    coordinates = to_numpy(parts.flatten())
    lengths = np.diff(to_numpy(parts.offsets)) if len(parts) else np.zeros(0, np.int64)
    bad_part = (lengths < 6) | (lengths % 2 == 1)
    bad = np.bincount(part_rows[bad_part], minlength=len(segmentation)) > 0
    there = valid(segmentation)
    count = np.bincount(part_rows, minlength=len(segmentation))
    areas = np.full(len(segmentation), np.nan)
    kept = np.repeat(~bad_part, lengths)
    usable = lengths[~bad_part] // 2
    if len(usable):
        points = coordinates[kept].reshape(-1, 2)
        starts = np.concatenate([[0], np.cumsum(usable)[:-1]])
        following = np.arange(1, len(points) + 1)
        following[starts + usable - 1] = starts
        with np.errstate(over="ignore", invalid="ignore"):
            cross = points[:, 0] * points[following, 1] - points[following, 0] * points[:, 1]
            sums = np.bincount(part_rows[~bad_part], np.abs(np.add.reduceat(cross, starts)) / 2, len(segmentation))
        filled = np.bincount(part_rows[~bad_part], minlength=len(segmentation)) > 0
        areas = np.where(filled & np.isfinite(sums), sums, np.nan)
    return areas, there & (bad | (count == 0))
