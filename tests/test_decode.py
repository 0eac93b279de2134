"""Headers, and what decides which decoder gets a file."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from qm_cli.decode import _plain_jpeg, _read_by_pillow, decode, read_header
from qm_cli.errors import InputError


def encoded(kind: str, mode: str = "RGB", **options: object) -> bytes:
    file = BytesIO()
    pixels = np.random.default_rng(1).integers(0, 255, (40, 30, 3)).astype(np.uint8)
    Image.fromarray(pixels).convert(mode).save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def test_header() -> None:
    exif = Image.Exif()
    exif[274] = 6
    header = read_header(encoded("JPEG", exif=exif))
    assert header is not None
    assert (header.width, header.height, header.mode, header.format, header.orientation) == (30, 40, "RGB", "JPEG", 6)
    assert header.shown_size() == (40, 30)
    exif[274] = 99
    header = read_header(encoded("PNG", exif=exif))
    assert header is not None
    assert header.orientation == 1
    assert read_header(b"nothing") is None


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"comment": "a"}, {"restart_marker_rows": 1}], ids=str)
def test_plain_jpegs_as_pillow_reads_them(mode: str, options: dict[str, object]) -> None:
    content = encoded("JPEG", mode, **options)
    assert _plain_jpeg(content) == _read_by_pillow(content) == read_header(content)
    assert _plain_jpeg(content) is not None


def test_what_is_not_plain_is_left_to_pillow() -> None:
    exif = Image.Exif()
    exif[274] = 6
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><tiff:Orientation>6</tiff:Orientation></x:xmpmeta>'
    for content in (
        *(encoded("JPEG", exif=exif), encoded("JPEG", xmp=xmp), encoded("JPEG", "CMYK")),
        *(encoded("PNG"), b"", b"\xff\xd8", encoded("JPEG")[:100]),
    ):
        assert _plain_jpeg(content) is None


@pytest.mark.parametrize("seed", range(300))
def test_a_damaged_header_is_as_pillow_reads_it_or_left_to_it(seed: int) -> None:
    random = np.random.default_rng(seed)
    content = bytearray(encoded("JPEG"))
    for place in random.integers(0, content.index(b"\xff\xda") + 4, random.integers(1, 4)):
        content[place] = random.choice([0, 1, 3, 8, 0xC0, 0xD8, 0xDA, 0xE1, 0xFF, random.integers(256)])
    found, pillows = _plain_jpeg(bytes(content)), _read_by_pillow(bytes(content))
    assert found is None or pillows is None or found == pillows


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "JPEG", "GIF"])
def test_kinds(kind: str) -> None:
    rgb = decode(encoded(kind))
    assert (rgb.shape, rgb.dtype) == ((40, 30, 3), np.uint8)
    assert rgb.flags.c_contiguous


def test_a_jpeg_without_its_end_mark_is_cut_off() -> None:
    with pytest.raises(InputError, match="truncated"):
        decode(encoded("JPEG")[:-2])


def test_bytes_after_the_end_mark_do_not_matter() -> None:
    whole = encoded("JPEG")
    np.testing.assert_array_equal(decode(whole + b"\0" * 100), decode(whole))


def test_pillows_own_limit_is_back_afterwards() -> None:
    before = Image.MAX_IMAGE_PIXELS
    decode(encoded("GIF"))
    assert before == Image.MAX_IMAGE_PIXELS


def test_whatever_a_reader_raises_is_one_error() -> None:
    """Pillow's AVIF reader raises RuntimeError for a spoilt box."""
    from io import BytesIO

    from PIL import Image, features

    if not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    buffer = BytesIO()
    Image.new("RGB", (16, 16), (9, 8, 7)).save(buffer, "AVIF")
    content = buffer.getvalue()
    refused = 0
    for place in range(12, min(len(content), 300)):
        try:
            decode(content[:place] + b"\xff" + content[place + 1 :])
        except InputError:
            refused += 1
    assert refused > 20
