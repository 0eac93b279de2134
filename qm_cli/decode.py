"""The bytes of an image file → 8-bit RGB: OpenCV where it can, Pillow where it cannot."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.errors import InputError

if TYPE_CHECKING:
    import PIL.Image

PIXEL_LIMIT = 500_000_000
ORIENTATION_TAG = 274
JPEG_MODES = {1: "L", 3: "RGB"}
FRAME, SCAN = b"\xc0\xc1\xc2", 0xDA
PLAIN = b"\xc4\xdb\xdd\xe0\xee\xfe" + FRAME
"""Markers of a JPEG that say nothing of rotation or further pictures: tables, JFIF, Adobe, comments, the frame."""
THROUGH_PILLOW = ("CMYK", "P", "PA", "YCCK", "LAB", "HSV")
BROKEN = (
    *(OSError, EOFError, ValueError, SyntaxError, TypeError, LookupError, ArithmeticError, AttributeError),
    *(RuntimeError, MemoryError, struct.error, zlib.error),
)
"""What Pillow's readers raise for bytes that are no image, each format its own."""
Bytes = npt.NDArray[np.uint8]
Size = tuple[float, float]


class Header(Struct, frozen=True):
    """What a file says before it is decoded; orientation is EXIF's 1..8."""

    width: int
    height: int
    mode: str
    format: str
    orientation: int

    def shown_size(self) -> Size:
        """Width and height after EXIF rotation."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


def decode(content: bytes, size: Size | None = None, limit: int = PIXEL_LIMIT) -> Bytes:
    """uint8[height, width, 3] in RGB order, turned as `pixels.open_pixels` says. Raises InputError with the cause."""
    header = read_header(content)
    if header and header.width * header.height > limit:
        raise InputError(f"{header.width} × {header.height} is more than {limit} pixels", "scale the image down")
    by_pillow = header is not None and (header.mode in THROUGH_PILLOW or header.format == "GIF")
    rgb = None if by_pillow or _cut_off(content, header) else _decoded_by_opencv(content)
    if rgb is None:
        rgb = _decoded_by_pillow(content)
    if header and header.orientation > 1 and turns(header, size):
        rgb = _oriented(rgb, header.orientation)
    return np.ascontiguousarray(rgb)


@cache
def opencv() -> ModuleType:
    """OpenCV, silent."""
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    module: ModuleType = cv2
    return module


def read_header(content: bytes) -> Header | None:
    """What a file says at its start; None for a format Pillow does not know."""
    return _plain_jpeg(content) or _read_by_pillow(content)


def _plain_jpeg(content: bytes) -> Header | None:
    """The header of a JPEG without EXIF, in a tenth of Pillow's time; None for any other file."""
    found, place = None, 2
    while content.startswith(b"\xff\xd8") and place + 10 <= len(content):
        start, marker, length = struct.unpack_from(">BBH", content, place)
        if start != 0xFF or (marker not in PLAIN and marker != SCAN):
            return None
        if marker == SCAN:
            return found
        if marker in FRAME:
            bits, height, width, channels = struct.unpack_from(">BHHB", content, place + 4)
            if found or bits != 8 or channels not in JPEG_MODES or not width * height:
                return None
            found = Header(width, height, JPEG_MODES[channels], "JPEG", 1)
        place += 2 + length
    return None


def _read_by_pillow(content: bytes) -> Header | None:
    from PIL import Image

    with _unlimited_pillow():
        try:
            with Image.open(BytesIO(content)) as image:
                turned = int(Image.Image.getexif(image).get(ORIENTATION_TAG, 1))
                return Header(*image.size, image.mode, image.format or "", turned if 1 <= turned <= 8 else 1)
        except BROKEN:
            return None


def _cut_off(content: bytes, header: Header | None) -> bool:
    """True for a JPEG without its end mark, which OpenCV may fill with grey; Pillow says how bad it is."""
    if header is None or header.format != "JPEG":
        return False
    return b"\xff\xda" in content[max(content.rfind(b"\xff\xd9"), 0) :]


def turns(header: Header, size: Size | None) -> bool:
    """Whether the image is turned as EXIF says: where that makes its size the labels', or they say none."""
    return size is None or ((header.width, header.height) != size and header.shown_size() == size)


def _decoded_by_opencv(content: bytes) -> Bytes | None:
    """uint8[height, width, 3] in RGB order, unrotated; None when OpenCV cannot."""
    cv2 = opencv()
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    with _silent_stderr():
        try:
            image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
        except cv2.error:
            return None
    if image is None or image.dtype not in (np.uint8, np.uint16):
        return None
    rgb: Bytes = cv2.cvtColor(image if image.dtype == np.uint8 else _eight_bit(image), cv2.COLOR_BGR2RGB)
    return rgb


def _eight_bit(values: npt.NDArray[np.uint16]) -> Bytes:
    """0..65535 → 0..255, rounded."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _decoded_by_pillow(content: bytes) -> Bytes:
    from PIL import Image

    with _unlimited_pillow(), _silent_stderr():
        try:
            with Image.open(BytesIO(content)) as image:
                return _pillow_rgb(image)
        except BROKEN as error:
            raise InputError(_cause(error) if content else "the file is empty", "replace the file") from error


def _cause(error: Exception) -> str:
    """Pillow names the buffer it was given; the file's name stands before this already."""
    return "no image format that can be read" if "cannot identify" in str(error) else str(error)


def _pillow_rgb(image: PIL.Image.Image) -> Bytes:
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers, whose range is not known")
    if image.mode.startswith("I"):
        gray = _eight_bit(np.clip(np.asarray(image), 0, 65535).astype(np.uint16))
        return np.repeat(gray[..., None], 3, axis=2)
    return np.asarray(image.convert("RGB"))


def _oriented(rgb: Bytes, orientation: int) -> Bytes:
    """Turned and mirrored as EXIF orientations 2..8 say."""
    if orientation >= 5:
        rgb = rgb.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        rgb = rgb[:, ::-1]
    if orientation in (3, 4, 7, 8):
        rgb = rgb[::-1]
    return rgb


@contextmanager
def _unlimited_pillow() -> Iterator[None]:
    """Pillow's own pixel limit is off meanwhile (ours is told as a finding), and so are its warnings."""
    from PIL import Image

    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """The C libraries below OpenCV write to file descriptor 2, whatever its log level."""
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
