"""An image file → Pixels: 8-bit RGB and what follows from it, each plane and sum computed once, when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from math import ceil, isfinite
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from qm_cli.decode import PIXEL_LIMIT, Size, decode, opencv, read_header, turns
from qm_cli.errors import InputError
from qm_cli.kernels.hues import HueCounts, hue_counts
from qm_cli.kernels.laplacian import laplacian_sums
from qm_cli.kernels.masks import polygon_mask
from qm_cli.kernels.runs import decoded

Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
Shape = Sequence[Sequence[float]] | Mapping[str, Any]
LARGE = 4
"""An object is large whose window takes a quarter of the image or more."""
AnyArray = TypeVar("AnyArray", bound=npt.NDArray[Any])


class Pixels:
    """The pixels of an image, or of one object in it; every array is read-only.

    rgb: uint8[height, width, 3]. content: the file's bytes, empty for an object. mask: bool[height, width] of the
    object's own shape, None for a whole image. An object's planes are windows of its image's, so its neighbours count
    at its border.
    """

    def __init__(self, rgb: Bytes, content: bytes = b"") -> None:
        self.rgb = _kept(rgb)
        self.content = content
        self.mask: npt.NDArray[np.bool_] | None = None

    @cached_property
    def _fills_window(self) -> bool:
        return self.count == self.height * self.width

    @property
    def height(self) -> int:
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])

    @cached_property
    def gray(self) -> Bytes:
        """uint8[height, width]: OpenCV's RGB2GRAY."""
        return _kept(opencv().cvtColor(self.rgb, opencv().COLOR_RGB2GRAY))

    @cached_property
    def hsv(self) -> Bytes:
        """uint8[height, width, 3]: OpenCV's, hue 0..179."""
        return _kept(opencv().cvtColor(self.rgb, opencv().COLOR_RGB2HSV))

    @cached_property
    def laplacian(self) -> npt.NDArray[np.int16]:
        """int16[height, width, 3]: 4-neighbour Laplacian per channel, border reflected without its edge, exact."""
        return _kept(_laplacian(self.rgb))

    @cached_property
    def channels(self) -> tuple[Bytes, Bytes, Bytes]:
        """Red, green and blue apart: three of uint8[height, width]."""
        red, green, blue = map(_kept, opencv().split(self.rgb))
        return red, green, blue

    @cached_property
    def _own_rgb(self) -> Bytes:
        return self.inside(self.rgb)

    @cached_property
    def rgb_sums(self) -> tuple[int, int]:
        """Sum, and sum of squares, of the values of all channels inside the shape."""
        return _sums(self._own_rgb)

    @cached_property
    def laplacian_sums(self) -> tuple[int, int]:
        """The same of the Laplacian."""
        if self.mask is None:
            return laplacian_sums(self.rgb)
        return _sums(self.inside(self.laplacian))

    @cached_property
    def hue_counts(self) -> HueCounts:
        """Clearly red, green and blue pixels inside the shape; outside it is black, which is none of them."""
        return hue_counts(self._own_rgb)

    @cached_property
    def count(self) -> int:
        """Number of pixels inside the shape."""
        return self.height * self.width if self.mask is None else int(np.count_nonzero(self.mask))

    def inside(self, plane: AnyArray) -> AnyArray:
        """The plane with 0 outside the shape; for a whole image the plane itself."""
        if self.mask is None or self._fills_window:
            return plane
        blanked: AnyArray = opencv().copyTo(plane, self.mask.view(np.uint8))
        return blanked

    def values(self, plane: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """The values of a plane inside the shape: [n] or [n, 3]; for a whole image all of them, without a copy."""
        if self.mask is None or self._fills_window:
            return plane.reshape(-1, *plane.shape[2:])
        return plane[self.mask]


class _Object(Pixels):
    """A window of an image and the object's shape in it."""

    def __init__(self, whole: Pixels, window: tuple[slice, slice], mask: npt.NDArray[np.bool_]) -> None:
        super().__init__(whole.rgb[window])
        self._whole, self._window = whole, window
        self.mask = _kept(mask)

    @cached_property
    def gray(self) -> Bytes:
        return self._whole.gray[self._window]

    @cached_property
    def hsv(self) -> Bytes:
        return self._whole.hsv[self._window]

    @cached_property
    def laplacian(self) -> npt.NDArray[np.int16]:
        """Of large objects a window of the image's, which all of them share."""
        whole, (rows, columns) = self._whole.rgb, self._window
        if LARGE * self.rgb.size >= whole.size:
            return self._whole.laplacian[self._window]
        top, left = min(rows.start, 1), min(columns.start, 1)
        around = whole[rows.start - top : rows.stop + 1, columns.start - left : columns.stop + 1]
        return _kept(_laplacian(around)[top : top + self.height, left : left + self.width])

    @cached_property
    def channels(self) -> tuple[Bytes, Bytes, Bytes]:
        red, green, blue = self._whole.channels
        return red[self._window], green[self._window], blue[self._window]


def open_pixels(path: Path, size: Size | None = None, limit: int = PIXEL_LIMIT) -> Pixels:
    """Decode a file to 8-bit RGB at full resolution: first frame, alpha dropped, 16-bit values divided by 257.

    size: width and height the labels are drawn in; rotated as EXIF says only if that makes the sizes agree, and always
    when no size is given. Raises InputError for a file that cannot be decoded or has more than `limit` pixels.
    """
    try:
        return pixels_of(path.read_bytes(), size, limit)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "check the file") from error
    except InputError as error:
        raise InputError(f"{path}: {error.message}", error.hint) from error


def pixels_of(content: bytes, size: Size | None = None, limit: int = PIXEL_LIMIT) -> Pixels:
    """As `open_pixels`, of the bytes of a file."""
    return Pixels(decode(content, size, limit), content)


def size_of(content: bytes, size: Size | None = None) -> Size:
    """Width and height as `pixels_of` gives them, from the header alone where possible. Raises InputError as it."""
    header = read_header(content)
    if header:
        return header.shown_size() if turns(header, size) else (header.width, header.height)
    pixels = pixels_of(content, size)
    return pixels.width, pixels.height


def crop(pixels: Pixels, box: Sequence[float], shape: Shape | None = None) -> Pixels | None:
    """The pixels of one object: those whose centre lies in its box and, where it has a shape, in that.

    box: [x, y, width, height] in pixels of the image, cut at its border; shape: polygons, parts [x1, y1, x2, y2, …], or
    a mask as COCO has them, {"size": [height, width], "counts": compressed text}, of no account where it has another
    size than the image. None when nothing is left.
    """
    x, y, width, height = (float(value) for value in box)
    if not all(isfinite(value) for value in (x, y, width, height)):
        return None
    left, right = _centres(x, x + width, pixels.width)
    top, bottom = _centres(y, y + height, pixels.height)
    if left >= right or top >= bottom:
        return None
    window = slice(top, bottom), slice(left, right)
    if isinstance(shape, Mapping) and tuple(shape["size"]) == (pixels.height, pixels.width):
        mask = _decoded(shape, window)
    elif shape and not isinstance(shape, Mapping):
        mask = _united(shape, (left, top), (bottom - top, right - left))
    else:
        mask = np.ones((bottom - top, right - left), bool)
    return _Object(pixels, window, mask) if mask.any() else None


def _decoded(mask: Mapping[str, Any], window: tuple[slice, slice]) -> Bools:
    """What of a compressed run-length mask lies in a window."""
    text, size = np.frombuffer(str(mask["counts"]).encode(), np.uint8), np.array([mask["size"]])
    ends = decoded(text, np.array([0, len(text)]), size).end
    lengths = np.diff(ends, prepend=0)
    flat = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    return np.ascontiguousarray(flat.reshape(mask["size"], order="F")[window])


def _united(polygons: Sequence[Sequence[float]], origin: tuple[int, int], size: tuple[int, int]) -> Bools:
    """Which pixels of a window have their centre in one of the polygons."""
    mask = np.zeros(size, bool)
    for polygon in polygons:
        corners = np.asarray(polygon[: len(polygon) // 2 * 2], np.float64).reshape(-1, 2)
        if np.isfinite(corners).all():
            mask |= polygon_mask(corners - origin, size)
    return mask


@contextmanager
def one_thread() -> Iterator[None]:
    """OpenCV works on one thread meanwhile: the processes are the parallelism."""
    before = opencv().getNumThreads()
    opencv().setNumThreads(1)
    try:
        yield
    finally:
        opencv().setNumThreads(before)


def _laplacian(rgb: Bytes) -> npt.NDArray[np.int16]:
    found: npt.NDArray[np.int16] = opencv().Laplacian(rgb, opencv().CV_16S, ksize=1)
    return found


def _sums(values: npt.NDArray[Any]) -> tuple[int, int]:
    """Sum, and sum of squares, of whole numbers [height, width, channels], exact."""
    return round(sum(opencv().sumElems(values))), round(opencv().norm(values, opencv().NORM_L2SQR))


def _kept(array: AnyArray) -> AnyArray:
    array.flags.writeable = False
    return array


def _centres(low: float, high: float, size: int) -> tuple[int, int]:
    """First and last + 1 of the pixels 0..size − 1 whose centre lies in [low, high)."""
    return (ceil(min(max(low, 0), size) - 0.5), ceil(min(max(high, 0), size) - 0.5))
