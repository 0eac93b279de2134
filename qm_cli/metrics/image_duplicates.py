"""Images that are in the dataset more than once, exactly or nearly."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.hamming import near_groups
from qm_cli.kernels.perceptual import bits_of
from qm_cli.metric import metric

Objects = npt.NDArray[np.object_]
Rows = npt.NDArray[np.int64]


@metric(level="image", kind="data", unit="id", better="neither")
def duplicate_group(id: npt.NDArray[Any], pixel_hash: Objects) -> Objects:
    """The first image with exactly the same pixels, by id; null for an image that is there once.

    The first one of a group bears its own id: the original.

    >>> duplicate_group(np.array([7, 8, 9]), np.array(["a", "b", "a"], object)).tolist()
    [7, None, 7]
    """
    known = _known(pixel_hash)
    _, first, inverse = np.unique(pixel_hash[known].astype(str), return_index=True, return_inverse=True)
    return _groups(id, known, first[inverse])


@metric(level="image", kind="data", unit="id", better="neither")
def near_duplicate_group(id: npt.NDArray[Any], perceptual_hash: Objects, *, radius: int = 4) -> Objects:
    """The first image of those that look nearly the same, by id; null for an image that looks like no other.

    Images whose perceptual hashes differ in at most `radius` of 64 bits hang together, also by way of others. The
    first one of a group bears its own id: the original. Exact duplicates are near ones too.

    >>> near_duplicate_group(np.array([7, 8, 9]), np.array(["f0", "0f", "f7"], object)).tolist()
    [7, None, 7]
    """
    known = _known(perceptual_hash)
    return _groups(id, known, near_groups(bits_of(perceptual_hash[known]), radius))


def _known(hashes: Objects) -> Rows:
    """The rows that have a hash."""
    return np.flatnonzero([one is not None for one in hashes])


def _groups(id: npt.NDArray[Any], rows: Rows, first: Rows) -> Objects:
    """rows[first[i]] is the first of the group of row rows[i]; its id, for groups of two and more."""
    several = np.bincount(first, minlength=len(rows))[first] > 1
    groups = np.full(len(id), None, object)
    groups[rows[several]] = id[rows[first[several]]]
    return groups
