"""Five toys as lit sprites: a painter draws one toy on a canvas of its own, later parts over earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Point = tuple[float, float]

CANVAS = 240  # rows of a canvas; every length below is in canvas heights
AMBIENT = 0.45
VIEWER = np.array([0.0, 0.0, 1.0])
PAINTS = np.array(
    [
        [0.78, 0.13, 0.12],
        [0.12, 0.32, 0.68],
        [0.93, 0.71, 0.12],
        [0.16, 0.52, 0.27],
        [0.88, 0.88, 0.85],
        [0.90, 0.42, 0.10],
        [0.30, 0.62, 0.70],
        [0.50, 0.22, 0.48],
        [0.35, 0.37, 0.40],
        [0.85, 0.50, 0.55],
    ]
)
GLASS = np.array([[0.16, 0.36, 0.18], [0.40, 0.22, 0.08], [0.35, 0.55, 0.62], [0.62, 0.66, 0.60], [0.15, 0.25, 0.50]])


class Sprite:
    """A colour and an alpha plane, `aspect` canvas heights wide, lit from the unit vector `light` (x right, y down)."""

    def __init__(self, aspect: float, light: Array) -> None:
        shape = (CANVAS, round(CANVAS * aspect))
        self.rgb = np.zeros((*shape, 3))
        self.alpha = np.zeros(shape)
        self.light = light
        rows, columns = np.indices(shape)
        self.x = (columns + 0.5) / CANVAS
        self.y = (rows + 0.5) / CANVAS

    def polygon(self, points: Sequence[Point] | Array, rounding: float = 0.012) -> Array:
        """The soft mask of a polygon with rounded corners."""
        drawn = np.zeros(self.alpha.shape, np.uint8)
        cv2.fillPoly(drawn, [np.round(np.array(points) * CANVAS * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
        soft = cv2.GaussianBlur(drawn.astype(np.float64) / 255, (0, 0), rounding * CANVAS)
        mask: Array = np.clip((soft - 0.5) * rounding * CANVAS + 0.5, 0, 1)
        return mask

    def ellipse(self, x: float, y: float, radius_x: float, radius_y: float) -> Array:
        """The soft mask of an ellipse."""
        distance = np.hypot((self.x - x) / radius_x, (self.y - y) / radius_y)
        return np.clip((1 - distance) * min(radius_x, radius_y) * CANVAS + 0.5, 0, 1)

    def paint(self, mask: Array, colour: Array, normals: Array | None = None, gloss: float = 0.0) -> None:
        """Lay a part over what is there; with normals it is shaded, `gloss` adds a highlight."""
        lit = np.broadcast_to(colour, self.rgb.shape)
        if normals is not None:
            halfway = (self.light + VIEWER) / np.linalg.norm(self.light + VIEWER)
            diffuse = np.clip(normals @ self.light, 0, 1)[..., None]
            highlight = gloss * np.clip(normals @ halfway, 0, 1)[..., None] ** 40
            lit = lit * (AMBIENT + (1.25 - AMBIENT) * diffuse) + highlight
        self.rgb += mask[..., None] * (lit - self.rgb)
        self.alpha += mask * (1 - self.alpha)


def unit(x: Array, y: Array, z: Array) -> Array:
    """Unit vectors from their three components."""
    vectors = np.stack([x, y, z], axis=-1)
    units: Array = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return units


def round_normals(across: Array, slope: float | Array = 0.0) -> Array:
    """Normals of an upright round body; `across` runs from -1 at its left edge to 1 at its right."""
    across = np.clip(across, -1, 1)
    return unit(across, np.zeros_like(across) + slope, np.sqrt(1 - across**2))


def bevelled_normals(mask: Array, bevel: float) -> Array:
    """Normals of a flat plate with the outline of `mask` and edges rounded over `bevel` canvas heights."""
    inside = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / (bevel * CANVAS)
    height = cv2.GaussianBlur(np.sqrt(1 - (1 - np.clip(inside, 0, 1)) ** 2), (0, 0), 2.0)
    down, right = np.gradient(height * bevel * CANVAS)
    return unit(-right, -down, np.ones_like(height))


def pick(rng: np.random.Generator, colours: Array) -> Array:
    """One of the colours, a little off."""
    colour: Array = np.clip(rng.choice(colours) + rng.normal(0, 0.03, 3), 0.03, 0.97)
    return colour


def ball(rng: np.random.Generator, light: Array) -> Sprite:
    """A ball: plain, with sectors like a beach ball, or with a band."""
    sprite = Sprite(1.0, light)
    x, y = (sprite.x - 0.5) / 0.48, (sprite.y - 0.5) / 0.48
    normals = unit(x, y, np.sqrt(np.clip(1 - x**2 - y**2, 0, 1)))
    turned = normals @ np.linalg.qr(rng.normal(size=(3, 3)))[0]
    second = {
        "plain": np.zeros_like(x, dtype=bool),
        "sectors": np.floor(np.arctan2(turned[..., 1], turned[..., 0]) / (np.pi / 3)) % 2 == 0,
        "band": np.abs(turned[..., 2]) < rng.uniform(0.15, 0.4),
    }[str(rng.choice(["plain", "sectors", "sectors", "band"]))]
    colour = np.where(second[..., None], pick(rng, PAINTS[4:5]), pick(rng, PAINTS))
    sprite.paint(sprite.ellipse(0.5, 0.5, 0.48, 0.48), colour, normals, gloss=rng.uniform(0.2, 0.7))
    return sprite


def cup(rng: np.random.Generator, light: Array) -> Sprite:
    """A mug: tapered body, handle on the right, dark inside, perhaps a stripe and something to drink."""
    sprite = Sprite(1.12, light)
    colour = pick(rng, PAINTS)
    top, bottom, middle, squash = 0.17, 0.9, 0.44, 0.26
    top_radius, bottom_radius = 0.42, rng.uniform(0.28, 0.39)
    handle = sprite.ellipse(0.85, 0.5, 0.24, 0.25) * (1 - sprite.ellipse(0.85, 0.5, 0.15, 0.165))
    sprite.paint(handle, colour, bevelled_normals(handle, 0.045), gloss=0.3)
    radius = np.interp(sprite.y, [top, bottom], [top_radius, bottom_radius])
    across = (sprite.x - middle) / radius
    sides = np.clip((1 - np.abs(across)) * radius * CANVAS + 0.5, 0, 1) * (sprite.y > top) * (sprite.y < bottom)
    body = np.maximum(sides, sprite.ellipse(middle, bottom, bottom_radius, bottom_radius * squash))
    stripe = (np.abs(sprite.y - squash * 0.12 - rng.uniform(0.45, 0.65)) < 0.07) & (rng.random() < 0.5)
    painted = np.where(stripe[..., None], pick(rng, PAINTS), colour)
    sprite.paint(body, painted, round_normals(across, -0.1), gloss=0.35)
    sprite.paint(sprite.ellipse(middle, top, top_radius, top_radius * squash), np.clip(colour * 1.15 + 0.05, 0, 1))
    inside = np.clip(0.55 + 0.3 * across, 0.25, 0.9)[..., None] * colour
    sprite.paint(sprite.ellipse(middle, top + 0.005, top_radius * 0.92, top_radius * squash * 0.86), inside)
    if rng.random() < 0.5:
        sprite.paint(
            sprite.ellipse(middle, top + 0.03, top_radius * 0.84, top_radius * squash * 0.6),
            np.array([0.22, 0.12, 0.06]),
        )
    return sprite


def bottle(rng: np.random.Generator, light: Array) -> Sprite:
    """A glass bottle with shoulder, neck, cap and paper label."""
    sprite = Sprite(0.4, light)
    glass, width = pick(rng, GLASS), rng.uniform(0.15, 0.19)
    neck = rng.uniform(0.28, 0.36)
    radius = np.interp(
        sprite.y,
        [0.02, 0.1, neck, neck + 0.05, neck + 0.15, 0.94, 0.98],
        [0.055, 0.055, 0.065, 0.09, width, width, width * 0.9],
    )
    across = (sprite.x - 0.2) / radius
    body = np.clip((1 - np.abs(across)) * radius * CANVAS + 0.5, 0, 1) * (sprite.y > 0.02) * (sprite.y < 0.98)
    normals = round_normals(across, -0.15)
    depth = np.clip(0.7 + 0.5 * np.abs(across) ** 3, 0, 1.2)[..., None]
    sprite.paint(body, glass * depth, normals, gloss=0.9)
    streak = np.exp(-(((across + 0.55) / 0.12) ** 2)) * (sprite.y > 0.12) * (sprite.y < 0.94)
    sprite.paint(0.45 * streak * body, np.array([0.95, 0.97, 1.0]))
    paper = body * (sprite.y > rng.uniform(0.52, 0.6)) * (sprite.y < rng.uniform(0.74, 0.86))
    ink = np.abs(sprite.y - 0.67) < 0.03
    sprite.paint(paper, np.where(ink[..., None], pick(rng, PAINTS), pick(rng, PAINTS[4:5])), normals)
    sprite.paint(body * (sprite.y < 0.1), pick(rng, PAINTS), normals, gloss=0.3)
    return sprite


CAR_BODY = (
    (0.06, 0.66),
    (0.1, 0.52),
    (0.5, 0.43),
    (0.74, 0.13),
    (1.28, 0.11),
    (1.58, 0.42),
    (1.9, 0.47),
    (1.95, 0.66),
    (1.93, 0.84),
    (0.07, 0.84),
)
CAR_WINDOWS = (
    ((0.64, 0.43), (0.79, 0.2), (1.0, 0.19), (1.0, 0.43)),
    ((1.07, 0.19), (1.25, 0.19), (1.45, 0.43), (1.07, 0.43)),
)
VAN_BODY = (
    (0.06, 0.64),
    (0.1, 0.5),
    (0.36, 0.42),
    (0.58, 0.09),
    (1.72, 0.07),
    (1.9, 0.34),
    (1.94, 0.6),
    (1.93, 0.84),
    (0.07, 0.84),
)
VAN_WINDOWS = (
    ((0.5, 0.41), (0.64, 0.17), (0.86, 0.17), (0.86, 0.41)),
    ((0.94, 0.17), (1.26, 0.17), (1.26, 0.41), (0.94, 0.41)),
    ((1.34, 0.17), (1.64, 0.16), (1.75, 0.4), (1.34, 0.4)),
)


def vehicle(
    rng: np.random.Generator, light: Array, outline: Sequence[Point], windows: Sequence[Sequence[Point]]
) -> Sprite:
    """A toy vehicle from the side, front on the left: body, windows, lights and two wheels."""
    sprite = Sprite(2.0, light)
    colour = pick(rng, PAINTS)
    body = sprite.polygon(np.array(outline) + rng.normal(0, 0.012, (len(outline), 2)), rounding=0.03)
    two_tone = np.where((sprite.y > 0.74)[..., None], colour * 0.45, colour)
    sprite.paint(body, two_tone, bevelled_normals(body, 0.16), gloss=0.35)
    for window in windows:
        mask = sprite.polygon(window)
        sky = np.clip(0.75 - 1.3 * sprite.y + 0.15 * np.sin(9 * (sprite.x + sprite.y)), 0.06, 0.8)
        sprite.paint(mask, sky[..., None] * np.array([0.75, 0.9, 1.0]))
    seam = ((np.abs(sprite.x - 1.035) < 0.006) | (np.abs(sprite.y - 0.56) < 0.005)) & (sprite.y > 0.2)
    sprite.paint(0.4 * seam * body, np.zeros(3))
    sprite.paint(sprite.ellipse(0.13, 0.58, 0.05, 0.05) * body, np.array([1.0, 0.95, 0.7]))
    sprite.paint(sprite.ellipse(1.9, 0.58, 0.04, 0.06) * body, np.array([0.75, 0.08, 0.06]))
    for x in (0.45, 1.54):
        sprite.paint(sprite.ellipse(x, 0.8, 0.215, 0.215) * body, np.array([0.05, 0.05, 0.05]))
        sprite.paint(sprite.ellipse(x, 0.81, 0.175, 0.175), np.array([0.11, 0.11, 0.12]))
        hub = sprite.ellipse(x, 0.81, 0.095, 0.095)
        sprite.paint(hub, np.array([0.7, 0.7, 0.72]), bevelled_normals(hub, 0.05), gloss=0.4)
    return sprite


def car(rng: np.random.Generator, light: Array) -> Sprite:
    """A toy car."""
    return vehicle(rng, light, CAR_BODY, CAR_WINDOWS)


def van(rng: np.random.Generator, light: Array) -> Sprite:
    """A toy van: a car with a longer roof, which is what the models confuse it with."""
    return vehicle(rng, light, VAN_BODY, VAN_WINDOWS)


PAINTERS: dict[str, Callable[[np.random.Generator, Array], Sprite]] = {
    "car": car,
    "van": van,
    "bottle": bottle,
    "cup": cup,
    "ball": ball,
}


def toy(rng: np.random.Generator, category: str, light: Array, side: float) -> tuple[Array, Array]:
    """Colour and alpha of one toy of the category, cropped to it, its box of about side x side pixels in area."""
    flipped = rng.random() < 0.5
    sprite = PAINTERS[category](rng, light * np.array([-1.0, 1.0, 1.0]) if flipped else light)
    planes = np.dstack([sprite.rgb * sprite.alpha[..., None], sprite.alpha])
    planes = planes[:, ::-1] if flipped else planes
    pad = CANVAS // 4
    planes = cv2.copyMakeBorder(planes, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    rows, columns = planes.shape[:2]
    tilt = cv2.getRotationMatrix2D((columns / 2, rows / 2), rng.uniform(-6, 6), 1.0)
    planes = cv2.warpAffine(planes, tilt, (columns, rows), flags=cv2.INTER_LINEAR)
    x, y, width, height = cv2.boundingRect((planes[..., 3] > 0.5).astype(np.uint8))
    scale = side / np.sqrt(width * height)
    size = max(round(width * scale), 4), max(round(height * scale), 4)
    planes = cv2.resize(planes[y : y + height, x : x + width], size, interpolation=cv2.INTER_AREA)
    alpha = planes[..., 3]
    return np.clip(planes[..., :3] / np.maximum(alpha, 1e-6)[..., None], 0, 1), alpha
