"""Labels along a video: objects that change name, vanish for a frame, are hidden or change shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.errors import UsageError
from qm_cli.kernels.moments import shape_log_hu
from qm_cli.kernels.segments import reduce_runs, starts_of
from qm_cli.kernels.sequences import best_overlaps, codes_of, frame_keys, running_cosines, scaled_differences
from qm_cli.metric import metric

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
ObjectArray = npt.NDArray[np.object_]

ROUNDING = 1e-12
"""An area is below the track's mean only by more than this share of the track's range."""


@metric(level="label", kind="label", unit="share", range=(0, 1), better="higher")
def track_consistency(
    bbox: FloatArray,
    category_row: IntArray,
    image_frame_place: FloatArray,
    image_frame_run: FloatArray,
    track_id: npt.NDArray[Any] | None = None,
    *,
    threshold: float = 0.8,
) -> FloatArray:
    """Whether the same object was called the same in the frame before, 0..1; low = category or track changed.

    Of the labels in the frame before, of any category, the one with the largest IoU (the earlier of two): if the IoU is
    above `threshold` and the category or the track differs, 1 − IoU, else 1. As Encord Active's "Inconsistent Object
    Classification and Track IDs". A track that is not given differs from none. Null without a box and in the first
    frame of a run (see image.frame_place).

    >>> boxes, frame = np.array([[0.0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 9]]), np.array([0.0, 1, 2])
    >>> track_consistency(boxes, np.array([0, 1, 1]), frame, np.zeros(3)).round(6).tolist()
    [nan, 0.1, 1.0]
    """
    run, place = _whole(image_frame_run), _whole(image_frame_place)
    overlap, before = best_overlaps(bbox, frame_keys(run, place, 0), frame_keys(run, place, -1))
    differs = category_row[before] != category_row
    if track_id is not None:
        differs |= _other_track(codes_of(track_id), before)
    consistency = np.where((before >= 0) & (overlap > threshold) & differs, 1 - overlap, 1.0)
    return np.where((place > 0) & ~np.isnan(bbox).any(axis=1), consistency, np.nan)


@metric(level="label", kind="label", unit="score", range=(0, 1), better="higher")
def missing_next(
    bbox: FloatArray,
    category_row: IntArray,
    image_frame_place: FloatArray,
    image_frame_run: FloatArray,
    track_id: npt.NDArray[Any] | None = None,
    *,
    gap: int = 2,
    threshold: float = 0.5,
) -> FloatArray:
    """Whether the object is missing between this frame and the one two further, 0..1; 0 = missing, 0.5 = track broken.

    Present means: the frame `gap` further has a label of the category with IoU ≥ threshold / 2. Then, if a frame
    between has none of the category with IoU > threshold, 0; if one of those, the nearest by IoU in its frame, is of
    another track, 0.5. Else 1, and so where no frame `gap` further is in the run (see image.frame_place). As Encord
    Active's "Missing Objects and Broken Tracks". A track that is not given differs from none. Null without a box or a
    place in a video.

    >>> boxes, place = np.array([[0.0, 0, 10, 10], [50, 50, 5, 5], [0, 0, 10, 9]]), np.array([0.0, 1, 2])
    >>> missing_next(boxes, np.zeros(3, int), place, np.zeros(3)).tolist()
    [0.0, 1.0, 1.0]
    """
    if gap < 2:
        raise UsageError(f"gap {gap} leaves no frame between", "give 2 or more")
    run, place = _whole(image_frame_run), _whole(image_frame_place)
    track = np.full(len(run), -1, np.int64) if track_id is None else codes_of(track_id)
    kinds = int(category_row.max(initial=0)) + 1
    key = _of_category(frame_keys(run, place, 0), category_row, kinds)
    missing, broken = np.zeros(len(run), bool), np.zeros(len(run), bool)
    for distance in range(1, gap + 1):
        overlap, other = best_overlaps(bbox, key, _of_category(frame_keys(run, place, distance), category_row, kinds))
        broken |= _other_track(track, other)
        if distance < gap:
            missing |= overlap <= threshold
    present = (other >= 0) & (overlap >= threshold / 2)
    score = np.where(present & missing, 0.0, np.where(present & broken, 0.5, 1.0))
    return np.where((run >= 0) & ~np.isnan(bbox).any(axis=1), score, np.nan)


@metric(level="label", kind="label", unit="distance", range=(0, None), better="lower")
def occlusion(
    area_absolute: FloatArray,
    aspect_ratio: FloatArray,
    image_row: IntArray,
    track_id: npt.NDArray[Any],
    image_video_number: FloatArray,
    *,
    threshold: float = 0.3,
    min_frames: int = 5,
) -> FloatArray:
    """How far the object is from its usual size and shape where it is smaller than usual, 0..√2; high = hidden.

    Area and aspect ratio, each scaled to 0..1 between the track's least and largest: the distance from the track's mean
    where that is above `threshold` and the area below its mean, else 0. As Encord Active's "Detect Occlusion in Video".
    Null without area or track, outside of videos, and for tracks seen in fewer than `min_frames` frames.

    >>> area, ratio = np.array([100.0, 100, 100, 100, 50]), np.array([2.0, 2, 2, 2, 1])
    >>> occlusion(area, ratio, np.arange(5), np.full(5, 7), np.zeros(5)).round(4).tolist()
    [0.0, 0.0, 0.0, 0.0, 1.1314]
    """
    values = np.stack([area_absolute, aspect_ratio], axis=1)
    track = _tracks(track_id, image_video_number)
    rows = np.flatnonzero((track >= 0) & np.isfinite(values).all(axis=1))
    rows = rows[np.lexsort((image_row[rows], track[rows]))]
    away = scaled_differences(values[rows], track[rows])
    distance = np.sqrt((away**2).sum(axis=1))
    hidden = np.where((away[:, 0] < -ROUNDING) & (distance > threshold), distance, 0.0)
    occluded = np.full(len(track), np.nan)
    occluded[rows] = np.where(_frames(track[rows], image_row[rows]) >= min_frames, hidden, np.nan)
    return occluded


@metric(level="label", kind="label", unit="cosine", range=(-1, 1), better="higher")
def shape_similarity(
    bbox: FloatArray,
    track_id: npt.NDArray[Any],
    image_video_number: FloatArray,
    image_frame_run: FloatArray,
    image_frame_place: FloatArray,
    segmentation: ObjectArray | None = None,
    *,
    decay: float = 0.5,
) -> FloatArray:
    """How much the shape is like the track's until then, −1..1; low = the shape changed.

    Cosine of Hu's moments on a logarithmic scale (as `shape_anomaly`) with their running mean over the track's earlier
    labels, which starts at the first and then is decay · mean + (1 − decay) · moments. Encord Active's "Polygon Shape
    Similarity" takes the raw moments, of which the first hides all others. Null without area or track, outside of
    videos, and for the first label of a track.

    >>> boxes, one = np.array([[0.0, 0, 8, 4], [2, 2, 16, 8], [2, 2, 4, 4]]), np.zeros(3)
    >>> shape_similarity(boxes, np.full(3, 7), one, one, np.array([0.0, 1, 2])).round(4).tolist()
    [nan, 1.0, 0.7853]
    """
    if not 0 <= decay < 1:
        raise UsageError(f"decay {decay:g} is not in 0 … below 1", "give the share that the past keeps")
    moments, _ = shape_log_hu(bbox, segmentation)
    track = _tracks(track_id, image_video_number)
    rows = np.flatnonzero((track >= 0) & np.isfinite(moments).all(axis=1))
    rows = rows[np.lexsort((image_frame_place[rows], image_frame_run[rows], track[rows]))]
    similarity = np.full(len(track), np.nan)
    similarity[rows] = running_cosines(moments[rows], track[rows], decay)
    return similarity


def _whole(values: FloatArray) -> RowArray:
    """Numbers of frames and runs as integers, −1 for none."""
    return np.where(np.isnan(values), -1, values).astype(np.int64)


def _of_category(key: RowArray, category_row: IntArray, kinds: int) -> RowArray:
    """The same number for labels of one frame and category, −1 for no frame."""
    return np.where(key >= 0, key * kinds + category_row, -1)


def _other_track(track: RowArray, other: RowArray) -> BoolArray:
    """Whether the label in row `other` is of another track; False where one of the two is not known."""
    differs: BoolArray = (other >= 0) & (track >= 0) & (track[other] >= 0) & (track[other] != track)
    return differs


def _tracks(track_id: npt.NDArray[Any], video_number: FloatArray) -> RowArray:
    """A number for each track of each video, −1 without one: the same id in two videos is two tracks."""
    track = codes_of(track_id)
    tracks = int(track.max(initial=0)) + 1
    return np.where((track >= 0) & ~np.isnan(video_number), np.nan_to_num(video_number) * tracks + track, -1).astype(
        np.int64
    )


def _frames(track: RowArray, image: IntArray) -> RowArray:
    """In how many images the track of each row is: int64[n]; rows are sorted by track and image."""
    starts = starts_of(track)
    new = np.ones(len(track), bool)
    new[1:] = (track[1:] != track[:-1]) | (image[1:] != image[:-1])
    counts = reduce_runs(np.add, new.astype(np.int64), np.append(starts, len(track)), 0.0)
    return np.repeat(counts, np.diff(np.append(starts, len(track)))).astype(np.int64)
