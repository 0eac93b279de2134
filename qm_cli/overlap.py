"""How much a label and a prediction overlap: one measure for each task."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.arrays import one_chunk, to_numpy
from qm_cli.kernels import geometry_iou
from qm_cli.kernels.iou import box_iou
from qm_cli.kernels.keypoint_similarity import keypoint_similarity
from qm_cli.kernels.mask_iou import mask_iou
from qm_cli.kernels.runs import Runs, decoded
from qm_cli.tables import MASKS, Tables

Rows = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
Geometries = npt.NDArray[np.object_]


def overlap(
    tables: Tables,
    task: str,
    label: Rows,
    prediction: Rows,
    crowd: npt.NDArray[np.bool_] | None = None,
    lowest: float = 0.0,
) -> Numbers:
    """Overlap of each label row with the prediction row in the same place: float64[n], 0..1.

    task: "bbox" is the IoU of axis-aligned boxes, "segm" of masks, "keypoints" the similarity of keypoints, "obb" the
    IoU of rotated boxes, "polyline" and "point" that of what lies within the buffer around them. crowd: pairs whose
    intersection is divided by the prediction's area alone, bool[n]; none by default. lowest: what surely is below may
    be given as 0. Pairs that stand together by image and label are quickest.
    """
    crowd = np.zeros(len(label), bool) if crowd is None else crowd
    if task == "bbox" or len(label) == 0:
        label_boxes = tables.values("label", "bbox").take(label, axis=0)
        return box_iou(label_boxes, tables.values("prediction", "bbox").take(prediction, axis=0), crowd)
    if task == "segm":
        return mask_iou(masks(tables, "label"), masks(tables, "prediction"), label, prediction, crowd, lowest)
    if task == "keypoints":
        return _similarity(tables, label, prediction, lowest)
    shapes = [geometries(tables, level, task) for level in ("label", "prediction")]
    return geometry_iou.geometry_iou(shapes[0], shapes[1], label, prediction, crowd)


def overlap_of_labels(tables: Tables, task: str, row: Rows, other: Rows) -> Numbers:
    """Overlap of label rows with the other label row in the same place, crowds like any: float64[n], 0..1."""
    none = np.zeros(len(row), bool)
    if task == "bbox" or len(row) == 0:
        boxes = tables.values("label", "bbox")
        return box_iou(boxes.take(row, axis=0), boxes.take(other, axis=0), none)
    if task == "segm":
        return mask_iou(masks(tables, "label"), masks(tables, "label"), row, other, none)
    if task == "keypoints":
        points, areas = tables.values("label", "keypoints"), to_numpy(tables.label["area"])
        sigmas = np.array(tables.measure.sigmas)
        return keypoint_similarity(points, tables.values("label", "bbox"), areas, points, row, other, sigmas)
    shapes = geometries(tables, "label", task)
    return geometry_iou.geometry_iou(shapes, shapes, row, other, none)


def remember(tables: Tables, task: str, label: Rows, prediction: Rows, overlaps: Numbers) -> None:
    """Keep overlaps of pairs without crowds for `overlap_again`: those of shapes, which take long to compare."""
    if task == "bbox" or len(label) == 0:
        return
    keys = _pair_keys(tables, label, prediction)
    order = np.argsort(keys, kind="stable")
    tables.derived("pair", task, list).append((keys[order], overlaps[order]))


def overlap_again(tables: Tables, task: str, label: Rows, prediction: Rows) -> Numbers:
    """As `overlap` without crowds, for pairs of which most were compared before."""
    parts = [] if task == "bbox" else tables.derived("pair", task, list)
    if not parts:
        return overlap(tables, task, label, prediction)
    found, keys = np.full(len(label), np.nan), _pair_keys(tables, label, prediction)
    for known, values in parts:
        place = np.searchsorted(known, keys).clip(max=len(known) - 1)
        found = np.where(known[place] == keys, values[place], found)
    new = np.flatnonzero(np.isnan(found))
    found[new] = overlap(tables, task, label[new], prediction[new])
    return found


def _pair_keys(tables: Tables, label: Rows, prediction: Rows) -> Rows:
    keys: Rows = prediction * np.int64(tables.count("label")) + label
    return keys


def prediction_areas(tables: Tables) -> Numbers:
    """The area of each prediction that area ranges go by: of its shape, or its box: float64[predictions]."""
    if tables.measure.task != "bbox" and tables.count("prediction"):
        return tables.values("prediction", "shape_area")
    boxes = tables.values("prediction", "bbox")
    areas: Numbers = boxes[:, 2] * boxes[:, 3]
    return areas


def masks(tables: Tables, level: str) -> Runs:
    """The masks of labels or predictions, read from their texts once; none where there is no row, whatever columns."""

    def read() -> Runs:
        if not tables.count(level):
            return decoded(np.zeros(0, np.uint8), np.zeros(1, np.int64), np.zeros((0, 2), np.int64))
        texts = one_chunk(tables.table(level)["mask_counts"])
        offsets = np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1, texts.offset * 4).astype(np.int64)
        text = np.frombuffer(texts.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
        return decoded(text, offsets - offsets[0], tables.values(level, "mask_size").astype(np.int64))

    found: Runs = tables.derived(level, MASKS, read)
    return found


def geometries(tables: Tables, level: str, task: str) -> Geometries:
    """The area that each label or prediction covers under a task of shapes: shapely geometries, object[n]."""

    def make() -> Geometries:
        if task == "obb":
            return geometry_iou.quadrilaterals(tables.values(level, "corners"))
        if task == "point":
            return geometry_iou.discs(tables.values(level, "point"), tables.measure.buffer)
        return geometry_iou.around(tables.table(level)["polyline"].to_pylist(), tables.measure.buffer)

    found: Geometries = tables.derived(level, "geometries", make)
    return found


def _similarity(tables: Tables, label: Rows, prediction: Rows, lowest: float) -> Numbers:
    """Of the rows between the first and the last that are asked for."""
    first_label, first = label.min(), prediction.min()
    own, other = slice(first_label, label.max() + 1), slice(first, prediction.max() + 1)
    return keypoint_similarity(
        tables.values("label", "keypoints")[own],
        tables.values("label", "bbox")[own],
        to_numpy(tables.label["area"])[own],
        tables.values("prediction", "keypoints")[other],
        label - first_label,
        prediction - first,
        np.array(tables.measure.sigmas),
        lowest,
    )
