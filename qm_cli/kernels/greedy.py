"""COCO's greedy matching for all images at once: each detection, by falling score, takes its best free label.

Lanes are (IoU threshold, area range) combinations. Uncontested detections (one candidate label, touched by no other
contested detection) need no rounds: the first by score wins. The rest is matched in rounds, round r taking the r-th
contested detection of every cell in all lanes together.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.kernels.segments import expand, numbered, place_in_run, starts_of

IntArray = npt.NDArray[np.integer]
BoolArray = npt.NDArray[np.bool_]
MATCH_BOUND = 1 - 1e-10
LEAST_OVERLAP = float(np.nextafter(0, 1))


class Candidates(Struct, frozen=True):
    """Pairs sorted by (detection, label); detections are numbered in (cell, −score) order, labels in input order.

    detection, label: int[pairs]; iou: float64[pairs]; cell: int[detections]; crowd: bool[labels];
    ignored: bool[areas, labels], labels that do not count in an area range.
    """

    detection: IntArray
    label: IntArray
    iou: npt.NDArray[np.float64]
    cell: IntArray
    crowd: BoolArray
    ignored: BoolArray


class Lanes(Struct, frozen=True):
    """threshold: float64[lanes]; area: int[lanes], row of `Candidates.ignored`."""

    threshold: npt.NDArray[np.float64]
    area: npt.NDArray[np.int64]


def match_bound(threshold: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The least IoU that matches at a threshold: pycocotools' min(t, 1 − 1e-10); at 0 any overlap at all.

    >>> match_bound([0.5, 1.0, 0.0]).tolist()
    [0.5, 0.9999999999, 5e-324]
    """
    return np.clip(threshold, LEAST_OVERLAP, MATCH_BOUND)


def match(candidates: Candidates, lanes: Lanes) -> npt.NDArray[np.int32]:
    """The label each detection takes in each lane: int32[lanes, detections], −1 for none.

    Reference: pycocotools 2.0.11 `evaluateImg`. The later label wins a tie of IoU; labels that are not ignored are
    tried first; a crowd label may be taken by many.
    """
    matched = np.full((len(lanes.threshold), len(candidates.cell)), -1, np.int32)
    bound = match_bound(lanes.threshold)
    contested = _contested(candidates)
    lone = ~contested[candidates.detection]
    _match_uncontested(candidates, lone, bound, matched)
    if contested.any():
        _match_contested(candidates, contested, bound, lanes.area, matched)
    return matched


def _contested(candidates: Candidates) -> BoolArray:
    """Detections with several candidates or a crowd candidate, and those that share a label with one: bool[n].

    One that becomes contested through a shared label has that one candidate only, so one pass closes the relation.
    """
    contested = np.bincount(candidates.detection, minlength=len(candidates.cell)) > 1
    contested[candidates.detection[candidates.crowd[candidates.label]]] = True
    shared = np.zeros(len(candidates.crowd), bool)
    shared[candidates.label[contested[candidates.detection]]] = True
    contested[candidates.detection[shared[candidates.label]]] = True
    return contested


def _match_uncontested(
    candidates: Candidates, lone: BoolArray, bound: npt.NDArray[np.float64], matched: npt.NDArray[np.int32]
) -> None:
    """First detection in score order per label and threshold; assignment in reverse order leaves the first in place."""
    detection, label, iou = candidates.detection[lone][::-1], candidates.label[lone][::-1], candidates.iou[lone][::-1]
    first = np.empty(len(candidates.crowd), np.int64)
    for threshold in sorted(set(bound.tolist())):
        passed = np.flatnonzero(iou >= threshold)
        first[label[passed]] = detection[passed]
        winners = passed[first[label[passed]] == detection[passed]]
        lanes = np.flatnonzero(bound == threshold)
        matched[lanes[0], detection[winners]] = label[winners]
        matched[lanes[1:]] = matched[lanes[0]]


def _match_contested(
    candidates: Candidates,
    contested: BoolArray,
    bound: npt.NDArray[np.float64],
    area: IntArray,
    matched: npt.NDArray[np.int32],
) -> None:
    """Rounds over the contested detections, best label first: not ignored, then highest IoU, then the later label.

    Of a detection's pairs the better stands later, so a pair's number says its rank, and more says that its label is
    not ignored.
    """
    chosen = np.flatnonzero(contested[candidates.detection])
    chosen = chosen[np.lexsort((candidates.iou[chosen], candidates.detection[chosen]))]
    detection, iou = candidates.detection[chosen], candidates.iou[chosen]
    labels, label = numbered(candidates.label[chosen])
    crowd, ignored = candidates.crowd[labels], candidates.ignored[:, labels][area]
    more = len(chosen)
    worth = np.where(ignored.T, 0, more)
    starts = starts_of(detection)
    counts = np.diff(np.append(starts, len(detection)))
    owners = detection[starts]
    rounds = place_in_run(candidates.cell[owners])
    by_round = np.argsort(rounds, kind="stable")
    ends = np.cumsum(np.bincount(rounds))
    for begin, end in zip(np.append(0, ends[:-1]), ends, strict=True):
        runs = by_round[begin:end]
        sizes = counts.take(runs)
        pairs = expand(starts.take(runs), sizes)
        rank = worth.take(label.take(pairs), axis=0)
        rank += pairs[:, None]
        rank[iou.take(pairs)[:, None] < bound] = -1
        best = np.maximum.reduceat(rank, np.cumsum(sizes) - sizes, axis=0)
        run, lane = np.nonzero(best >= 0)
        winner = label.take(best[run, lane] % more)
        matched[lane, owners[runs[run]]] = labels[winner]
        gone = ~crowd[winner]
        worth[winner[gone], lane[gone]] = -2 * more
