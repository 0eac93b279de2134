"""What kind of error each prediction and each missed label is, as TIDE tells them apart.

Reference: Bolya et al., TIDE: A General Toolbox for Identifying Object Detection Errors, 2020, and its package tidecv.
The 100 best predictions of an image take part, over all categories and whatever their score. By falling score each
takes the free label of its category with the largest IoU, the first of several equal ones, if that reaches t_f. What
takes none is an error of the first kind that fits:

* an image without labels: background
* t_b ≤ largest IoU with a label of its category ≤ t_f: localisation
* largest IoU with a label of another category ≥ t_f: classification
* IoU ≥ t_f with a label of its category that is taken: duplicate
* largest IoU with any label ≤ t_b: background
* else: both

A label that nobody took is missed, unless a localisation or classification error aims at it. Predictions on a crowd
region are left out of AP, but are errors too. Labels without keypoints are such regions where keypoints are compared.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.error_names import BACKGROUND, BOTH, CLASSIFICATION, DUPLICATE, LOCALISATION, MISSED, NONE
from qm_cli.kernels.greedy import Candidates, Lanes, match
from qm_cli.kernels.order import order_by_score
from qm_cli.kernels.segments import place_in_run, starts_of
from qm_cli.label_flags import posed_labels
from qm_cli.pairs import LOWEST_IOU, Pairs
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]
CodeArray = npt.NDArray[np.int8]

BACKGROUND_IOU = LOWEST_IOU
DETECTIONS_PER_IMAGE = 100


class ErrorKinds(Struct, frozen=True):
    """Kinds are places in KINDS, −1 where there is no error.

    prediction_kind: int8[predictions]. label_kind: int8[labels]; of a label that nobody took missed, or the kind of the
    best-scored error that aims at it. taking_part: among the best of its image, bool[predictions]. taken: the label row
    a prediction took, else −1, int64[predictions]. aimed_at: the label row a localisation or classification error aims
    at, else −1, int64[predictions]. best_error: the best-scored error aimed at a label nobody took, bool[predictions].
    suppressed: errors on a crowd region of their category, bool[predictions].
    """

    prediction_kind: CodeArray
    label_kind: CodeArray
    taking_part: BoolArray
    taken: RowArray
    aimed_at: RowArray
    best_error: BoolArray
    suppressed: BoolArray


class _Near(Struct, frozen=True):
    """Pairs by (prediction row, label row): rows int64[n], iou float64[n], of one category bool[n]."""

    prediction: RowArray
    label: RowArray
    iou: FloatArray
    same: BoolArray

    def where(self, chosen: BoolArray) -> _Near:
        places = np.flatnonzero(chosen)
        rows = (self.prediction.take(places), self.label.take(places))
        return _Near(*rows, self.iou.take(places), self.same.take(places))


def error_kinds(tables: Tables, pairs: Pairs, threshold: float = 0.5) -> ErrorKinds:
    """The kind of every error. threshold: t_f, above .1, which is t_b."""
    part = best_of_each_image(tables, DETECTIONS_PER_IMAGE)
    real, crowd = _near_pairs(tables, pairs, part)
    taken = _taken_labels(tables, real.where(real.same & (real.iou >= threshold)))
    wrong = part & (taken < 0)
    suppressed = np.zeros(len(part), bool)
    suppressed[crowd.prediction[crowd.same & (crowd.iou > threshold)]] = True
    suppressed &= wrong
    label_free = posed_labels(tables, tables.measure.task)
    label_free[taken[taken >= 0]] = False
    kind, aimed_at = _kinds(real.where(wrong.take(real.prediction)), wrong, label_free, threshold)
    label_kind = np.where(label_free, MISSED, NONE).astype(np.int8)
    best = _best_errors(tables, aimed_at, label_free)
    label_kind[aimed_at[best]] = kind[best]
    best_error = np.zeros(len(part), bool)
    best_error[best] = True
    return ErrorKinds(kind, label_kind, part, taken, aimed_at, best_error, suppressed)


def best_of_each_image(tables: Tables, limit: int) -> BoolArray:
    """Predictions among the `limit` best of their image, ties by input order: bool[predictions]."""
    image = tables.values("prediction", "image_row")
    kept = np.ones(len(image), bool)
    crowded = np.diff(tables.offsets("prediction")) > limit
    if crowded.any():
        rows = np.flatnonzero(crowded.take(image))
        score = tables.values("prediction", "score").take(rows)
        rows = rows.take(order_by_score(image.take(rows), tables.count("image"), score))
        kept[rows] = place_in_run(image.take(rows)) < limit
    return kept


def _near_pairs(tables: Tables, pairs: Pairs, part: BoolArray) -> tuple[_Near, _Near]:
    """The pairs of the predictions that take part, with labels and with crowd regions."""
    predicted, labelled = tables.values("prediction", "category_row"), tables.values("label", "category_row")
    same = predicted.take(pairs.prediction_row) == labelled.take(pairs.label_row)
    near = _Near(pairs.prediction_row, pairs.label_row, pairs.iou, same)
    real = posed_labels(tables, tables.measure.task).take(pairs.label_row)
    inside = part.take(pairs.prediction_row)
    return near.where(inside & real), near.where(inside & ~real)


def _taken_labels(tables: Tables, near: _Near) -> RowArray:
    """The label row each prediction takes among these pairs, −1 for none: int64[predictions].

    The matching kernel gives a tie to the pair that stands later, so each prediction's labels stand in reverse.
    """
    taken = np.full(tables.count("prediction"), -1, np.int64)
    starts = starts_of(near.prediction)
    rows = near.prediction[starts]
    categories = max(tables.count("category"), 1)
    cell = tables.values("prediction", "image_row").take(rows) * np.int64(categories)
    cell += tables.values("prediction", "category_row").take(rows)
    order = order_by_score(cell, tables.count("image") * categories, tables.values("prediction", "score").take(rows))
    number = np.empty(len(rows), np.int64)
    number[order] = np.arange(len(rows))
    detection = np.repeat(number, np.diff(np.append(starts, len(near.prediction))))[::-1]
    by_detection = np.argsort(detection, kind="stable")
    label, iou = near.label[::-1].take(by_detection), near.iou[::-1].take(by_detection)
    no_label = np.zeros(tables.count("label"), bool)
    candidates = Candidates(detection.take(by_detection), label, iou, cell.take(order), no_label, no_label[None])
    taken[rows.take(order)] = match(candidates, Lanes(np.zeros(1), np.zeros(1, np.int64)))[0]
    return taken


def _kinds(near: _Near, wrong: BoolArray, label_free: BoolArray, threshold: float) -> tuple[CodeArray, RowArray]:
    """Kind of each prediction and the label it aims at, −1 for none."""
    kind = np.where(wrong, BACKGROUND, NONE).astype(np.int8)
    aimed_at = np.full(len(wrong), -1, np.int64)
    starts = starts_of(near.prediction)
    if len(starts) == 0:
        return kind, aimed_at
    rows = near.prediction[starts]
    own, own_label = _largest(near, near.same, starts)
    other, other_label = _largest(near, ~near.same, starts)
    doubled, _ = _largest(near, near.same & ~label_free.take(near.label), starts)
    fits = [
        other >= threshold,
        (own >= BACKGROUND_IOU) & (own <= threshold),
        np.maximum(own, other) > BACKGROUND_IOU,
        doubled >= threshold,
    ]
    kind[rows] = np.select(
        [fits[kind] for kind in (LOCALISATION, CLASSIFICATION, DUPLICATE, BOTH)],
        [LOCALISATION, CLASSIFICATION, DUPLICATE, BOTH],
        BACKGROUND,
    )
    labels = np.stack([other_label, own_label])
    aiming = np.flatnonzero(kind[rows] <= LOCALISATION)
    aimed_at[rows[aiming]] = labels[kind[rows[aiming]], aiming]
    return kind, aimed_at


def _largest(near: _Near, chosen: BoolArray, starts: RowArray) -> tuple[FloatArray, RowArray]:
    """Largest IoU of the chosen pairs in each run and the label of the first pair with it; −1 and any without one."""
    value = np.where(chosen, near.iou, -1.0)
    top = np.maximum.reduceat(value, starts)
    counts = np.diff(np.append(starts, len(value)))
    place = np.where(value == np.repeat(top, counts), np.arange(len(value)), len(value))
    return top, near.label.take(np.minimum.reduceat(place, starts))


def _best_errors(tables: Tables, aimed_at: RowArray, label_free: BoolArray) -> RowArray:
    """Of the errors that aim at one label nobody took the best-scored, ties by input order: prediction rows."""
    rows = np.flatnonzero(aimed_at >= 0)
    rows = rows[label_free[aimed_at[rows]]]
    label = aimed_at[rows]
    rows = rows[np.lexsort((rows, -tables.values("prediction", "score")[rows], label))]
    return rows[starts_of(aimed_at[rows])]
