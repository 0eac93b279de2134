from __future__ import annotations

import hashlib
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from qm_cli.decode import decode
from qm_cli.metrics import image_hashes
from qm_cli.pixels import Pixels
from tests.metrics.examples import Example, check, complete

WAVY = ((np.add.outer(np.arange(96) ** 2, np.arange(128) * 31) // 40) % 256).astype(np.uint8)
PICTURE = np.dstack([WAVY, np.roll(WAVY, 9, axis=1), 255 - WAVY])
DOT = np.array([[[1, 2, 3]]], np.uint8)

EXAMPLES = [
    Example(image_hashes.file_hash, {"pixels": Pixels(DOT, content=b"abc")}, hashlib.sha256(b"abc").hexdigest()),
    Example(image_hashes.file_hash, {"pixels": Pixels(DOT)}, hashlib.sha256().hexdigest()),
    Example(image_hashes.pixel_hash, {"pixels": Pixels(DOT)}, hashlib.sha256(b"1x1\0\1\2\3").hexdigest()),
    Example(image_hashes.perceptual_hash, {"pixels": Pixels(DOT)}, "8000000000000000"),
    Example(image_hashes.perceptual_hash, {"pixels": Pixels(DOT * 0)}, "0000000000000000"),
    Example(image_hashes.perceptual_hash, {"pixels": Pixels(PICTURE)}, "bf3f40bf40956a90"),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(image_hashes, EXAMPLES)


def different_bits(one: np.ndarray, other: np.ndarray) -> int:
    first, second = (int(image_hashes.perceptual_hash(Pixels(image.copy())), 16) for image in (one, other))
    return (first ^ second).bit_count()


def test_the_same_pixels_whatever_the_format() -> None:
    def saved(kind: str) -> Pixels:
        file = BytesIO()
        Image.fromarray(PICTURE).save(file, kind)
        return Pixels(decode(file.getvalue()), file.getvalue())

    png, bmp = saved("PNG"), saved("BMP")
    assert image_hashes.pixel_hash(png) == image_hashes.pixel_hash(bmp)
    assert image_hashes.file_hash(png) != image_hashes.file_hash(bmp)


def test_pixels_in_another_shape_are_other_pixels() -> None:
    row = np.zeros((1, 6, 3), np.uint8)
    assert image_hashes.pixel_hash(Pixels(row)) != image_hashes.pixel_hash(Pixels(row.reshape(2, 3, 3)))


def test_versions_of_a_picture_are_near_and_others_far() -> None:
    smooth = cv2.GaussianBlur(PICTURE, (0, 0), 4)
    _, jpeg = cv2.imencode(".jpg", smooth, [cv2.IMWRITE_JPEG_QUALITY, 50])
    assert different_bits(smooth, cv2.imdecode(jpeg, cv2.IMREAD_COLOR)) <= 4
    assert different_bits(smooth, cv2.resize(smooth, (64, 48), interpolation=cv2.INTER_AREA)) <= 4
    assert different_bits(smooth, smooth[::-1]) > 8
