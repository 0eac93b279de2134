"""Labels × predictions → who overlaps whom and who matches whom, each overlap computed once."""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.kernels.greedy import Candidates, Lanes, match, match_bound
from qm_cli.kernels.order import order_by_score, stable_order
from qm_cli.kernels.segments import expand, place_in_run, starts_of
from qm_cli.overlap import overlap, remember
from qm_cli.settings import AreaRange, Settings
from qm_cli.tables import Tables

Rows = npt.NDArray[np.int64]
CELLS_AT_ONCE = 1 << 22
MOST_PREDICTIONS, LEAST_PREDICTIONS = 1 << 15, 1 << 12


class Matches(Struct, frozen=True):
    """Greedy matches of one convention, all lanes.

    order: prediction rows by (category, −score, image id, input order), int64[predictions].
    row: rows of the predictions with a candidate label, in (image, category, −score) order, int64[detections].
    place: their 0-based place by score among all predictions of their image and category, int64[detections].
    label: the label row each takes per lane, int32[lanes, detections], −1 for none.
    threshold, area: the lanes; ignored: labels that do not count per area range, bool[areas, labels].
    """

    order: Rows
    row: Rows
    place: Rows
    label: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float64]
    area: npt.NDArray[np.int64]
    ignored: npt.NDArray[np.bool_]

    def lane(self, threshold: float, area: int = 0) -> int:
        """Number of the lane with this IoU threshold and area range."""
        found = np.flatnonzero((self.threshold == threshold) & (self.area == area))
        return int(found[0])


def match_tables(tables: Tables, settings: Settings, unjudged: npt.NDArray[np.bool_] | None = None) -> Matches:
    """Match every prediction, whatever its score or rank: any confidence or max detections is a prefix of this.

    unjudged: labels that count in no area range beside crowds and those of another area, bool[labels]; none by default.
    Cells of different images never meet, so stretches of images are matched side by side.
    """
    lanes = _lanes(settings)
    ignored = ignored_labels(tables, settings.area_ranges)
    if unjudged is not None:
        ignored = ignored | unjudged
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        order = threads.submit(score_order, tables)
        parts = list(
            threads.map(
                lambda images: _match_stretch(tables, settings.task, images, lanes, ignored), _stretches(tables)
            )
        )
        row, place = (np.concatenate([part[column] for part in parts]) for column in (0, 1))
        label = np.concatenate([part[2] for part in parts], axis=1)
        return Matches(order.result(), row, place, label, lanes.threshold, lanes.area, ignored)


def _stretches(tables: Tables) -> list[tuple[int, int]]:
    """First and last image of stretches that hold a bounded number of predictions and cells; at least one.

    They are as large as lets every core have as many of them.
    """
    images, most = tables.count("image"), max(CELLS_AT_ONCE // max(tables.count("category"), 1), 1)
    offsets = tables.offsets("prediction")
    cores = os.cpu_count() or 1
    size = math.ceil(offsets[-1] / cores / max(math.ceil(offsets[-1] / cores / MOST_PREDICTIONS), 1))
    size = max(size, LEAST_PREDICTIONS)
    bounds = [0]
    while bounds[-1] < images:
        enough = int(np.searchsorted(offsets, offsets[bounds[-1]] + size, side="left"))
        bounds.append(min(max(enough, bounds[-1] + 1), bounds[-1] + most, images))
    return list(pairwise(bounds)) or [(0, 0)]


def _lanes(settings: Settings) -> Lanes:
    """Every COCO threshold in every area range, one range after the other; over all areas the chosen IoU as well."""
    everywhere = [(threshold, 0) for threshold in settings.match_thresholds()]
    ranges = range(1, len(settings.area_ranges))
    threshold, area = zip(*everywhere, *((t, a) for a in ranges for t in settings.iou_thresholds), strict=True)
    return Lanes(np.array(threshold), np.array(area))


def score_order(tables: Tables) -> Rows:
    """Prediction rows by (category, −score, ascending image id, input order): COCO's order, exactly."""
    category, score = tables.values("prediction", "category_row"), tables.values("prediction", "score")
    rank = image_rank(tables)
    if (rank[1:] > rank[:-1]).all():
        return order_by_score(category, tables.count("category"), score)
    by_id = np.argsort(rank[tables.values("prediction", "image_row")], kind="stable")
    return by_id[order_by_score(category[by_id], tables.count("category"), score[by_id])]


def image_rank(tables: Tables) -> Rows:
    """Place of each image when sorted by id, numbers as numbers and strings as text: int64[images]."""
    ids = tables.values("image", "id")
    rank = np.empty(len(ids), np.int64)
    rank[np.argsort(ids, kind="stable")] = np.arange(len(ids))
    return rank


def ignored_labels(tables: Tables, areas: tuple[AreaRange, ...]) -> npt.NDArray[np.bool_]:
    """Crowd labels, labels without keypoints where these are compared, and labels whose `area` lies outside a range:
    bool[areas, labels].
    """
    area, crowd = tables.values("label", "area"), tables.values("label", "iscrowd")
    if tables.measure.task == "keypoints" and len(area):
        crowd = crowd | (tables.values("label", "num_keypoints") == 0)
    return np.stack([crowd | (area < limits.low) | (area > limits.high) for limits in areas])


def _match_stretch(
    tables: Tables, task: str, images: tuple[int, int], lanes: Lanes, ignored: npt.NDArray[np.bool_]
) -> tuple[Rows, Rows, npt.NDArray[np.int32]]:
    """Prediction rows with a candidate in these images, their place by score, and the label row each takes per lane."""
    first_label, last_label = tables.offsets("label")[list(images)]
    crowd = tables.values("label", "iscrowd")[first_label:last_label]
    candidates, row, place = _candidates(
        tables, task, images, float(lanes.threshold.min()), crowd, ignored[:, first_label:last_label]
    )
    label = match(candidates, lanes)
    np.add(label, np.int32(first_label), out=label, where=label >= 0)
    return row, place, label


def _candidates(
    tables: Tables,
    task: str,
    images: tuple[int, int],
    lowest: float,
    crowd: npt.NDArray[np.bool_],
    ignored: npt.NDArray[np.bool_],
) -> tuple[Candidates, Rows, Rows]:
    """Same-category pairs with IoU ≥ the lowest threshold, as the matching kernel takes them."""
    label_order, label_cells, label_starts = _label_cells(tables, images)
    number = _cell_numbers(tables, images, label_cells)
    start = int(tables.offsets("prediction")[images[0]])
    filled = np.flatnonzero(number >= 0)
    score = tables.values("prediction", "score")[start:].take(filled)
    filled = filled.take(order_by_score(number.take(filled), len(label_cells), score))
    cell = number.take(filled)
    rows = filled + start
    place = place_in_run(cell)
    counts = np.diff(label_starts).take(cell)
    detection = np.repeat(np.arange(len(rows)), counts)
    label = label_order.take(expand(label_starts.take(cell), counts))
    first_label = int(tables.offsets("label")[images[0]])
    bound = float(match_bound(lowest))
    iou = overlap(tables, task, label + first_label, rows.take(detection), crowd.take(label), bound)
    near = np.flatnonzero(iou >= bound)
    detection, label, iou = detection[near], label[near], iou[near]
    if task != "bbox":
        plain = ~crowd[label]
        remember(tables, task, label[plain] + first_label, rows[detection[plain]], iou[plain])
    paired = np.zeros(len(rows), bool)
    paired[detection] = True
    renumbered = np.cumsum(paired) - 1
    candidates = Candidates(renumbered.take(detection), label, iou, cell[paired], crowd, ignored)
    return candidates, rows[paired], place[paired]


def _cell_keys(tables: Tables, level: str, images: tuple[int, int]) -> Rows:
    """(image, category) of each label or prediction of these images as one number, from 0: int64[n]."""
    begin, end = tables.offsets(level)[list(images)]
    image = tables.values(level, "image_row")[begin:end] - np.int64(images[0])
    keys: Rows = image * tables.count("category") + tables.values(level, "category_row")[begin:end]
    return keys


def _label_cells(tables: Tables, images: tuple[int, int]) -> tuple[Rows, Rows, Rows]:
    """Labels by (image, category), input order kept; each filled cell's key, ascending; and where its run starts."""
    keys = _cell_keys(tables, "label", images)
    order = stable_order(keys, (images[1] - images[0]) * tables.count("category"))
    ordered = keys[order]
    starts = starts_of(ordered)
    return order, ordered[starts], np.append(starts, len(order))


def _cell_numbers(tables: Tables, images: tuple[int, int], cells: Rows) -> npt.NDArray[np.int32]:
    """Number in `cells` of each prediction's (image, category), −1 where no label is in it: int32[n]."""
    table = np.full((images[1] - images[0]) * tables.count("category"), -1, np.int32)
    table[cells] = np.arange(len(cells))
    return table.take(_cell_keys(tables, "prediction", images))


def within_max_detections(tables: Tables, order: Rows, limit: int) -> npt.NDArray[np.bool_] | None:
    """Predictions among the `limit` best of their image and category: bool[predictions]; None when all are.

    order: see `score_order`. Computed once for each limit.
    """
    kept: npt.NDArray[np.bool_] | None = tables.derived(
        "prediction", f"among {limit}", lambda: _among(tables, order, limit)
    )
    return kept


def _among(tables: Tables, order: Rows, limit: int) -> npt.NDArray[np.bool_] | None:
    offsets = tables.offsets("prediction")
    crowded = np.diff(offsets) > limit
    if not crowded.any():
        return None
    image, category = tables.values("prediction", "image_row"), tables.values("prediction", "category_row")
    ordered = order[crowded[image[order]]]
    cell = image[ordered].astype(np.int64) * tables.count("category") + category[ordered]
    by_cell = stable_order(cell, tables.count("image") * tables.count("category"))
    kept = np.ones(len(order), bool)
    kept[ordered[by_cell]] = place_in_run(cell[by_cell]) < limit
    return kept
