"""Where an image stands in its video: what every metric of sequences starts from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qm_cli.errors import UsageError
from qm_cli.kernels.sequences import codes_of, frame_runs, known_values
from qm_cli.metric import metric, tell

FloatArray = npt.NDArray[np.float64]


class FramePlace(NamedTuple):
    """frame_place, frame_run, video_number: float64[n], NaN for an image that is in no sequence."""

    frame_place: FloatArray
    frame_run: FloatArray
    video_number: FloatArray


@metric(level="image", kind="data", unit="frame", range=(0, None), better="neither")
def frame_place(video_id: npt.NDArray[Any], frame: npt.NDArray[Any], *, max_step: float = 1.0) -> FramePlace:
    """Place of the image in its unbroken run of frames, from 0; what frames follow each other is decided here.

    The images of a `video_id` by `frame`, a number or a text of digits; images that are not listed have no labels, so
    a run ends where the next frame number is more than `max_step` higher: --set frame_place.max_step=10 for videos of
    which every tenth frame is labelled. `frame_run` numbers the runs by video and frame, `video_number` the videos.
    Null without a video or a frame number, and for images that share both.

    >>> frame_place(np.array(["a", "a", "a", "b"], object), np.array([2, 1, 5, 7])).frame_place.tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    if not max_step > 0:
        raise UsageError(f"max_step {max_step:g} is not above 0", "give the largest step between frame numbers")
    video, (number, known) = codes_of(video_id), _frame_numbers(frame)
    runs = frame_runs(video, number, known, max_step)
    there = runs.run >= 0
    _tell_of(video, known, runs.repeated, np.unique(runs.run[there]), np.unique(video[there]), max_step)
    columns = (np.where(there, values, np.nan).astype(np.float64) for values in (runs.place, runs.run, video))
    return FramePlace(*columns)


def _frame_numbers(frame: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Frame numbers, and which of them are: numbers and texts of digits; neither flags nor infinity."""
    if frame.dtype.kind in "iuf":
        return frame, np.isfinite(frame)
    numbers = np.zeros(len(frame))
    if frame.dtype.kind == "b":
        return numbers, np.zeros(len(frame), bool)
    known = known_values(frame)
    text = frame[known].astype(str)
    digits = np.char.isdecimal(text)
    known[known] = digits
    numbers[known] = text[digits].astype(np.float64)
    return numbers, known & np.isfinite(numbers)


def _tell_of(
    video: npt.NDArray[np.int64],
    known: npt.NDArray[np.bool_],
    repeated: npt.NDArray[np.bool_],
    runs: npt.NDArray[np.int64],
    videos: npt.NDArray[np.int64],
    max_step: float,
) -> None:
    """What keeps images out of the sequences, and where sequences are broken."""
    alone = video < 0
    for count, what in (
        (int(alone.sum()), "without a video_id"),
        (int((~known & ~alone).sum()), "with a video_id but no number as frame"),
        (int(repeated.sum()), "with the video_id and frame of another image"),
    ):
        if count:
            tell(f"sequences: {count} of {len(video)} images {what}: in no sequence")
    gaps = len(runs) - len(videos)
    if gaps:
        tell(
            f"sequences: broken at {gaps} steps of more than {max_step:g} between frame numbers; "
            "--set frame_place.max_step=N allows steps up to N"
        )
