"""What an image looks like as a vector, without a model: slow waves of its luminance, its colours, its edges."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]

SIDE = 32
WAVES = 8
SHADES = 4
CELLS, DIRECTIONS = 4, 8
HISTOGRAM_WEIGHT = 0.7
WAVES_FLOOR, EDGES_FLOOR = 0.05, 0.005
LUMINANCE = np.array([0.299, 0.587, 0.114]) / 255


def descriptor(small: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """The descriptor of an image scaled to 32 × 32: float32[256] of length 1.

    64 numbers: the 8 × 8 slowest waves of the luminance's two-dimensional DCT, each times its frequency, as pictures
    have the less of a wave the faster it is; scaled to a length just below 1, the less so the flatter the image; the
    first is the mean luminance − ½. 64: a histogram of 4 × 4 × 4 colours; 128: gradients by direction in 4 × 4 cells,
    weighted by their strength. Values of histograms are shared between neighbouring bins, so that no small change
    makes a jump, their square roots are taken (Hellinger) and times 0.7.

    >>> grey = descriptor(np.full((32, 32, 3), 85, np.uint8))
    >>> [int(place) for place in np.flatnonzero(grey.round(6))], grey[[0, 85]].round(4)
    ([0, 85], array([-0.2316,  0.9728], dtype=float32))
    """
    luminance = small @ LUMINANCE
    waves = _waves_of(luminance)
    histograms = np.concatenate([_colours(small), _edges(luminance)])
    vector = np.concatenate([waves, HISTOGRAM_WEIGHT * np.sqrt(histograms)])
    unit: npt.NDArray[np.float32] = (vector / np.sqrt(vector @ vector)).astype(np.float32)
    return unit


@cache
def _waves() -> tuple[FloatArray, FloatArray]:
    """The slowest cosines of the DCT over 32 places, float64[8, 32], and the frequency of each pair of them."""
    place, wave = np.arange(SIDE), np.arange(WAVES)[:, None]
    height = np.where(wave > 0, np.sqrt(2), 1.0) / SIDE
    return height * np.cos((2 * place + 1) * wave * np.pi / (2 * SIDE)), np.hypot(*np.indices((WAVES, WAVES)))


def _waves_of(luminance: FloatArray) -> FloatArray:
    """Mean luminance − ½, then the waves: float64[64]."""
    cosines, frequency = _waves()
    slow = cosines @ luminance @ cosines.T
    waves: FloatArray = (slow * frequency).ravel()
    waves /= np.sqrt(waves @ waves) + WAVES_FLOOR
    waves[0] = slow[0, 0] - 0.5
    return waves


def _colours(small: npt.NDArray[np.uint8]) -> FloatArray:
    """Shares of 64 colours in the image at half the size, a pixel spread over the eight nearest: float64[64].

    A pixel's share of a bin falls linearly with the distance, per channel, and the three shares are multiplied.
    """
    wide = small.astype(np.uint16)
    sums = wide[::2, ::2] + wide[1::2, ::2] + wide[::2, 1::2] + wide[1::2, 1::2]
    place = sums.reshape(-1, 3, 1) * ((SHADES - 1) / (4 * 255))
    share = np.maximum(1 - np.abs(place - np.arange(SHADES)), 0)
    pairs = share[:, 1, :, None] * share[:, 2, None, :]
    shares: FloatArray = share[:, 0].T @ pairs.reshape(len(pairs), -1) / len(pairs)
    return shares.ravel()


@cache
def _cells() -> RowArray:
    """The first bin of each inner pixel's cell: int64[30, 30]."""
    cell = np.arange(SIDE - 2) * CELLS // (SIDE - 2)
    return (cell[:, None] * CELLS + cell) * DIRECTIONS


def _edges(luminance: FloatArray) -> FloatArray:
    """Strength of the gradients by cell and direction 0..180°, shares of all and a little more: float64[128]."""
    down = luminance[2:, 1:-1] - luminance[:-2, 1:-1]
    across = luminance[1:-1, 2:] - luminance[1:-1, :-2]
    strength = np.hypot(across, down)
    turn = np.arctan2(down, across) * (DIRECTIONS / np.pi) + DIRECTIONS
    low = turn.astype(np.int64)
    upper = strength * (turn - low)
    cells = _cells()
    bins = np.stack([cells + low % DIRECTIONS, cells + (low + 1) % DIRECTIONS])
    sums = np.bincount(bins.ravel(), np.stack([strength - upper, upper]).ravel(), CELLS**2 * DIRECTIONS)
    shares: FloatArray = np.maximum(sums, 0) / (strength.sum() + strength.size * EDGES_FLOOR)
    return shares
