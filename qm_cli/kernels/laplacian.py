"""Sum and sum of squares of an image's Laplacian, exact, without computing the Laplacian."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Sums = tuple[int, int]


def laplacian_sums(image: Bytes) -> Sums:
    """Sum, and sum of squares, of the 4-neighbour Laplacian of each channel, the border reflected without its edge.

    image: uint8[height, width, channels], contiguous. With the neighbours n of a value c, (Σ n − 4 c)² is
    4 Σ (n − c)² − Σ (n − m)² over the pairs n, m of neighbours: squared distances between the image and itself, moved,
    which take half the time. That is done for the image as one long row; its outermost pixels, which have other
    neighbours in it, are put right after that.

    >>> laplacian_sums(np.array([[[0], [5]]], np.uint8))  # 10 and −10
    (0, 200)
    """
    height, width, channels = image.shape
    if min(height, width) < 4:
        return _sums_of(_laplacian(image))
    flat, row = image.reshape(-1), width * channels
    parts = [_of_long_row(flat, row, channels), _columns_put_right(image)]
    parts += [_sums_of(_laplacian(image[:2])[0]), _sums_of(_laplacian(image[-2:])[-1])]
    return sum(part[0] for part in parts), sum(part[1] for part in parts)


def _laplacian(image: Bytes) -> npt.NDArray[np.int16]:
    import cv2

    found: npt.NDArray[np.int16] = cv2.Laplacian(image, cv2.CV_16S, ksize=1)
    return found


def _total(values: npt.NDArray[Any]) -> int:
    import cv2

    return round(cv2.sumElems(values.reshape(-1))[0])


def _sums_of(values: npt.NDArray[np.int16]) -> Sums:
    import cv2

    return _total(values), round(cv2.norm(values, cv2.NORM_L2SQR))


def _columns_put_right(image: Bytes) -> Sums:
    """What must be added for the first and the last column between the first and the last row.

    In the long row, a row's first pixel stands to the right of the last one of the row above.
    """
    width = image.shape[1]
    outer = image[:, :: width - 1].astype(np.int64)
    inner = image[1:-1, 1 : width - 1 : width - 3].astype(np.int64)
    instead = np.stack([outer[:-2, 1], outer[2:, 0]], axis=1)
    both = 2 * (outer[:-2] + outer[2:] - 4 * outer[1:-1]) + 3 * inner + instead  # the right one and the wrong one
    apart = inner - instead
    return int(apart.sum()), int((apart * both).sum())


def _of_long_row(flat: Bytes, row: int, step: int) -> Sums:
    """The sums of the Laplacian of a long row, without what was the first and the last row of the image."""
    import cv2

    length, end = len(flat) - 2 * row, len(flat)

    def apart(start: int, stop: int, shift: int) -> int:
        """Squared distance between a stretch and the one that lies `shift` behind it."""
        return round(cv2.norm(flat[start:stop], flat[start + shift : stop + shift], cv2.NORM_L2SQR))

    def twice(first: int, second: int, shift: int) -> int:
        """Of the stretches from `first` and from `second` on: the part they share is measured once."""
        shared = apart(second, first + length, shift)
        return 2 * shared + apart(first, second, shift) + apart(first + length, second + length, shift)

    from_the_middle = twice(0, row, row) + twice(row - step, row, step)
    across = apart(0, length, 2 * row) + apart(row - step, row - step + length, 2 * step)
    corners = twice(0, row + step, row - step) + twice(0, row - step, row + step)
    ends = (0, row, 1), (row, 2 * row, -1), (end - 2 * row, end - row, -1), (end - row, end, 1)  # the rest cancels out
    sides = (
        (row - step, row, 1),
        (row, row + step, -1),
        (end - row - step, end - row, -1),
        (end - row, end - row + step, 1),
    )
    total = sum(sign * _total(flat[first:last]) for first, last, sign in (*ends, *sides))
    return total, 4 * from_the_middle - across - corners
