from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from qm_cli.metrics import image_quality
from qm_cli.pixels import Pixels, crop
from tests.metrics.examples import Example, check, complete

Colour = tuple[int, int, int]
RED, GREEN, BLUE, BLACK, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255)


def row(*colours: Colour) -> dict[str, Any]:
    """One row of pixels."""
    return {"pixels": Pixels(np.array([colours], np.uint8))}


def object_of(*colours: Colour) -> dict[str, Any]:
    """The first pixel of the row, as an object with a polygon."""
    whole = row(*colours)["pixels"]
    part = crop(whole, [0, 0, 2, 1], [[0, 0, 1, 0, 1, 1, 0, 1]])
    assert part is not None
    return {"pixels": part}


EXAMPLES = [
    Example(image_quality.brightness, row(RED, WHITE), 2 / 3),
    Example(image_quality.brightness, object_of(WHITE, BLACK), 1.0),
    Example(image_quality.contrast, row(BLACK, WHITE), 0.5),
    Example(image_quality.contrast, row((77, 77, 77), (77, 77, 77), (77, 77, 77)), 0.0),
    Example(image_quality.contrast, object_of(RED, BLACK), 2**0.5 / 3),
    Example(image_quality.laplacian_variance, row(BLACK, (5, 5, 5)), 100.0),
    Example(image_quality.laplacian_variance, object_of(BLACK, (5, 5, 5)), 0.0),
    Example(image_quality.sharpness, {"laplacian_variance": [10404.0, 0, float("nan")]}, [0.1, 0.0, None]),
    Example(image_quality.blur, {"sharpness": [0.25]}, [0.75]),
    Example(image_quality.red, row(RED, (255, 0, 80), GREEN, BLUE), 0.5),
    Example(image_quality.red, object_of(RED, GREEN), 1.0),
    Example(image_quality.green, row(RED, GREEN, (39, 40, 39), BLUE), 0.25),
    Example(image_quality.blue, row(BLUE, (0, 0, 40), (0, 0, 39), RED), 0.5),
    Example(image_quality.lightness, row(WHITE, WHITE), (1.0, 1.0)),
    Example(image_quality.lightness, row(*[BLACK] * 5, *[WHITE] * 95), (0.0, 1.0)),
    Example(image_quality.lightness, row(*[BLACK] * 4, *[WHITE] * 96), (1.0, 1.0)),
    Example(image_quality.lightness, row(*[BLACK] * 99, WHITE), (0.0, 0.0)),
    Example(image_quality.darkness, {"lightness_p99": [0.75]}, [0.25]),
    Example(image_quality.information, row(BLACK, WHITE, (80, 80, 80), (9, 9, 9)), 0.25),
    Example(image_quality.information, row(RED, RED), 0.0),
    Example(image_quality.colorfulness, row((80, 40, 60)), 12.0),
    Example(image_quality.colorfulness, row((80, 80, 80), (9, 9, 9)), 0.0),
    Example(image_quality.noise, {"pixels": Pixels(np.zeros((5, 4, 3), np.uint8))}, 0.0),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(image_quality, EXAMPLES)


@pytest.fixture(scope="module")
def noise_image() -> Pixels:
    random = np.random.default_rng(3)
    return Pixels(random.integers(0, 256, (67, 91, 3), np.uint8))


def test_equals_plain_numpy(noise_image: Pixels) -> None:
    rgb = noise_image.rgb.astype(float)
    assert image_quality.brightness(noise_image) == pytest.approx(rgb.mean() / 255, rel=1e-14)
    assert image_quality.contrast(noise_image) == pytest.approx(rgb.std() / 255, rel=1e-12)
    framed = np.pad(rgb, ((1, 1), (1, 1), (0, 0)), mode="reflect")
    edges = framed[:-2, 1:-1] + framed[2:, 1:-1] + framed[1:-1, :-2] + framed[1:-1, 2:] - 4 * rgb
    assert image_quality.laplacian_variance(noise_image) == pytest.approx(edges.var(), rel=1e-12)

    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    rg, yb = r - g, (r + g) / 2 - b
    expected = np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())
    assert image_quality.colorfulness(noise_image) == pytest.approx(expected, rel=1e-9)

    tone = np.sqrt(0.241 * r**2 + 0.691 * g**2 + 0.068 * b**2) / 255
    low, high = image_quality.lightness(noise_image)
    assert (low, high) == pytest.approx(np.percentile(tone, [5, 99]), abs=2 / 1023)

    hue, saturation, value = np.moveaxis(noise_image.hsv.astype(int), 2, 0)
    strong = (saturation >= 50) & (value >= 40)
    assert image_quality.red(noise_image) == (strong & ((hue <= 10) | (hue >= 170))).mean()
    assert image_quality.green(noise_image) == (strong & (hue >= 35) & (hue <= 75)).mean()
    assert image_quality.blue(noise_image) == (strong & (hue >= 90) & (hue <= 130)).mean()

    gray = noise_image.gray.astype(float)
    second = gray[:, :-2] - 2 * gray[:, 1:-1] + gray[:, 2:]
    response = second[:-2] - 2 * second[1:-1] + second[2:]
    expected = np.sqrt(np.pi / 2) / 6 * np.abs(response).mean() / 255
    assert image_quality.noise(noise_image) == pytest.approx(expected, rel=1e-12)


def test_noise_finds_the_sigma_that_was_added() -> None:
    random = np.random.default_rng(5)
    gray = np.clip(np.rint(128 + 10 * random.standard_normal((300, 300))), 0, 255).astype(np.uint8)
    assert image_quality.noise(Pixels(np.repeat(gray[..., None], 3, axis=2))) == pytest.approx(10 / 255, rel=0.03)


def test_an_image_that_is_blurred_is_less_sharp(noise_image: Pixels) -> None:
    blurred = Pixels(np.ascontiguousarray(cv2.GaussianBlur(noise_image.rgb, (5, 5), 1)))
    assert image_quality.laplacian_variance(blurred) < image_quality.laplacian_variance(noise_image) / 10


def test_no_noise_without_an_inner_pixel() -> None:
    assert np.isnan(image_quality.noise(Pixels(np.zeros((2, 9, 3), np.uint8))))
