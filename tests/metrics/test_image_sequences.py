from __future__ import annotations

import numpy as np
import pytest

from qm_cli.errors import UsageError
from qm_cli.metric import listening
from qm_cli.metrics import image_sequences
from tests.metrics.examples import Example, check, complete, objects, plain

NAN = float("nan")
TWO_VIDEOS = {"video_id": [7, 7, 5, 7, 5], "frame": [10, 11, 3, 13, 4]}

EXAMPLES = [
    Example(
        image_sequences.frame_place,
        TWO_VIDEOS,
        ([0.0, 1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 0.0, 2.0, 0.0], [1.0, 1.0, 0.0, 1.0, 0.0]),
    ),
    Example(
        image_sequences.frame_place,
        TWO_VIDEOS,
        ([0.0, 1.0, 0.0, 2.0, 1.0], [1.0, 1.0, 0.0, 1.0, 0.0], [1.0, 1.0, 0.0, 1.0, 0.0]),
        {"max_step": 2.0},
    ),
    Example(
        image_sequences.frame_place,
        {"video_id": objects(["a", None, "a", "a", "a", "a"]), "frame": [1.0, 2, NAN, 2, 2, 3]},
        ([0.0, None, None, None, None, 0.0], [0.0, None, None, None, None, 1.0], [0.0, None, None, None, None, 0.0]),
    ),
    Example(
        image_sequences.frame_place,
        {"video_id": [1, 1, 1, 1, 1], "frame": objects(["0009", "10", "last", None, "-3"])},
        ([0.0, 1.0, None, None, None], [0.0, 0.0, None, None, None], [0.0, 0.0, None, None, None]),
    ),
    Example(image_sequences.frame_place, {"video_id": [1, 1], "frame": [True, False]}, ([None] * 2,) * 3),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(image_sequences, EXAMPLES)


def test_what_is_wrong_is_told() -> None:
    video = objects(["a", None, "a", "a", "a", "a"])
    with listening() as notes:
        image_sequences.frame_place(video, np.array([1.0, 2, NAN, 2, 2, 3]))
    assert [note.partition(":")[2].removesuffix(": in no sequence").strip() for note in notes[:3]] == [
        "1 of 6 images without a video_id",
        "1 of 6 images with a video_id but no number as frame",
        "2 of 6 images with the video_id and frame of another image",
    ]
    assert notes[3].startswith(
        "sequences: broken at 1 steps of more than 1 between frame numbers; --set frame_place.max"
    )


def test_a_clean_video_has_no_notes() -> None:
    with listening() as notes:
        image_sequences.frame_place(np.array([1, 1, 2]), np.array([5, 6, 1]))
    assert notes == []


def test_frame_numbers_too_large_for_floats_stay_apart() -> None:
    found = image_sequences.frame_place(np.zeros(2, int), np.array([2**60 + 1, 2**60]))
    assert plain(found.frame_place) == [1, 0]


@pytest.mark.parametrize("step", [0.0, -1.0, NAN])
def test_a_step_that_is_none_is_refused(step: float) -> None:
    with pytest.raises(UsageError, match="is not above 0"):
        image_sequences.frame_place(np.zeros(2, int), np.arange(2), max_step=step)
