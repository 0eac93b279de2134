"""Image files of every kind → Pixels, and the pixels of objects."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as masks

from qm_cli.errors import InputError
from qm_cli.pixels import Pixels, crop, one_thread, open_pixels, size_of

RAMP = np.stack([np.add.outer(np.arange(6) * 20, np.arange(8) * 10) + shift for shift in (0, 5, 9)], axis=2)
RGB = RAMP.astype(np.uint8)


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_png_as_pillow_converts_it(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(RGB).convert(mode)
    pixels = open_pixels(saved(tmp_path / "a.png", image))
    np.testing.assert_array_equal(pixels.rgb, np.asarray(image.convert("RGB")))
    assert pixels.content == (tmp_path / "a.png").read_bytes()


def test_alpha_is_dropped_not_blended(tmp_path: Path) -> None:
    clear = np.dstack([RGB, np.zeros((6, 8), np.uint8)])
    np.testing.assert_array_equal(open_pixels(saved(tmp_path / "a.png", Image.fromarray(clear))).rgb, RGB)


def test_sixteen_bit_values_are_divided_by_257(tmp_path: Path) -> None:
    values = np.array([[0, 128, 129, 257, 65535, 40000]], np.uint16)
    path = saved(tmp_path / "a.png", Image.fromarray(values))
    assert open_pixels(path).rgb[0, :, 1].tolist() == [0, 0, 1, 1, 255, 156]


def test_cmyk_and_the_first_frame_of_an_animation(tmp_path: Path) -> None:
    cmyk = saved(tmp_path / "a.jpg", Image.fromarray(RGB).convert("CMYK"))
    np.testing.assert_array_equal(open_pixels(cmyk).rgb, np.asarray(Image.open(cmyk).convert("RGB")))
    first, second = Image.new("RGB", (4, 3), (255, 0, 0)), Image.new("RGB", (4, 3), (0, 0, 255))
    path = tmp_path / "a.gif"
    first.save(path, save_all=True, append_images=[second])
    assert open_pixels(path).rgb[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path: Path, orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[274] = orientation
    path = saved(tmp_path / "a.png", Image.fromarray(RGB), exif=exif)
    shown = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    np.testing.assert_array_equal(open_pixels(path).rgb, shown)
    assert size_of(path.read_bytes()) == (shown.shape[1], shown.shape[0])
    np.testing.assert_array_equal(open_pixels(path, (8, 6)).rgb, RGB)
    turned = shown if orientation >= 5 else RGB
    np.testing.assert_array_equal(open_pixels(path, (6, 8)).rgb, turned)
    np.testing.assert_array_equal(open_pixels(path, (99, 99)).rgb, RGB)
    for size in ((8, 6), (6, 8), (99, 99)):
        opened = open_pixels(path, size)
        assert size_of(path.read_bytes(), size) == (opened.width, opened.height)


def bad_files() -> dict[str, bytes]:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8))
    jpeg, png, floats = BytesIO(), BytesIO(), BytesIO()
    noise.save(jpeg, "JPEG")
    noise.save(png, "PNG")
    Image.fromarray(np.zeros((4, 4), np.float32)).save(floats, "TIFF")
    return {
        "the file is empty": b"",
        "no image format": b"hello",
        "truncated": jpeg.getvalue()[:2000],
        "broken PNG|truncated|unrecognized": png.getvalue()[:2000],
        "floating-point": floats.getvalue(),
    }


@pytest.mark.parametrize(("cause", "content"), bad_files().items())
def test_unreadable(tmp_path: Path, cause: str, content: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=cause) as raised:
        open_pixels(path)
    assert raised.value.message.startswith(f"{path}: ")
    assert capfd.readouterr() == ("", "")


def test_a_directory_and_a_missing_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.png"):
        with pytest.raises(InputError):
            open_pixels(path)


def test_damage_inside_a_jpeg_says_nothing_on_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = bytearray(bad_files()["truncated"] + b"\xff\xd9")
    (tmp_path / "a.jpg").write_bytes(bytes(content))
    with suppress(InputError):
        open_pixels(tmp_path / "a.jpg")
    assert capfd.readouterr() == ("", "")


def test_pixel_limit(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RGB))
    with pytest.raises(InputError, match="8 × 6 is more than 47 pixels"):
        open_pixels(path, limit=47)
    assert open_pixels(path, limit=48).width == 8


def test_planes() -> None:
    pixels = Pixels(RGB)
    assert pixels.gray.shape == (6, 8)
    assert Pixels(np.full((1, 1, 3), (255, 0, 0), np.uint8)).hsv.tolist() == [[[0, 255, 255]]]
    padded = np.pad(RGB.astype(float), ((1, 1), (1, 1), (0, 0)), mode="reflect")
    expected = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:] - 4 * padded[1:-1, 1:-1]
    np.testing.assert_array_equal(pixels.laplacian, expected)
    assert pixels.gray is pixels.gray
    for plane in (pixels.rgb, pixels.gray, pixels.hsv, pixels.laplacian):
        with pytest.raises(ValueError, match="read-only"):
            plane[0] = 0
    assert pixels.laplacian.dtype == np.int16
    assert pixels.mask is None
    assert pixels.count == 48
    assert pixels.inside(pixels.gray) is pixels.gray
    assert pixels.values(pixels.rgb).shape == (48, 3)
    assert np.shares_memory(pixels.values(pixels.rgb), pixels.rgb)


def test_channels() -> None:
    pixels = Pixels(RGB)
    np.testing.assert_array_equal(np.dstack(pixels.channels), RGB)
    for plane in pixels.channels:
        with pytest.raises(ValueError, match="read-only"):
            plane[0] = 0


@pytest.mark.parametrize("left", [0, 1, 5, 18, 19])
@pytest.mark.parametrize("top", [0, 1, 7, 13, 14])
def test_laplacian_of_a_small_object_is_the_images(left: int, top: int) -> None:
    whole = Pixels(np.random.default_rng(2).integers(0, 256, (15, 20, 3)).astype(np.uint8))
    part = crop(whole, [left, top, 4, 5])
    assert part is not None
    np.testing.assert_array_equal(part.laplacian, whole.laplacian[top : top + 5, left : left + 4])
    with pytest.raises(ValueError, match="read-only"):
        part.laplacian[0] = 0


@pytest.mark.parametrize("shape", [None, [[1, 1, 5, 1, 5, 5]]])
def test_sums(shape: list[list[float]] | None) -> None:
    whole = Pixels(RGB)
    part = crop(whole, [1, 1, 4, 4], shape)
    assert part is not None
    for pixels in (whole, part):
        rgb, laplacian, hsv = (pixels.values(one).astype(int) for one in (pixels.rgb, pixels.laplacian, pixels.hsv))
        assert pixels.rgb_sums == (rgb.sum(), (rgb**2).sum())
        assert pixels.laplacian_sums == (laplacian.sum(), (laplacian**2).sum())
        clear = (hsv[:, 1] >= 50) & (hsv[:, 2] >= 40)
        assert pixels.hue_counts.green == (clear & (hsv[:, 0] >= 35) & (hsv[:, 0] <= 75)).sum()


def test_object_pixels_are_windows_of_the_image() -> None:
    whole = Pixels(RGB)
    part = crop(whole, [2, 1, 3, 4])
    assert part is not None
    assert (part.width, part.height) == (3, 4)
    window = (slice(1, 5), slice(2, 5))
    for plane, of_whole in zip(part.channels, whole.channels, strict=True):
        np.testing.assert_array_equal(plane, of_whole[window])
    for name in ("rgb", "gray", "hsv", "laplacian"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[window])
        assert np.shares_memory(getattr(part, name), getattr(whole, name))
        assert not getattr(part, name).flags.writeable
    assert part.mask is not None
    assert part.mask.all()
    assert part.values(part.gray).shape == (12,)


def test_polygon_mask_within_the_box() -> None:
    part = crop(Pixels(RGB), [1, 1, 4, 4], [[1, 1, 5, 1, 5, 5], [1, 4, 2, 4, 2, 5, 1, 5]])
    assert part is not None
    assert part.mask is not None
    assert part.mask.astype(int).tolist() == [[1, 1, 1, 1], [0, 1, 1, 1], [0, 0, 1, 1], [1, 0, 0, 1]]
    assert part.values(part.rgb).shape == (11, 3)
    assert part.count == 11
    np.testing.assert_array_equal(part.inside(part.laplacian), part.laplacian * part.mask[..., None])
    assert part.values(part.gray).tolist() == part.gray[part.mask].tolist()


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ([-5, -5, 7, 7], (2, 2)),
        ([6, 4, 100, 100], (2, 2)),
        ([0.6, 0.4, 2, 2], (2, 2)),
        ([0, 0, 0, 5], None),
        ([0.6, 0.6, 0.3, 0.3], None),
        ([20, 20, 5, 5], None),
        ([float("nan")] * 4, None),
    ],
)
def test_crop_is_cut_at_the_border(box: list[float], size: tuple[int, int] | None) -> None:
    part = crop(Pixels(RGB), box)
    assert (part and (part.width, part.height)) == size


def test_the_mask_is_the_objects_shape() -> None:
    inside = np.zeros((6, 8), np.uint8, order="F")
    inside[1:5, 2:4] = 1
    inside[2, 5] = 1
    mask = {"size": [6, 8], "counts": masks.encode(inside)["counts"].decode()}
    part = crop(Pixels(RGB), [2, 1, 4, 4], mask)
    assert part is not None and part.mask is not None
    np.testing.assert_array_equal(part.mask, inside[1:5, 2:6] == 1)
    np.testing.assert_array_equal(part.values(part.rgb), RGB[1:5, 2:6][inside[1:5, 2:6] == 1])
    np.testing.assert_array_equal(part.inside(part.gray) > 0, part.mask)


def test_a_mask_of_another_size_leaves_the_box() -> None:
    whole = {"size": [8, 6], "counts": masks.encode(np.ones((8, 6), np.uint8, order="F"))["counts"].decode()}
    part = crop(Pixels(RGB), [2, 1, 4, 4], whole)
    assert part is not None
    assert part.count == 16


def test_polygons_that_are_no_shape() -> None:
    for polygons in ([[1, 1, 2]], [[]], [[1, 1, 3, 3]], [[1, 1, float("nan"), 1, 3, 3]]):
        assert crop(Pixels(RGB), [0, 0, 5, 5], polygons) is None


def test_one_thread_is_given_back() -> None:
    import cv2

    before = cv2.getNumThreads()
    with one_thread():
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == before
