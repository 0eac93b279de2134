"""A short recording: toys pushed past a still camera, tracked by an annotator who slips up four times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from labels import CATEGORIES, Fault
from numpy.typing import NDArray
from photos import QUALITY, save
from scenes import SCALE, Box, Thing, photograph, put, stage, thing_from

Array = NDArray[Any]
Streams = Callable[..., np.random.Generator]

SIZE = (240, 180)
FRAMES = 14
GROUND, TOY, NOISE = range(3)  # random streams
VIDEO = "push"
EXPOSURE = 0.47


@dataclass(frozen=True)
class Track:
    """A toy that moves by whole pixels and is drawn alike in every frame, so that its outline is the same shape."""

    id: int
    category: str
    box: Box
    step: int  # pixels to the right, a frame
    outlined: bool = True


CAR, VAN, CUP, BALL, BOTTLE = TRACKS = (
    Track(1, "car", (18, 38, 60, 29), 2),
    Track(2, "van", (168, 40, 56, 30), -2),
    Track(3, "cup", (28, 112, 44, 38), 1),
    Track(4, "ball", (108, 112, 46, 46), 1, outlined=False),
    Track(5, "bottle", (206, 88, 26, 70), -1),
)
UNLABELLED = (CAR, 6)
RENUMBERED, NEW_NUMBER = (VAN, 8), 6  # from this frame on
RECATEGORISED, NEW_CATEGORY = (CUP, 9), "bottle"  # from this frame on
HIDDEN = (BALL, 7)
BOXED_IN = (BOTTLE, 10)  # its outline drawn as the whole box


def leaf(canvas: Array, thing: Thing) -> tuple[Array, Array]:
    """The canvas with a leaf blown across the lower left of a toy, and the leaf's alpha."""
    x, y, width, height = (value * SCALE for value in thing.box)
    drawn = np.zeros(canvas.shape[:2], np.uint8)
    centre = (round(x + 0.15 * width), round(y + 0.85 * height))
    cv2.ellipse(drawn, centre, (round(0.9 * width), round(0.56 * height)), 45, 0, 360, 255, -1, cv2.LINE_AA)
    alpha = drawn / 255.0
    return canvas + alpha[..., None] * (np.array([0.34, 0.42, 0.14]) - canvas), alpha


def frame_scene(streams: Streams, frame: int) -> tuple[Array, list[Thing]]:
    """One frame's canvas and what of each track is seen in it."""
    canvas, _ = stage(streams(GROUND), (SIZE[1] * SCALE, SIZE[0] * SCALE))
    light = np.array([-0.45, -0.55, 0.70])
    light = light / np.linalg.norm(light)
    alphas = []
    for track in TRACKS:
        box = (track.box[0] + frame * track.step, *track.box[1:])
        canvas, alpha = put(canvas, streams(TOY, track.id), track.category, box, light)
        alphas.append(alpha)
    if frame == HIDDEN[1]:
        place = TRACKS.index(HIDDEN[0])
        canvas, before = leaf(canvas, thing_from(alphas[place], HIDDEN[0].category))
        alphas[place] = alphas[place] * (before < 0.5)
    return canvas, [thing_from(alpha, track.category) for track, alpha in zip(TRACKS, alphas, strict=True)]


def outline(thing: Thing, track: Track, frame: int) -> list[float]:
    """What the annotator drew round the toy."""
    if (track, frame) != BOXED_IN:
        return thing.polygon
    x, y, width, height = thing.box
    return [x, y, x + width, y, x + width, y + height, x, y + height]


def annotation(number: int, frame: int, track: Track, thing: Thing) -> dict[str, Any]:
    """The COCO annotation of a track in a frame, with the annotator's slips."""
    renumbered = track is RENUMBERED[0] and frame >= RENUMBERED[1]
    recategorised = track is RECATEGORISED[0] and frame >= RECATEGORISED[1]
    row: dict[str, Any] = {
        "id": number,
        "image_id": frame + 1,
        "category_id": CATEGORIES[NEW_CATEGORY if recategorised else track.category],
        "track_id": NEW_NUMBER if renumbered else track.id,
        "bbox": list(thing.box),
        "area": round(thing.box[2] * thing.box[3] if not track.outlined else thing.area, 2),
        "iscrowd": 0,
    }
    if track.outlined:
        row["segmentation"] = [outline(thing, track, frame)]
    return row


def faults(ids: dict[tuple[Track, int], int]) -> list[Fault]:
    """What is planted. ids: label id by track and frame."""
    track, switch = RENUMBERED
    switches = {"track_switch": [ids[RENUMBERED]], "category_switch": [ids[RECATEGORISED]]}
    found = {
        "missing_in_track": ("label.missing_next", "low", [ids[UNLABELLED[0], UNLABELLED[1] - 1]]),
        "switched": ("label.track_consistency", "low", sorted([ids[RENUMBERED], ids[RECATEGORISED]])),
        "occluded": ("label.occlusion", "high", [ids[HIDDEN]]),
        "shape_jump": ("label.shape_similarity", "low", [ids[BOXED_IN]]),
    }
    more: dict[str, Fault] = {
        "missing_in_track": {
            "note": "the label before the frame in which its toy has none",
            "image_ids": [UNLABELLED[1] + 1],
            "broken": [ids[track, switch - 2], ids[track, switch - 1]],
        },
        "switched": switches,
    }
    return [
        {"fault": name, "level": "label", "metric": metric, "end": end, "ids": rows, **more.get(name, {})}
        for name, (metric, end, rows) in found.items()
    ]


def record(streams: Streams, folder: Path) -> tuple[dict[str, list[dict[str, Any]]], list[Fault]]:
    """Write the frames; the label file's parts and the faults. streams: random streams of the recording's own."""
    images, annotations, ids = [], [], {}
    for frame in range(FRAMES):
        canvas, things = frame_scene(streams, frame)
        name = f"push_{frame:02d}.jpg"
        save(folder / name, photograph(streams(NOISE), canvas, EXPOSURE), QUALITY)
        images.append(
            {
                "id": frame + 1,
                "file_name": name,
                "width": SIZE[0],
                "height": SIZE[1],
                "video_id": VIDEO,
                "frame": frame,
            }
        )
        for track, thing in zip(TRACKS, things, strict=True):
            if (track, frame) != UNLABELLED:
                ids[track, frame] = len(annotations) + 1
                annotations.append(annotation(len(annotations) + 1, frame, track, thing))
    return {"images": images, "annotations": annotations}, faults(ids)
