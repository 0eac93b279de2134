"""Box lists → float64[n, 4] with their findings; areas of polygons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.arrays import all_finite, flat_values, one_chunk, to_arrow, to_numpy, valid
from qm_cli.arrays import compute as pc
from qm_cli.findings import Finding, flagged
from qm_cli.link_ids import Mask, Rows

Boxes = npt.NDArray[np.float64]
MARGIN = 1.0


@dataclass(frozen=True)
class CheckedBoxes:
    """values: float64[n, 4]; good: rows with 4 finite numbers, width and height ≥ 0; flat: good ones without area."""

    values: Boxes
    good: Mask
    flat: Mask


def checked(lists: pa.Array) -> CheckedBoxes:
    """The boxes of a list column; a row of another length than 4 is NaN."""
    boxes = _plain_boxes(lists)
    count = len(boxes)
    if count and all_finite(boxes) and np.minimum(boxes[:, 2], boxes[:, 3]).min() > 0:
        return CheckedBoxes(boxes, np.ones(count, bool), np.zeros(count, bool))
    good = np.isfinite(boxes).all(1) & (boxes[:, 2] >= 0) & (boxes[:, 3] >= 0)
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
        end = boxes[:, axis] + boxes[:, axis + 2]
        over |= end > (limit[0] if (limit == limit[0]).all() else limit[image_row])
    return over & (image_row >= 0)


def box_findings(level: str, ids: pa.Array, boxes: CheckedBoxes, image_row: Rows, image: pa.Table) -> list[Finding]:
    """Boxes that are none, without area, or outside of their image."""
    found = flagged(f"{level}-bad-box", ids, ~boxes.good)
    found += flagged(f"{level}-zero-area", ids, boxes.flat)
    over = outside(boxes.values, image_row, image)
    return found + flagged(f"{level}-outside-image", ids, over & boxes.good)


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
        cross = points[:, 0] * points[following, 1] - points[following, 0] * points[:, 1]
        sums = np.bincount(part_rows[~bad_part], np.abs(np.add.reduceat(cross, starts)) / 2, len(segmentation))
        filled = np.bincount(part_rows[~bad_part], minlength=len(segmentation)) > 0
        areas = np.where(filled, sums, np.nan)
    return areas, there & (bad | (count == 0))
