"""Polygons → compressed run-length masks, painted as COCO paints them (pycocotools itself)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FARTHEST = 1e5
LEAST_NUMBERS = 6


def is_polygon(part: Sequence[float]) -> bool:
    """Three corners or more, whole pairs, every coordinate within 100,000 px."""
    if len(part) < LEAST_NUMBERS or len(part) % 2:
        return False
    return max(part) <= FARTHEST and min(part) >= -FARTHEST


def painted(shapes: Sequence[Sequence[Sequence[float]]], size: npt.NDArray[np.int64]) -> list[bytes]:
    """Text of each shape's mask, its parts united. size: int64[n, 2], height and width; parts are polygons."""
    from pycocotools import mask

    by_size: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row, (height, width) in enumerate(size.tolist()):
        by_size[height, width].append(row)
    texts: list[bytes] = [b""] * len(shapes)
    for (height, width), rows in by_size.items():
        parts = mask.frPyObjects([list(part) for row in rows for part in shapes[row]], height, width)
        place = 0
        for row in rows:
            own = parts[place : place + len(shapes[row])]
            place += len(own)
            texts[row] = (own[0] if len(own) == 1 else mask.merge(own))["counts"]
    return texts
