"""Numbers that look random and depend on an identifier and a seed alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

HashArray = npt.NDArray[np.uint64]
FNV_START, FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


def splitmix64(values: HashArray) -> HashArray:
    """Each number mixed into another, one to one.

    Reference: Steele, Lea, Flood, Fast splittable pseudorandom number generators, 2014.
    """
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def hashed(identifiers: npt.NDArray[Any]) -> HashArray:
    """Whole numbers as they are; text by FNV-1a over its code points: uint64[n]."""
    if identifiers.dtype.kind in "iu":
        return identifiers.astype(np.int64).view(np.uint64)
    text = identifiers.astype(np.str_)
    longest = max(text.dtype.itemsize // 4, 1)
    points = text.astype(f"=U{longest}").view(np.uint32).reshape(len(text), longest)
    result = np.full(len(text), FNV_START)
    for column in points.T:
        result = np.where(column > 0, (result ^ column.astype(np.uint64)) * FNV_PRIME, result)
    return result


def uniform(identifiers: npt.NDArray[Any], seed: int) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each identifier, the same for the same seed: float64[n]."""
    start = splitmix64(np.array([seed % 2**64], np.uint64))
    mixed = splitmix64(splitmix64(hashed(identifiers)) ^ start)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
