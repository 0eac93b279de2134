from __future__ import annotations

import cv2
import numpy as np
import pytest

from qm_cli.kernels.descriptor import SIDE, descriptor


def picture(seed: int) -> np.ndarray:
    """Smooth colours with an edge or two."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 255, (5, 5, 3)).astype(np.uint8)
    image = cv2.resize(small, (160, 160), interpolation=cv2.INTER_CUBIC)
    x, y = random.integers(20, 100, 2)
    image[y : y + 40, x : x + 50] = random.integers(0, 255, 3)
    return image


def small(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA))


def distance(one: np.ndarray, other: np.ndarray) -> float:
    first, second = (descriptor(small(image)).astype(np.float64) for image in (one, other))
    return float(1 - first @ second)


def plain(rgb: np.ndarray) -> np.ndarray:
    """The descriptor by OpenCV's DCT and plain loops."""
    luminance = (rgb.astype(np.float64) @ [0.299, 0.587, 0.114]) / 255
    waves = cv2.dct(luminance)[:8, :8] / SIDE
    mean = waves[0, 0]
    waves = np.array([[waves[u, v] * np.hypot(u, v) for v in range(8)] for u in range(8)]).ravel()
    waves /= np.linalg.norm(waves) + 0.05
    waves[0] = mean - 0.5
    colours = np.zeros((4, 4, 4))
    for y in range(16):
        for x in range(16):
            place = rgb[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].reshape(4, 3).mean(axis=0) / 85
            near = [[(int(p), 1 - p % 1), (int(p) + 1, p % 1)] if p < 3 else [(3, 1.0)] for p in place]
            for r, a in near[0]:
                for g, b in near[1]:
                    for c, d in near[2]:
                        colours[r, g, c] += a * b * d / 256
    edges, total = np.zeros((4, 4, 8)), 900 * 0.005
    for y in range(1, 31):
        for x in range(1, 31):
            down, across = luminance[y + 1, x] - luminance[y - 1, x], luminance[y, x + 1] - luminance[y, x - 1]
            strength, turn = np.hypot(down, across), np.arctan2(down, across) / np.pi * 8
            low = int(np.floor(turn))
            cell = edges[(y - 1) * 4 // 30, (x - 1) * 4 // 30]
            cell[low % 8] += strength * (1 - (turn - low))
            cell[(low + 1) % 8] += strength * (turn - low)
            total += strength
    vector = np.concatenate([waves, 0.7 * np.sqrt(colours).ravel(), 0.7 * np.sqrt(edges / total).ravel()])
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("seed", range(3))
def test_as_in_plain_loops(seed: int) -> None:
    rgb = small(picture(seed))
    np.testing.assert_allclose(descriptor(rgb), plain(rgb), atol=1e-6)


@pytest.mark.parametrize("value", [0, 1, 84, 128, 254, 255])
def test_flat_images_have_a_length_of_one(value: int) -> None:
    vector = descriptor(np.full((SIDE, SIDE, 3), value, np.uint8))
    assert vector.dtype == np.float32
    assert vector.shape == (256,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(vector, plain(np.full((SIDE, SIDE, 3), value, np.uint8)), atol=1e-6)


def test_versions_are_near_and_others_far() -> None:
    pictures = [picture(seed) for seed in range(12)]
    for image in pictures:
        _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 60])
        assert distance(image, cv2.imdecode(jpeg, cv2.IMREAD_COLOR)) < 0.01
        assert distance(image, cv2.resize(image, (90, 90), interpolation=cv2.INTER_AREA)) < 0.01
    others = [distance(one, other) for place, one in enumerate(pictures) for other in pictures[:place]]
    assert min(others) > 0.1
