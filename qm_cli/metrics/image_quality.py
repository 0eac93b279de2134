"""What the pixels show: light, contrast, sharpness, colour, noise; of the image, or of an object's own pixels.

Sums are taken over whole numbers, so they are exact and do not depend on the order or on how often the image is cut.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from qm_cli.metric import metric

FloatArray = npt.NDArray[np.float64]
SAMPLES = ("image", "label", "prediction")
TONES = 1024
PIXELS_AT_ONCE = 1 << 18


class Sample(Protocol):
    """What these metrics read of an image's or an object's pixels."""

    @property
    def rgb(self) -> npt.NDArray[np.uint8]: ...
    @property
    def gray(self) -> npt.NDArray[np.uint8]: ...
    @property
    def hsv(self) -> npt.NDArray[np.uint8]: ...
    @property
    def laplacian(self) -> npt.NDArray[np.float32]: ...
    def values(self, plane: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]: ...


@metric(level=SAMPLES, kind="data", unit="share", range=(0, 1), better="neither")
def brightness(pixels: Sample) -> float:
    """Mean over all pixels and channels, 0..1; 0 = black, 1 = white.

    As in Encord Active.

    >>> from qm_cli.pixels import Pixels
    >>> brightness(Pixels(np.array([[[255, 0, 0], [255, 255, 0]]], np.uint8)))
    0.5
    """
    return _mean_and_variance(pixels.values(pixels.rgb))[0] / 255


@metric(level=SAMPLES, kind="data", unit="share", range=(0, 0.5), better="higher")
def contrast(pixels: Sample) -> float:
    """Standard deviation over all pixels and channels together, 0..0.5; 0 = one flat tone.

    As in Encord Active.

    >>> from qm_cli.pixels import Pixels
    >>> contrast(Pixels(np.array([[[255, 255, 255], [0, 0, 0]]], np.uint8)))
    0.5
    """
    return float(np.sqrt(_mean_and_variance(pixels.values(pixels.rgb))[1]) / 255)


@metric(level=SAMPLES, kind="data", unit="", range=(0, 1020**2), better="higher")
def laplacian_variance(pixels: Sample) -> float:
    """Variance over all pixels and channels together of the 3 × 3 Laplacian at full resolution; low = blurry.

    Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, 2000; Encord Active's raw "Sharpness".

    >>> from qm_cli.pixels import Pixels
    >>> laplacian_variance(Pixels(np.array([[[0, 0, 0], [5, 5, 5]]], np.uint8)))  # Laplacians 10 and −10
    100.0
    """
    return _mean_and_variance(pixels.values(pixels.laplacian))[1]


@metric(level=SAMPLES, kind="data", unit="share", range=(0, 1), better="higher")
def sharpness(laplacian_variance: FloatArray) -> FloatArray:
    """Standard deviation of the Laplacian as a share of the largest possible, 0..1; low = blurry.

    √V / 1020, V = `laplacian_variance`.

    >>> sharpness(np.array([10404.0])).tolist()
    [0.1]
    """
    return np.sqrt(laplacian_variance) / 1020


@metric(level="image", kind="data", unit="share", range=(0, 1), better="lower")
def blur(sharpness: FloatArray) -> FloatArray:
    """1 − sharpness, 0..1; high = blurry.

    >>> blur(np.array([0.25])).tolist()
    [0.75]
    """
    return 1 - sharpness


@metric(level=SAMPLES, kind="data", unit="share", range=(0, 1), better="neither")
def red(pixels: Sample) -> float:
    """Share of clearly red pixels, 0..1: OpenCV HSV with H in 0–10 or 170–179, S ≥ 50, V ≥ 40.

    As in Encord Active.

    >>> from qm_cli.pixels import Pixels
    >>> red(Pixels(np.array([[[200, 0, 0], [0, 200, 0]]], np.uint8)))
    0.5
    """
    return _share_of_hues(pixels, (0, 10), (170, 179))


@metric(level=SAMPLES, kind="data", unit="share", range=(0, 1), better="neither")
def green(pixels: Sample) -> float:
    """Share of clearly green pixels, 0..1: OpenCV HSV with H in 35–75, S ≥ 50, V ≥ 40.

    As in Encord Active.

    >>> from qm_cli.pixels import Pixels
    >>> green(Pixels(np.array([[[0, 200, 0], [190, 200, 190]]], np.uint8)))
    0.5
    """
    return _share_of_hues(pixels, (35, 75))


@metric(level=SAMPLES, kind="data", unit="share", range=(0, 1), better="neither")
def blue(pixels: Sample) -> float:
    """Share of clearly blue pixels, 0..1: OpenCV HSV with H in 90–130, S ≥ 50, V ≥ 40.

    As in Encord Active.

    >>> from qm_cli.pixels import Pixels
    >>> blue(Pixels(np.array([[[0, 0, 40], [0, 0, 39]]], np.uint8)))
    0.5
    """
    return _share_of_hues(pixels, (90, 130))


class Tones(NamedTuple):
    """5th and 99th percentile of the perceived brightness of the pixels."""

    lightness: float
    lightness_p99: float


@metric(level="image", kind="data", unit="share", range=(0, 1), better="lower")
def lightness(pixels: Sample) -> Tones:
    """Perceived brightness that 95 % of the pixels reach, 0..1; high = overexposed.

    5th percentile (in `lightness_p99` the 99th) of √(.241 R² + .691 G² + .068 B²) / 255 on 1,024 levels. From
    cleanvision, which flags 1 − p5 < .05 as too light.

    >>> from qm_cli.pixels import Pixels
    >>> lightness(Pixels(np.full((2, 2, 3), 255, np.uint8))).lightness
    1.0
    """
    import cv2

    pixel = pixels.values(pixels.rgb)
    if pixel.size == 0:
        return Tones(float("nan"), float("nan"))
    counts = np.zeros(TONES, np.int64)
    for block in _blocks(pixel):
        squares = cv2.multiply(block[None], block[None], dtype=cv2.CV_32F)
        tone = cv2.sqrt(cv2.transform(squares, np.array([[0.241, 0.691, 0.068]], np.float32)))
        level = cv2.multiply(tone, (TONES - 1) / 255, dtype=cv2.CV_16U)
        counts += np.bincount(level.ravel(), minlength=TONES)
    below = np.cumsum(counts) / len(pixel)
    return Tones(*(float(np.searchsorted(below, share)) / (TONES - 1) for share in (0.05, 0.99)))


@metric(level="image", kind="data", unit="share", range=(0, 1), better="lower")
def darkness(lightness_p99: FloatArray) -> FloatArray:
    """1 − the perceived brightness that only 1 % of the pixels exceed, 0..1; high = underexposed.

    From cleanvision, which flags p99 < .32 as too dark.

    >>> darkness(np.array([0.75])).tolist()
    [0.25]
    """
    return 1 - lightness_p99


@metric(level="image", kind="data", unit="share", range=(0, 1), better="higher")
def information(pixels: Sample) -> float:
    """Entropy of the grey levels as a share of the 8 bits they could have, 0..1; low = a blank frame.

    Shannon entropy of the grey histogram / 8. From cleanvision's "low information".

    >>> from qm_cli.pixels import Pixels
    >>> information(Pixels(np.repeat(np.array([[0, 85, 170, 255]], np.uint8)[..., None], 3, axis=2)))
    0.25
    """
    gray = pixels.values(pixels.gray)
    if gray.size == 0:
        return float("nan")
    counts = np.bincount(gray.ravel(), minlength=256)
    shares = counts[counts > 0] / gray.size
    return float(0.0 - (shares * np.log2(shares)).sum()) / 8


@metric(level="image", kind="data", unit="", range=(0, None), better="neither")
def colorfulness(pixels: Sample) -> float:
    """How colourful the image looks; 0 = greyscale, 33 = moderately, above 80 = extremely.

    M3 = √(σ²rg + σ²yb) + 0.3 √(μ²rg + μ²yb), rg = R − G, yb = (R + G)/2 − B
    (Hasler, Süsstrunk, Measuring colourfulness in natural images, 2003).

    >>> from qm_cli.pixels import Pixels
    >>> colorfulness(Pixels(np.array([[[80, 40, 60]]], np.uint8)))
    12.0
    """
    pixel = pixels.values(pixels.rgb)
    sums = np.zeros(4)
    for block in _blocks(pixel):
        r, g, b = block.T.astype(np.float64)
        rg, yb = r - g, r + g - 2 * b
        sums += rg.sum(), rg @ rg, yb.sum(), yb @ yb
    red_green, red_green_variance = _moments(len(pixel), *map(int, sums[:2]))
    yellow_blue, yellow_blue_variance = _moments(len(pixel), *map(int, sums[2:]))
    spread = np.sqrt(red_green_variance + yellow_blue_variance / 4)
    return float(spread + 0.3 * np.hypot(red_green, yellow_blue / 2))


@metric(level="image", kind="data", unit="share", range=(0, None), better="lower")
def noise(pixels: Sample) -> float:
    """Standard deviation of the noise in the grey image, estimated, as a share of the full scale; 0 = none.

    √(π/2) / 6 · mean |[[1, −2, 1], [−2, 4, −2], [1, −2, 1]] ∗ grey| / 255 without the outermost pixels
    (Immerkær, Fast noise variance estimation, 1996). Null below 3 × 3 pixels.

    >>> from qm_cli.pixels import Pixels
    >>> noise(Pixels(np.repeat(np.arange(9, dtype=np.uint8).reshape(3, 3, 1), 3, axis=2)))
    0.0
    """
    import cv2

    if min(pixels.gray.shape) < 3:
        return float("nan")
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = np.ascontiguousarray(cv2.filter2D(pixels.gray, cv2.CV_16S, kernel)[1:-1, 1:-1])
    return float(np.sqrt(np.pi / 2) / 6 * cv2.norm(response, cv2.NORM_L1) / response.size / 255)


def _blocks(pixel: npt.NDArray[np.generic]) -> list[npt.NDArray[np.generic]]:
    """Pixels [n, 3] in stretches that fit the cache."""
    return [pixel[first : first + PIXELS_AT_ONCE] for first in range(0, len(pixel), PIXELS_AT_ONCE)]


def _mean_and_variance(values: npt.NDArray[np.generic]) -> tuple[float, float]:
    """Mean and population variance of whole numbers, over pixels and channels together."""
    import cv2

    flat = np.ascontiguousarray(values).reshape(1, -1)
    if flat.size == 0:
        return _moments(0, 0, 0)
    return _moments(flat.size, round(cv2.sumElems(flat)[0]), round(cv2.norm(flat, cv2.NORM_L2SQR)))


def _moments(count: int, total: int, squares: int) -> tuple[float, float]:
    """Mean and population variance from exact sums; NaN without values."""
    if count == 0:
        return float("nan"), float("nan")
    return total / count, (count * squares - total * total) / (count * count)


def _share_of_hues(pixels: Sample, *hues: tuple[int, int]) -> float:
    """Share of the pixels with saturation ≥ 50, value ≥ 40 and a hue in one of the ranges, both ends included."""
    import cv2

    pixel = pixels.values(pixels.hsv).reshape(1, -1, 3)
    if pixel.size == 0:
        return float("nan")
    found = sum(cv2.countNonZero(cv2.inRange(pixel, (low, 50, 40), (high, 255, 255))) for low, high in hues)
    return found / pixel.shape[1]
