"""What the pixels show: light, contrast, sharpness, colour, noise; of the image, or of an object's own pixels.

Sums are taken over whole numbers, so they are exact and do not depend on the order or on how often the image is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.hues import HueCounts
from qm_cli.kernels.tones import TONES, gray_counts, tone_counts
from qm_cli.metric import metric

FloatArray = npt.NDArray[np.float64]
SAMPLES = ("image", "label", "prediction")


class Sample(Protocol):
    """What these metrics read of an image's or an object's pixels."""

    @property
    def gray(self) -> npt.NDArray[np.uint8]: ...
    @property
    def channels(self) -> Sequence[npt.NDArray[np.uint8]]: ...
    @property
    def rgb_sums(self) -> tuple[int, int]: ...
    @property
    def laplacian_sums(self) -> tuple[int, int]: ...
    @property
    def hue_counts(self) -> HueCounts: ...
    @property
    def mask(self) -> npt.NDArray[np.bool_] | None: ...
    @property
    def count(self) -> int: ...
    def inside(self, plane: npt.NDArray[Any]) -> npt.NDArray[Any]: ...


@metric(level=SAMPLES, kind="data", unit="share", range=(0, 1), better="neither")
def brightness(pixels: Sample) -> float:
    """Mean over all pixels and channels, 0..1; 0 = black, 1 = white.

    As in Encord Active.

    >>> from qm_cli.pixels import Pixels
    >>> brightness(Pixels(np.array([[[255, 0, 0], [255, 255, 0]]], np.uint8)))
    0.5
    """
    return _share(pixels.rgb_sums[0], 3 * pixels.count) / 255


@metric(level=SAMPLES, kind="data", unit="share", range=(0, 0.5), better="higher")
def contrast(pixels: Sample) -> float:
    """Standard deviation over all pixels and channels together, 0..0.5; 0 = one flat tone.

    As in Encord Active.

    >>> from qm_cli.pixels import Pixels
    >>> contrast(Pixels(np.array([[[255, 255, 255], [0, 0, 0]]], np.uint8)))
    0.5
    """
    return float(np.sqrt(_moments(3 * pixels.count, *pixels.rgb_sums)[1]) / 255)


@metric(level=SAMPLES, kind="data", unit="", range=(0, 1020**2), better="higher")
def laplacian_variance(pixels: Sample) -> float:
    """Variance over all pixels and channels together of the 3 × 3 Laplacian at full resolution; low = blurry.

    Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, 2000; Encord Active's raw "Sharpness".

    >>> from qm_cli.pixels import Pixels
    >>> laplacian_variance(Pixels(np.array([[[0, 0, 0], [5, 5, 5]]], np.uint8)))  # Laplacians 10 and −10
    100.0
    """
    return _moments(3 * pixels.count, *pixels.laplacian_sums)[1]


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
    return _share(pixels.hue_counts.red, pixels.count)


@metric(level=SAMPLES, kind="data", unit="share", range=(0, 1), better="neither")
def green(pixels: Sample) -> float:
    """Share of clearly green pixels, 0..1: OpenCV HSV with H in 35–75, S ≥ 50, V ≥ 40.

    As in Encord Active.

    >>> from qm_cli.pixels import Pixels
    >>> green(Pixels(np.array([[[0, 200, 0], [190, 200, 190]]], np.uint8)))
    0.5
    """
    return _share(pixels.hue_counts.green, pixels.count)


@metric(level=SAMPLES, kind="data", unit="share", range=(0, 1), better="neither")
def blue(pixels: Sample) -> float:
    """Share of clearly blue pixels, 0..1: OpenCV HSV with H in 90–130, S ≥ 50, V ≥ 40.

    As in Encord Active.

    >>> from qm_cli.pixels import Pixels
    >>> blue(Pixels(np.array([[[0, 0, 40], [0, 0, 39]]], np.uint8)))
    0.5
    """
    return _share(pixels.hue_counts.blue, pixels.count)


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
    if pixels.count == 0:
        return Tones(float("nan"), float("nan"))
    below = np.cumsum(tone_counts(pixels.channels, pixels.mask)) / pixels.count
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
    if pixels.count == 0:
        return float("nan")
    counts = gray_counts(pixels.gray, pixels.mask)
    shares = counts[counts > 0] / pixels.count
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
    import cv2

    r, g, b = map(pixels.inside, pixels.channels)
    red, green, blue = (round(cv2.sumElems(plane)[0]) for plane in (r, g, b))
    rg, rb, gb = (round(cv2.norm(*pair, cv2.NORM_L2SQR)) for pair in ((r, g), (r, b), (g, b)))
    red_green, red_green_variance = _moments(pixels.count, red - green, rg)
    # R + G − 2 B is (R − B) + (G − B); the squares of sum and difference of two numbers add up to twice their squares.
    yellow_blue, yellow_blue_variance = _moments(pixels.count, red + green - 2 * blue, 2 * rb + 2 * gb - rg)
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
    response = cv2.Sobel(pixels.gray, cv2.CV_16S, 2, 2, ksize=3)[1:-1, 1:-1]  # [1, −2, 1] downwards and across
    return float(np.sqrt(np.pi / 2) / 6 * cv2.norm(response, cv2.NORM_L1) / response.size / 255)


def _moments(count: int, total: int, squares: int) -> tuple[float, float]:
    """Mean and population variance from exact sums; NaN without values."""
    if count == 0:
        return float("nan"), float("nan")
    return total / count, (count * squares - total * total) / (count * count)


def _share(part: float, count: int) -> float:
    return part / count if count else float("nan")
