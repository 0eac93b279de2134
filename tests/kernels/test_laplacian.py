"""Sums of the Laplacian against the Laplacian itself, in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qm_cli.kernels.laplacian import laplacian_sums

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3]))


def plain(image: np.ndarray) -> tuple[int, int]:
    """The border reflected without its edge; a side of one pixel is its own neighbour."""
    wide = image.astype(int)
    for axis in (0, 1):
        around = [(1, 1) if one == axis else (0, 0) for one in range(3)]
        wide = np.pad(wide, around, mode="reflect" if image.shape[axis] > 1 else "edge")
    cross = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:] - 4 * wide[1:-1, 1:-1]
    return int(cross.sum()), int((cross**2).sum())


@given(SHAPES.flatmap(lambda shape: arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 7, 128, 254, 255]))))
def test_equals_the_laplacian(image: np.ndarray) -> None:
    assert laplacian_sums(image) == plain(image)


@pytest.mark.parametrize("shape", [(67, 91, 3), (4, 300, 3), (300, 4, 3), (3, 50, 3), (50, 3, 3)])
def test_equals_the_laplacian_of_noise(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    assert laplacian_sums(image) == plain(image)


def test_the_largest_there_can_be_is_exact() -> None:
    board = np.indices((1001, 1001)).sum(axis=0) % 2 * 255
    image = np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    assert laplacian_sums(image)[1] == 1001**2 * 3 * 1020**2
