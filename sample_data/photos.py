"""Which photographs there are, which of them are faulty, and their pixels."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scenes import Scene, Thing, compose, photograph, through_weather, wanted_toys

Array = NDArray[Any]

COUNTS = {"dark": 4, "blurred": 4, "blank": 2, "tiny": 3, "empty": 1, "pile": 4, "plain": 71}
EXACT_SOURCES = (0, 0, 1)  # of which plain scene each exact copy is one
NEAR_SOURCES = (2, 3, 4, 5)
NEAR_SHIFTS = ((0, 0), (0, 0), (1, 1), (1, 0))
NEAR_GAINS = (1.0, 1.06, 1.0, 1.04)
NEAR_QUALITIES = (60, 85, 85, 80)
LABEL_FAULTS = {
    "wrong_category": 6,
    "missing_label": 6,
    "shifted_box": 6,
    "duplicate_label": 4,
    "partly_outside": 2,
    "wholly_outside": 1,
}
SIZES = ((320, 240), (320, 240), (256, 192), (400, 300), (240, 320), (288, 288), (420, 280))
TINY_SIZE = (24, 18)
QUALITY = 85


@dataclass
class Photo:
    """A photograph: how it is made, its metadata, and the toys drawn in it."""

    kind: str
    size: tuple[int, int]
    weather: str
    site: str
    split: str
    fault: str | None = None
    source: Photo | None = None
    copy_number: int = 0
    id: int = 0
    things: list[Thing] = field(default_factory=list)
    certain: list[Thing] = field(default_factory=list)  # toys whose label is wrong: the better model is sure of them

    @property
    def file_name(self) -> str:
        """The name below images/."""
        return f"toys_{self.id:04d}.{'png' if self.kind == 'blank' else 'jpg'}"

    @property
    def shift(self) -> tuple[int, int]:
        """Pixels (right, down) by which a near copy lies off its source."""
        return NEAR_SHIFTS[self.copy_number] if self.kind == "near" else (0, 0)


def plan(rng: np.random.Generator) -> list[Photo]:
    """All photographs with their metadata, in the order of their ids; a copy comes after its source."""
    kinds = [kind for kind, count in COUNTS.items() for _ in range(count)]
    weathers = rng.permutation(np.resize(["clear", "rain", "fog"], len(kinds))).tolist()
    photos = [
        Photo(
            kind,
            TINY_SIZE if kind == "tiny" else SIZES[rng.integers(len(SIZES))],
            weather,
            str(rng.choice(["a", "b", "c"])),
            str(rng.choice(["train", "val", "test"], p=[0.6, 0.2, 0.2])),
        )
        for kind, weather in zip(kinds, weathers, strict=True)
    ]
    for photo in photos:
        if photo.kind not in ("plain", "pile") and photo.weather == "fog":
            photo.weather = "clear"
    plain = [photo for photo in photos if photo.kind == "plain"]
    faults = [fault for fault, count in LABEL_FAULTS.items() for _ in range(count)]
    for photo, fault in zip(plain[6:], faults, strict=False):
        photo.fault = fault
    for kind, sources in (("exact", EXACT_SOURCES), ("near", NEAR_SOURCES)):
        for number, source in enumerate(plain[index] for index in sources):
            photos.append(Photo(kind, source.size, source.weather, source.site, source.split, None, source, number))
    return numbered(rng, photos)


def numbered(rng: np.random.Generator, photos: list[Photo]) -> list[Photo]:
    """The photographs shuffled and given ids with gaps, sources before their copies."""
    places = rng.permutation(len(photos)).tolist()
    for source in photos:
        group = [i for i, photo in enumerate(photos) if photo is source or photo.source is source]
        for i, place in zip(group, sorted(places[i] for i in group), strict=True):
            places[i] = place
    ids = np.cumsum(rng.integers(1, 5, len(photos)))
    for photo, place in zip(photos, places, strict=True):
        photo.id = int(ids[place])
    return sorted(photos, key=lambda photo: photo.id)


def scaled(thing: Thing, factor: float) -> Thing:
    """The toy in an image made smaller by a factor."""
    x, y, width, height = (value * factor for value in thing.box)
    return Thing(
        thing.category,
        (x, y, width, height),
        [value * factor for value in thing.polygon],
        thing.area * factor**2,
        thing.is_pile,
    )


def blank(rng: np.random.Generator, size: tuple[int, int]) -> Array:
    """A frame without content: one grey with a few hot pixels, so that it is not the least sharp as well."""
    pixels = np.full((size[1], size[0], 3), rng.uniform(0.45, 0.8))
    hot = rng.random((size[1], size[0])) < 0.001
    pixels[hot] = rng.uniform(0.0, 1.0, (int(hot.sum()), 3))
    return pixels


def scene_of(rng: np.random.Generator, photo: Photo) -> Scene:
    """What is before the camera."""
    if photo.kind == "tiny":
        return compose(rng, (320, 240), [(str(rng.choice(["car", "cup", "ball"])), 0.45)])
    count = 0 if photo.kind == "empty" else int(rng.integers(5, 9)) if photo.kind == "plain" else 5
    pile = str(rng.choice(["ball", "cup"])) if photo.kind == "pile" else None
    return compose(rng, photo.size, wanted_toys(rng, count), pile, crossing=photo.fault == "partly_outside")


def taken(rng: np.random.Generator, photo: Photo) -> Array:
    """The photograph's pixels (RGB, 0..1); notes on the photo what was drawn."""
    if photo.kind == "blank":
        return blank(rng, photo.size)
    scene = scene_of(rng, photo)
    photo.things = scene.things
    seen = through_weather(rng, scene.pixels, photo.weather)
    pixels = photograph(rng, seen, exposure=rng.uniform(0.05, 0.075) if photo.kind == "dark" else None)
    if photo.kind == "blurred":
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(3.2, 4.5))
    if photo.kind == "tiny":
        pixels = cv2.resize(pixels, TINY_SIZE, interpolation=cv2.INTER_AREA)
        photo.things = [scaled(thing, TINY_SIZE[0] / 320) for thing in scene.things]
    return pixels


def save(path: Path, pixels: Array, quality: int) -> None:
    """Write RGB pixels of 0..1 as the file's suffix says."""
    bgr = np.round(np.clip(pixels, 0, 1)[..., ::-1] * 255).astype(np.uint8)
    cv2.imwrite(str(path), bgr, [] if path.suffix == ".png" else [cv2.IMWRITE_JPEG_QUALITY, quality])


def near_copy(photo: Photo, source: Path, target: Path) -> None:
    """Write the source again: shifted by a pixel, a little brighter, or only encoded anew."""
    image = cv2.imread(str(source))
    assert image is not None, source
    pixels = image[..., ::-1].astype(np.float64) / 255
    place = np.array([[1.0, 0, photo.shift[0]], [0, 1, photo.shift[1]]])
    pixels = cv2.warpAffine(pixels, place, photo.size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
    save(target, pixels * NEAR_GAINS[photo.copy_number], NEAR_QUALITIES[photo.copy_number])


def develop(rng: np.random.Generator, photo: Photo, folder: Path) -> None:
    """Write the photograph into the folder; a copy's source must be there already."""
    path = folder / photo.file_name
    if photo.source is None:
        quality = 93 if photo.kind in ("dark", "tiny") else QUALITY
        save(path, taken(rng, photo), quality)
        return
    right, down = photo.shift
    photo.things = [
        Thing(
            thing.category,
            (thing.box[0] + right, thing.box[1] + down, *thing.box[2:]),
            np.add(np.reshape(thing.polygon, (-1, 2)), (right, down)).ravel().tolist(),
            thing.area,
            thing.is_pile,
        )
        for thing in photo.source.things
    ]
    if photo.kind == "exact":
        shutil.copyfile(folder / photo.source.file_name, path)
    else:
        near_copy(photo, folder / photo.source.file_name, path)
