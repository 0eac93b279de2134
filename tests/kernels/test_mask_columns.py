from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qm_cli.kernels.mask_columns import shared_columns
from qm_cli.kernels.runs import Runs, decoded, encoded

HEIGHT, WIDTH = 7, 9


def pixels_of(counts: list[int]) -> np.ndarray:
    """0 and 1 of one mask, column by column: a plain loop."""
    return np.concatenate([np.full(count, number % 2) for number, count in enumerate(counts)])


def runs_of(masks: list[list[int]]) -> Runs:
    start = np.cumsum([0, *map(len, masks)])
    text, offsets = encoded(np.concatenate(masks), start)
    return decoded(text, offsets, np.tile([HEIGHT, WIDTH], (len(masks), 1)))


def filled(lengths: list[int]) -> list[int]:
    """Runs that fill the mask: these as far as they go, and one that takes the rest."""
    room = HEIGHT * WIDTH
    counts = []
    for length in lengths:
        counts.append(min(length, room))
        room -= counts[-1]
    return [*counts, room]


masks = st.lists(st.integers(0, 5), max_size=40).map(filled)


@settings(max_examples=200)
@given(st.lists(masks, min_size=2, max_size=40))
def test_as_pixel_by_pixel(drawn: list[list[int]]) -> None:
    found = runs_of(drawn)
    assert found.good.all()
    fit = np.flatnonzero(found.within & (found.area > 0))
    assume(len(fit) > 1)
    mask, other = (side.ravel() for side in np.meshgrid(fit, fit))
    pixels = [pixels_of(one) for one in drawn]
    expected = [float((pixels[a] & pixels[b]).sum()) for a, b in zip(mask, other, strict=True)]
    assert shared_columns(found, found, mask, other).tolist() == expected


@settings(max_examples=200)
@given(masks)
def test_flags_as_column_by_column(counts: list[int]) -> None:
    """Within: no run holds pixels of two columns; single: each column of the box has one run."""
    found = runs_of([counts])
    flat = pixels_of(counts)
    assume(0 not in counts[1:] and flat.any())
    owner = np.repeat(np.arange(len(counts)), counts)
    columns = [set(np.flatnonzero(owner == run) // HEIGHT) for run in range(1, len(counts), 2)]
    within = all(len(one) == 1 for one in columns)
    held = [column for one in columns for column in one]
    assert found.within.tolist() == [within]
    assert found.single.tolist() == [within and sorted(held) == list(range(min(held), max(held) + 1))]
