"""What the toys stand on and in front of: seeded textures of wood, grass, sand, paving, asphalt and cloth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, int]


def cloud(rng: np.random.Generator, shape: Shape, cells: tuple[float, float], octaves: int = 4) -> Array:
    """Smooth noise of mean 0 and deviation 1, coarsest at `cells` (down, across) grid cells over the area."""
    total = np.zeros(shape)
    for octave in range(octaves):
        grid = tuple(max(round(count * 2**octave), 2) for count in cells)
        total += cv2.resize(rng.normal(size=grid), shape[::-1], interpolation=cv2.INTER_CUBIC) / 2**octave
    noise: Array = (total - total.mean()) / total.std()
    return noise


def tinted(colour: Array, brightness: Array) -> Array:
    """A colour times a plane of factors."""
    return np.asarray(colour) * brightness[..., None]


def wood(rng: np.random.Generator, shape: Shape) -> Array:
    """Planks with grain, each a little darker or lighter, dark gaps between."""
    colour = rng.choice(np.array([[0.62, 0.45, 0.30], [0.50, 0.36, 0.24], [0.66, 0.60, 0.52], [0.42, 0.33, 0.28]]))
    width = rng.uniform(55, 110)
    plank = (np.arange(shape[1]) + rng.uniform(0, width)) / width
    tone = rng.normal(1, 0.09, int(plank.max()) + 1)[plank.astype(int)]
    gap = 1 - 0.6 * (plank % 1 < 2.5 / width)
    grain = 1 + 0.06 * cloud(rng, shape, (3, 50), 3) + 0.04 * cloud(rng, shape, (2, 5), 3)
    return tinted(colour, grain * tone * gap)


def grass(rng: np.random.Generator, shape: Shape) -> Array:
    """A lawn: short upright blades over patches of greener and drier ground."""
    blades = cv2.GaussianBlur(rng.normal(size=shape), (0, 0), 0.9, sigmaY=3.5)
    blades = blades / blades.std()
    patches = cloud(rng, shape, (3, 4), 4)
    green, dry = np.array([0.27, 0.43, 0.15]), np.array([0.50, 0.50, 0.24])
    share = np.clip(0.35 + 0.2 * patches, 0, 1)[..., None]
    lawn: Array = (green * (1 - share) + dry * share) * (1 + 0.19 * blades[..., None])
    return lawn


def sand(rng: np.random.Generator, shape: Shape) -> Array:
    """Sand with soft ripples and fine grain."""
    rows = np.arange(shape[0])[:, None] / rng.uniform(5, 9)
    ripples = np.sin(rows + 1.8 * cloud(rng, shape, (3, 3), 2))
    grain = cv2.GaussianBlur(rng.normal(size=shape), (0, 0), 0.8)
    return tinted(np.array([0.76, 0.66, 0.50]), 1 + 0.05 * ripples + 0.13 * grain + 0.05 * cloud(rng, shape, (2, 3)))


def paving(rng: np.random.Generator, shape: Shape) -> Array:
    """Stone slabs in a running bond, joints darker, each slab of its own grey."""
    high = rng.uniform(60, 100)
    wide = high * rng.uniform(1.0, 1.9)
    down = np.arange(shape[0])[:, None] / high
    across = np.arange(shape[1])[None, :] / wide + 0.5 * (down.astype(int) % 2)
    tone = rng.normal(1, 0.08, (int(down.max()) + 1, int(across.max()) + 1))[down.astype(int), across.astype(int)]
    joint = ((down % 1) * high < 4) | ((across % 1) * wide < 4)
    colour = rng.choice(np.array([[0.56, 0.54, 0.51], [0.62, 0.48, 0.41], [0.47, 0.50, 0.53]]))
    speckle = cv2.GaussianBlur(rng.normal(size=shape), (0, 0), 1.0)
    return tinted(colour, tone * (1 - 0.45 * joint) * (1 + 0.14 * speckle + 0.06 * cloud(rng, shape, (4, 5))))


def asphalt(rng: np.random.Generator, shape: Shape) -> Array:
    """Asphalt with coarse grit and a chalk line or two."""
    grit = cv2.GaussianBlur(rng.normal(size=shape), (0, 0), 1.1)
    ground = tinted(np.array([0.40, 0.40, 0.42]), 1 + 0.3 * grit + 0.08 * cloud(rng, shape, (3, 3)))
    line = np.zeros(shape)
    for _ in range(rng.integers(1, 4)):
        ends = (rng.uniform(0, 1, (2, 2)) * shape[::-1]).astype(int)
        cv2.line(line, ends[0].tolist(), ends[1].tolist(), 1.0, int(rng.integers(6, 12)), cv2.LINE_AA)
    chalk = (line * np.clip(0.55 + 0.5 * grit, 0, 0.85))[..., None]
    ground += chalk * (rng.choice(np.array([[0.9, 0.9, 0.88], [0.9, 0.75, 0.8], [0.7, 0.8, 0.95]])) - ground)
    return ground


def cloth(rng: np.random.Generator, shape: Shape) -> Array:
    """A checked blanket with folds and a weave."""
    size = rng.uniform(28, 60)
    bands = [((np.arange(n) + rng.uniform(0, size)) / size % 2 < 1).astype(float) for n in shape]
    colour = rng.choice(np.array([[0.62, 0.16, 0.15], [0.17, 0.30, 0.50], [0.24, 0.42, 0.28], [0.60, 0.50, 0.25]]))
    share = ((bands[0][:, None] + bands[1][None, :]) / 2)[..., None]
    pattern: Array = np.array([0.82, 0.79, 0.72]) * (1 - share) + colour * share
    pattern *= (1 + 0.07 * rng.normal(size=shape) + 0.12 * cloud(rng, shape, (2, 3), 2))[..., None]
    return pattern


GROUNDS: dict[str, Callable[[np.random.Generator, Shape], Array]] = {
    "wood": wood,
    "grass": grass,
    "sand": sand,
    "paving": paving,
    "asphalt": asphalt,
    "cloth": cloth,
}


def receding(rng: np.random.Generator, texture: Array, shape: Shape) -> Array:
    """The texture laid flat, turned a little and seen from above at an angle, as `shape` pixels."""
    height, width = texture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-25, 25), rng.uniform(1.35, 1.7))
    texture = cv2.warpAffine(texture, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    narrow = rng.uniform(0.0, 0.28) * width
    seen = np.array([[0, 0], [width, 0], [width - narrow, height], [narrow, height]], np.float32)
    frame = np.array([[0, 0], [shape[1], 0], [shape[1], shape[0]], [0, shape[0]]], np.float32)
    view = cv2.getPerspectiveTransform(seen, frame)
    return np.asarray(cv2.warpPerspective(texture, view, shape[::-1], flags=cv2.INTER_AREA))


def backdrop(rng: np.random.Generator, shape: Shape) -> Array:
    """What is far behind, out of focus: foliage or a wall, with round spots of light."""
    colour = rng.choice(np.array([[0.22, 0.32, 0.17], [0.45, 0.42, 0.40], [0.55, 0.36, 0.28], [0.42, 0.52, 0.62]]))
    plane = tinted(colour, 1 + 0.28 * cloud(rng, shape, (4, 6), 3)) + 0.03 * rng.normal(size=3)
    for _ in range(rng.integers(4, 22)):
        centre = (rng.uniform(0, 1, 2) * shape[::-1]).astype(int).tolist()
        spot = np.zeros(shape)
        cv2.circle(spot, centre, int(rng.integers(6, 24)), 1.0, -1, cv2.LINE_AA)
        plane += spot[..., None] * rng.uniform(0.03, 0.22) * np.array([1.0, 0.95, 0.8])
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), 4.0))
