"""Two imagined detectors: each sees large toys, misses small ones, and takes vans for cars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from labels import CATEGORIES, Label
from numpy.typing import NDArray
from photos import Photo
from scenes import ASPECTS, LARGEST, SMALLEST, Box, Thing, apart

NAMES = list(CATEGORIES)
FOG = "fog"


@dataclass(frozen=True)
class Model:
    """How often a detector does what."""

    large_seen: float
    small_seen: float
    turning_side: float  # the relative side between small and large
    fog_loss: float
    jitter: float
    scores: tuple[float, float]  # the two parameters of the Beta distribution of its scores
    false_alarms: float  # per image, one more or less at most
    fog_false_alarms: float
    misplaced: float
    repeated: float
    confusion: Mapping[tuple[str, str], float]  # (true, said): chance
    knows_faults: bool = False  # sure of the toys whose labels are wrong


BETTER = Model(
    large_seen=0.995,
    small_seen=0.05,
    turning_side=0.0535,
    fog_loss=0.3,
    jitter=0.022,
    scores=(5.0, 1.5),
    false_alarms=0.5,
    fog_false_alarms=3.6,
    misplaced=0.01,
    repeated=0.04,
    confusion={("van", "car"): 0.16, ("car", "van"): 0.025},
    knows_faults=True,
)
WORSE = Model(
    large_seen=0.97,
    small_seen=0.03,
    turning_side=0.071,
    fog_loss=0.42,
    jitter=0.045,
    scores=(3.2, 1.6),
    false_alarms=1.3,
    fog_false_alarms=5.0,
    misplaced=0.04,
    repeated=0.08,
    confusion={("van", "car"): 0.42, ("car", "van"): 0.07},
)


@dataclass
class Prediction:
    """One row of a prediction file."""

    photo: Photo
    box: Box
    probabilities: NDArray[np.float64]
    planted_for: Thing | None = field(default=None)

    @property
    def score(self) -> float:
        """The largest probability."""
        return float(self.probabilities.max())

    def record(self) -> dict[str, Any]:
        """The COCO result, with the probabilities in the order of the label file's categories."""
        return {
            "image_id": self.photo.id,
            "category_id": CATEGORIES[NAMES[int(self.probabilities.argmax())]],
            "bbox": [round(float(value), 2) for value in self.box],
            "score": round(self.score, 4),
            "probs": self.probabilities.round(4).tolist(),
        }


def probabilities(
    rng: np.random.Generator, category: str, score: float, rival: str | None = None
) -> NDArray[np.float64]:
    """Four decimals each, summing to 1: the score for the category, most of the rest for a rival if there is one."""
    shares = rng.dirichlet(np.full(len(NAMES) - 1, 1.5))
    others = [name for name in NAMES if name != category]
    if rival:
        shares = 0.2 * shares + 0.8 * np.array([name == rival for name in others])
    rest = np.minimum((1 - score) * shares, score - 0.05)
    rest = rest * (1 - score) / rest.sum()
    if rest.max() > score - 0.02:
        rest = np.full(len(others), (1 - score) / len(others))
    values = np.zeros(len(NAMES))
    values[[NAMES.index(name) for name in others]] = rest.round(4)
    values[NAMES.index(category)] = 1 - values.sum()
    return values.round(4)


def jittered(rng: np.random.Generator, box: Box, spread: float, size: tuple[int, int]) -> Box:
    """The box with each edge moved by about `spread` of its size, kept inside the image."""
    x, y, width, height = box
    steps = np.clip(rng.normal(0, spread, 4), -2.5 * spread, 2.5 * spread) * (width, height, width, height)
    left, top = max(x + steps[0], 0.0), max(y + steps[1], 0.0)
    right, bottom = min(x + width + steps[2], size[0]), min(y + height + steps[3], size[1])
    return float(left), float(top), float(right - left), float(bottom - top)


def misplaced(rng: np.random.Generator, box: Box, size: tuple[int, int]) -> Box:
    """A box 38-50 % of its size beside the right place."""
    x, y, width, height = box
    right, down = rng.permutation([rng.uniform(0.38, 0.5), 0.05]) * rng.choice([-1, 1], 2)
    return jittered(rng, (x + right * width, y + down * height, width, height), 0.0, size)


def is_seen(rng: np.random.Generator, model: Model, photo: Photo, thing: Thing) -> bool:
    """Whether the model sees the toy: a matter of its relative size and of fog."""
    side = np.sqrt(thing.box[2] * thing.box[3] / (photo.size[0] * photo.size[1]))
    largeness = 1 / (1 + np.exp(-25 * np.log(side / model.turning_side)))
    chance = model.small_seen + (model.large_seen - model.small_seen) * largeness
    return bool(rng.random() < chance - model.fog_loss * (photo.weather == FOG))


def detections(rng: np.random.Generator, model: Model, photo: Photo, thing: Thing) -> list[Prediction]:
    """What the model says about one toy."""
    if not is_seen(rng, model, photo, thing):
        return []
    if rng.random() < model.misplaced:
        values = probabilities(rng, thing.category, rng.uniform(0.3, 0.48))
        return [Prediction(photo, misplaced(rng, thing.box, photo.size), values)]
    score = 0.32 + 0.655 * rng.beta(*model.scores) * (0.88 if photo.weather == FOG else 1.0)
    values = probabilities(rng, thing.category, score)
    for (true, said), chance in model.confusion.items():
        if thing.category == true and rng.random() < chance:
            values = probabilities(rng, said, rng.uniform(0.5, 0.8), rival=true)
    found = [Prediction(photo, jittered(rng, thing.box, model.jitter, photo.size), values)]
    if rng.random() < model.repeated:
        again = probabilities(rng, NAMES[int(values.argmax())], rng.uniform(0.3, 0.45))
        found.append(Prediction(photo, jittered(rng, thing.box, 3 * model.jitter, photo.size), again))
    return found


def certain_detection(rng: np.random.Generator, photo: Photo, thing: Thing) -> Prediction:
    """The detection of a toy whose label is wrong: the true place and category, and hardly a doubt."""
    values = probabilities(rng, thing.category, rng.uniform(0.962, 0.992))
    return Prediction(photo, jittered(rng, thing.box, 0.012, photo.size), values, thing)


def in_pile(rng: np.random.Generator, photo: Photo, thing: Thing) -> list[Prediction]:
    """A pile taken for one toy, and with less certainty a few single toys of it."""
    x, y, width, height = thing.box
    side = 0.4 * height
    whole = Prediction(
        photo, jittered(rng, thing.box, 0.02, photo.size), probabilities(rng, thing.category, rng.uniform(0.6, 0.85))
    )
    places = rng.permutation([0.25, 0.42, 0.6])[: rng.integers(1, 4)]
    return [whole] + [
        Prediction(
            photo,
            (x + place * width, y + 0.55 * height, side, side),
            probabilities(rng, thing.category, rng.uniform(0.32, 0.48)),
        )
        for place in places
    ]


def false_alarms(rng: np.random.Generator, model: Model, photo: Photo, taken: list[Box]) -> list[Prediction]:
    """Detections where there is nothing, clear of every toy and label."""
    width, height = photo.size
    found: list[Prediction] = []
    mean = model.fog_false_alarms if photo.weather == FOG else model.false_alarms
    for _ in range(int(mean + rng.uniform())):
        category = str(rng.choice(NAMES))
        side = np.sqrt(width * height) * SMALLEST * (LARGEST / SMALLEST) ** rng.uniform(0, 1)
        wide, high = float(side * np.sqrt(ASPECTS[category])), float(side / np.sqrt(ASPECTS[category]))
        values = probabilities(rng, category, 0.3 + 0.5 * rng.beta(1.3, 2.2))
        for _ in range(60):
            box = (float(rng.uniform(2, width - 2 - wide)), float(rng.uniform(2, height - 2 - high)), wide, high)
            if apart(box, taken + [other.box for other in found], 2):
                found.append(Prediction(photo, box, values))
                break
    return found


def copied(prediction: Prediction, photo: Photo) -> Prediction:
    """The same detection in a copy of the photograph."""
    x, y, width, height = prediction.box
    return Prediction(photo, (x + photo.shift[0], y + photo.shift[1], width, height), prediction.probabilities)


def predict(rng: np.random.Generator, model: Model, photos: list[Photo], labels: list[Label]) -> list[Prediction]:
    """All rows of one model, photograph by photograph in the order of ids, the best score of each first."""
    rows: dict[int, list[Prediction]] = {}
    for photo in photos:
        if photo.source:
            rows[photo.id] = [copied(row, photo) for row in rows[photo.source.id]]
            continue
        own: list[Prediction] = []
        for thing in photo.things:
            if thing.is_pile:
                own += in_pile(rng, photo, thing)
            elif model.knows_faults and any(thing is other for other in photo.certain):
                own.append(certain_detection(rng, photo, thing))
            else:
                own += detections(rng, model, photo, thing)
        if photo.kind not in ("blank", "tiny"):
            taken = [thing.box for thing in photo.things] + [label.box for label in labels if label.photo is photo]
            own += false_alarms(rng, model, photo, taken)
        rows[photo.id] = sorted(own, key=lambda row: -row.score)
    return [row for photo in photos for row in rows[photo.id]]
