"""A scene: toys laid out on a ground, composed with their shadows, seen through weather and a camera."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from grounds import GROUNDS, backdrop, cloud, receding
from numpy.typing import NDArray
from shapes import toy

Array = NDArray[Any]
Box = tuple[float, float, float, float]  # x, y, width, height

SCALE = 2  # scenes are composed at twice the size of the photograph
ASPECTS = {"car": 2.1, "van": 1.9, "bottle": 0.37, "cup": 1.15, "ball": 1.0}
SMALLEST, LARGEST = 0.045, 0.30  # side of a toy's box over the side of the image, sides being roots of areas
MARGIN = 5  # pixels between a toy and the border
GAP = 9  # pixels between toys
CROSSING_WIDTH, CROSSING_SEEN = 88.0, 62.0  # pixels of a cup cut by the border: whole, and inside the image


@dataclass
class Thing:
    """A toy as drawn: where it truly is, whatever a label may say."""

    category: str
    box: Box
    polygon: list[float]
    area: float
    is_pile: bool = False


@dataclass
class Scene:
    """A photograph (RGB, 0..1) and what is in it."""

    pixels: Array
    things: list[Thing] = field(default_factory=list)


def apart(box: Box, others: list[Box], gap: float) -> bool:
    """Whether the box keeps the gap to all others."""
    x, y, width, height = box
    return all(
        x + width + gap <= other[0]
        or other[0] + other[2] + gap <= x
        or y + height + gap <= other[1]
        or other[1] + other[3] + gap <= y
        for other in others
    )


def layout(
    rng: np.random.Generator, size: tuple[int, int], wanted: list[tuple[str, float]], taken: list[Box], horizon: float
) -> list[tuple[str, Box]]:
    """Places for (category, relative side) pairs, largest first; a toy that finds no room is left out.

    Every toy stands on the ground, that is, ends below the horizon.
    """
    width, height = size
    placed: list[tuple[str, Box]] = []
    for category, relative in sorted(wanted, key=lambda pair: -pair[1]):
        side = relative * np.sqrt(width * height)
        wide, high = side * np.sqrt(ASPECTS[category]), side / np.sqrt(ASPECTS[category])
        for _ in range(200):
            x = rng.uniform(MARGIN, width - MARGIN - wide)
            y = rng.uniform(max(MARGIN, horizon + 4 - 0.9 * high), height - MARGIN - high)
            box = (x, y, wide, high)
            if apart(box, taken + [other for _, other in placed], GAP):
                placed.append((category, box))
                break
    return placed


def wanted_toys(rng: np.random.Generator, count: int) -> list[tuple[str, float]]:
    """Categories with sizes spread evenly over the whole range, so that no image is one of small toys only."""
    quantiles = (rng.permutation(count) + rng.uniform(0, 1, count)) / count
    sides = SMALLEST * (LARGEST / SMALLEST) ** quantiles
    names = list(ASPECTS)
    start = rng.permutation(len(names))
    return [(names[start[i % len(names)]], float(side)) for i, side in enumerate(sides)]


def shaded_by(canvas: Array, alpha: Array, corner: tuple[int, int], light: Array) -> Array:
    """The canvas darkened by the shadow that a toy, its top left at `corner`, casts on the ground."""
    x, y = corner
    high = alpha.shape[0]
    lean, squash = -0.55 * light[0] / light[2], 0.32
    base = y + 0.97 * high
    matrix = np.array([[1, -lean, x + lean * high], [0, squash, base - squash * high]])
    shadow = cv2.warpAffine(alpha, matrix, canvas.shape[1::-1])
    contact = cv2.warpAffine(alpha, np.array([[1, 0, x], [0, 0.08, base - 0.05 * high]]), canvas.shape[1::-1])
    soft = 0.58 * cv2.GaussianBlur(shadow, (0, 0), 1.5 + 0.035 * high)
    soft = 1 - (1 - soft) * (1 - 0.65 * cv2.GaussianBlur(contact, (0, 0), 1.0 + 0.02 * high))
    return np.asarray(canvas * (1 - soft[..., None] * np.array([0.95, 0.92, 0.85])))


def put(canvas: Array, rng: np.random.Generator, category: str, box: Box, light: Array) -> tuple[Array, Array]:
    """The canvas with a toy drawn in the middle of a box, and the toy's alpha over the whole canvas."""
    colour, alpha = toy(rng, category, light, float(np.sqrt(box[2] * box[3]) * SCALE))
    high, wide = alpha.shape
    x = round((box[0] + box[2] / 2) * SCALE - wide / 2)
    y = round((box[1] + box[3] / 2) * SCALE - high / 2)
    canvas = shaded_by(canvas, alpha, (x, y), light)
    place = np.array([[1.0, 0, x], [0, 1, y]])
    whole = cv2.warpAffine(alpha, place, canvas.shape[1::-1], flags=cv2.INTER_NEAREST)
    painted = cv2.warpAffine(colour, place, canvas.shape[1::-1], flags=cv2.INTER_NEAREST)
    return canvas + whole[..., None] * (painted - canvas), whole


def thing_from(alpha: Array, category: str, is_pile: bool = False) -> Thing:
    """The true box and outline of what an alpha plane covers, in photograph pixels."""
    mask = (alpha > 0.5).astype(np.uint8)
    if is_pile:
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    contour = max(cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=cv2.contourArea)
    x, y, width, height = (value / SCALE for value in cv2.boundingRect(contour))
    outline = cv2.approxPolyDP(contour, 1.0, True)[:, 0] / SCALE
    centre = outline.mean(axis=0)
    outline = outline + 0.25 * np.sign(outline - centre)  # from pixel centres to the outer edge
    outline = np.clip(outline, [x, y], [x + width, y + height])
    area = cv2.contourArea(outline.astype(np.float32))
    return Thing(category, (x, y, width, height), np.round(outline, 2).ravel().tolist(), area, is_pile)


def put_pile(canvas: Array, rng: np.random.Generator, category: str, box: Box, light: Array) -> tuple[Array, Array]:
    """The canvas with many small toys overlapping in a box, back row first."""
    covered = np.zeros(canvas.shape[:2])
    side = box[3] * 0.42
    for row in range(4):
        inset = (3 - row) * 0.6 * side
        for x in np.arange(box[0] + inset, box[0] + box[2] - side - inset, side / 1.5):
            y = box[1] + (box[3] - side) * row / 3 + rng.uniform(-2, 2)
            canvas, alpha = put(canvas, rng, category, (x + rng.uniform(-2, 2), y, side, side), light)
            covered = np.maximum(covered, alpha)
    return canvas, covered


def stage(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Array, int]:
    """An empty ground under uneven light, and the row of its horizon: two of three have a backdrop at the top."""
    ground = GROUNDS[str(rng.choice(list(GROUNDS)))](rng, (shape[0] * 5 // 4, shape[1] * 5 // 4))
    canvas = receding(rng, ground, shape)
    horizon = round(shape[0] * rng.uniform(0.1, 0.4)) if rng.random() < 0.65 else 0
    if horizon:
        edge = np.clip((np.arange(shape[0]) - horizon) / rng.uniform(3, 14) + 0.5, 0, 1)[:, None, None]
        canvas = canvas * edge + backdrop(rng, shape) * (1 - edge)
    down, across = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    falloff = 1 + rng.uniform(0.1, 0.35) * (down * np.sin(angle) + across * np.cos(angle))
    if rng.random() < 0.5:
        leaves = cv2.GaussianBlur((cloud(rng, shape, (3, 4), 3) > rng.uniform(-0.2, 0.8)).astype(float), (0, 0), 9)
        falloff = falloff * (1 - 0.4 * leaves)
    return canvas * falloff[..., None], horizon


def compose(
    rng: np.random.Generator,
    size: tuple[int, int],
    wanted: list[tuple[str, float]],
    pile: str | None = None,
    crossing: bool = False,
) -> Scene:
    """A scene at twice its size: a ground, toys, perhaps a pile of toys, perhaps a cup cut by the right border."""
    width, height = size
    light = np.array([rng.choice([-1.0, 1.0]) * rng.uniform(0.25, 0.6), -0.6, 0.62])
    light /= np.linalg.norm(light)
    canvas, horizon = stage(rng, (height * SCALE, width * SCALE))
    taken: list[Box] = []
    if pile:
        taken.append(
            (rng.uniform(MARGIN, width * 0.6), rng.uniform(height * 0.35, height * 0.7), width * 0.34, height * 0.24)
        )
    if crossing:
        taken.append((width - CROSSING_SEEN, rng.uniform(0.3, 0.6) * height, CROSSING_WIDTH, CROSSING_WIDTH / 1.15))
    placed = [("cup", taken[-1])] if crossing else []
    placed += layout(rng, size, wanted, taken, horizon / SCALE)
    scene = Scene(canvas)
    if pile:
        scene.pixels, covered = put_pile(scene.pixels, rng, pile, taken[0], light)
        scene.things.append(thing_from(covered, pile, is_pile=True))
    for category, box in sorted(placed, key=lambda pair: pair[1][1] + pair[1][3]):
        scene.pixels, alpha = put(scene.pixels, rng, category, box, light)
        scene.things.append(thing_from(alpha, category))
    return scene


def through_weather(rng: np.random.Generator, pixels: Array, weather: str) -> Array:
    """The scene behind fog or rain."""
    shape = pixels.shape[:2]
    if weather == "fog":
        veil = np.linspace(rng.uniform(0.5, 0.62), rng.uniform(0.3, 0.45), shape[0])[:, None]
        veil = np.clip(veil + 0.06 * cloud(rng, shape, (2, 3), 3), 0, 0.75)[..., None]
        return pixels * (1 - veil) + np.array([0.74, 0.77, 0.80]) * veil
    if weather == "rain":
        drops = (rng.random(shape) < 0.0012).astype(float)
        slant = np.zeros((31, 31))
        cv2.line(slant, (15 - int(rng.integers(-6, 7)), 0), (15, 30), 1.0, 1, cv2.LINE_AA)
        streaks = np.clip(cv2.filter2D(drops, -1, slant), 0, 1)[..., None]
        grey = pixels.mean(axis=2, keepdims=True)
        wet = (0.65 * pixels + 0.35 * grey) * np.array([0.94, 0.99, 1.04])
        return np.asarray(wet + 0.3 * cv2.GaussianBlur(streaks, (0, 0), 0.7)[..., None] * (0.95 - wet))
    return pixels


def photograph(rng: np.random.Generator, pixels: Array, exposure: float | None = None) -> Array:
    """The scene at the camera: vignette, exposure (mean brightness, about middle unless given), tint and noise."""
    height, width = pixels.shape[0] // SCALE, pixels.shape[1] // SCALE
    pixels = cv2.GaussianBlur(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), (0, 0), 0.45)
    down, across = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    pixels = pixels * (1 - 0.16 * (down**2 + across**2))[..., None] * rng.normal(1, 0.025, 3)
    pixels = np.clip(pixels * ((exposure or rng.uniform(0.38, 0.56)) / pixels.mean()), 0, None)
    pixels = pixels + rng.normal(size=pixels.shape) * np.sqrt(0.0002 + 0.0004 * pixels)
    return np.clip(pixels, 0, 1)
