from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask

from qm_cli.kernels import runs
from qm_cli.kernels.runs import Runs, decoded, encoded
from tests.shape_sets import bitmap, compressed


def runs_of(masks: list[dict[str, Any]]) -> Runs:
    texts = [one["counts"].encode() for one in masks]
    offsets = np.append(0, np.cumsum([len(text) for text in texts]))
    sizes = np.array([one["size"] for one in masks]).reshape(-1, 2)
    return decoded(np.frombuffer(b"".join(texts), np.uint8), offsets, sizes)


def ends_of(pixels: np.ndarray) -> list[int]:
    """Where the runs end, background first: a plain loop."""
    flat = pixels.T.ravel().tolist()
    ends, value = [], 0
    for place, pixel in enumerate(flat):
        if pixel != value:
            ends.append(place)
            value = pixel
    return [*ends, len(flat)]


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_as_pycocotools(seed: int) -> None:
    random = np.random.default_rng(seed)
    pixels = [bitmap(random) for _ in range(random.integers(1, 8))]
    masks = [compressed(one) for one in pixels]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "TEXT_AT_ONCE", int(random.choice([5, 50, 1000])))
        found = runs_of(masks)
    assert found.good.all()
    assert found.area.tolist() == [float(mask.area(one)) for one in masks]
    assert found.box.tolist() == [mask.toBbox(one).tolist() for one in masks]
    for row, one in enumerate(pixels):
        assert found.end[found.start[row] : found.start[row + 1]].tolist() == ends_of(one)
    lengths = [np.diff([0, *ends_of(one)]) for one in pixels]
    text, offsets = encoded(np.concatenate(lengths), np.cumsum([0, *map(len, lengths)]))
    cut = [text[a:b].tobytes().decode() for a, b in pairwise(offsets)]
    assert cut == [one["counts"] for one in masks]


@pytest.mark.parametrize("counts", ["", "P", "~~", "1", "h61", "ooooooooo0", "O:", "61O"])
def test_broken_masks_stand_alone(counts: str) -> None:
    whole = compressed(np.eye(4, 5, dtype=np.uint8))
    found = runs_of([whole, {"size": [4, 5], "counts": counts}, whole])
    assert found.good.tolist() == [True, False, True]
    assert found.area.tolist() == [4.0, 0.0, 4.0]
    assert np.diff(found.start).tolist() == [9, 0, 9]


@pytest.mark.parametrize("size", [[0, 5], [-4, -5], [2**40, 2**40], [5, 5]])
def test_impossible_sizes(size: list[int]) -> None:
    assert not runs_of([{"size": size, "counts": compressed(np.eye(4, 5, dtype=np.uint8))["counts"]}]).good.any()


def test_sums_beyond_64_bits_and_32_bits_are_no_mask() -> None:
    """Runs whose sum is the mask's size only modulo 2³²."""
    lengths = np.array([2**31 - 1, 2**31 - 1, 22])
    text, offsets = encoded(lengths, np.array([0, 3]))
    assert not decoded(text, offsets, np.array([[4, 5]])).good.any()


def test_negative_runs_are_no_mask() -> None:
    assert not runs_of([{"size": [4, 5], "counts": mask_text([25, -10, 5])}]).good.any()


def mask_text(values: list[int]) -> str:
    """The text of raw values, five bits a character."""
    text = ""
    for value in values:
        more = True
        while more:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            text += chr(48 + bits + (32 if more else 0))
    return text


def test_none() -> None:
    found = decoded(np.zeros(0, np.uint8), np.zeros(1, np.int64), np.zeros((0, 2), np.int64))
    assert found.start.tolist() == [0]
    assert len(found.area) == 0


def test_take() -> None:
    random = np.random.default_rng(0)
    masks = [compressed(bitmap(random)) for _ in range(4)]
    some, expected = runs_of(masks).take(np.array([2, 0])), runs_of([masks[2], masks[0]])
    for name in ("start", "end", "height", "area", "box", "good"):
        assert getattr(some, name).tolist() == getattr(expected, name).tolist()
