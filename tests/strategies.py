"""Hypothesis strategies: detection sets and probability rows made to hit the corners."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

Row = dict[str, Any]
DetectionSet = tuple[dict[str, Any], list[Row]]

IMAGE_SIZE = (128, 96)
SCORES = [0.0, 0.1, 0.25, 0.5, 0.9, 1.0]
AREAS = [0, 1023, 1024, 1024.5, 9215.5, 9216, 9217]

CRAFTED: list[tuple[float, float, float, float]] = [
    (0, 0, 20, 20),
    *((0, 0, 20, height) for height in range(10, 20)),  # IoU .50, .55 … .95 with the one before
    (0, 0, 40, 20),  # IoU .5 from the other side
    (10, 0, 20, 20),  # IoU 1/3, tied with the next
    (0, 10, 20, 20),
    (20, 0, 20, 20),  # touches
    (20, 20, 20, 20),  # touches in a corner
    (5, 5, 0, 10),  # no area
    (5, 5, 0, 0),
    (5, 5, 1, 1),  # one pixel
    (0, 0, 32, 32),  # area 1024
    (0, 0, 32, 16),
    (0, 0, 32, 24),
    (0, 0, 96, 96),  # area 9216
    (0, 0, 96, 72),
    (24, 0, 48, 192),  # area 9216, taller than the image
    (-10, -10, 20, 20),  # partly outside
    (300, 300, 20, 20),  # outside
    (0.1, 0.2, 20.3, 19.7),
]

TIES: list[tuple[list[float], list[float], list[float]]] = [
    ([0, 0, 20, 20], [20, 0, 20, 20], [0, 0, 40, 20]),
    ([0, 0, 20, 20], [0, 10, 20, 20], [0, 5, 20, 20]),
    ([0, 0, 32, 32], [0, 0, 32, 32], [0, 0, 32, 32]),
]
"""Two labels and a detection whose IoU with both is the same."""


def boxes() -> st.SearchStrategy[list[float]]:
    """``[x, y, w, h]`` boxes, mostly crafted, else from a small grid."""
    edges = st.sampled_from([0, 5, 10, 16, 20, 32])
    sides = st.sampled_from([0, 1, 5, 10, 16, 20, 32, 96])
    return st.one_of(st.sampled_from(CRAFTED), st.sampled_from(CRAFTED), st.tuples(edges, edges, sides, sides)).map(
        list
    )


@st.composite
def detection_sets(draw: st.DrawFn, comparable: bool = False, max_images: int = 5) -> DetectionSet:
    """A labels dict and a predictions list; with ``comparable`` only such as pycocotools judges by the same rules.

    Otherwise label ids may be 0, image and label ids may be strings, and labels may lack ``area`` or ``iscrowd``.
    """
    odd = not comparable and draw(st.booleans())
    image_numbers = st.sampled_from([0, 1, 2, 3, 9, 10, 100, 7000])
    image_ids: list[Any] = draw(st.lists(image_numbers, min_size=1, max_size=max_images, unique=True))
    category_ids = draw(st.lists(st.sampled_from([0, 1, 2, 5, 10, 90]), min_size=1, max_size=4, unique=True))
    if odd and draw(st.booleans()):
        image_ids = [draw(st.sampled_from(["{}", "img{}", "B{}.png"])).format(identifier) for identifier in image_ids]
    labels: dict[str, Any] = {
        "images": [{"id": i, "width": IMAGE_SIZE[0], "height": IMAGE_SIZE[1]} for i in image_ids],
        "categories": [{"id": c, "name": f"category {c}"} for c in category_ids],
        "annotations": [],
    }
    if not image_ids:
        return labels, []
    labelled = draw(st.lists(st.sampled_from(category_ids), min_size=1, unique=True))
    places = st.tuples(st.sampled_from(image_ids), st.sampled_from(labelled))
    rows = draw(st.lists(_labels(places, boxes(), odd), max_size=10))
    tied: list[Row] = []
    if draw(st.booleans()):
        place, (left, right, middle) = draw(places), draw(st.sampled_from(TIES))
        rows += [draw(_labels(st.just(place), st.just(box), odd)) for box in (left, right)]
        tied = [_prediction(place, box, draw(st.sampled_from(SCORES))) for box in (left, right)]
        tied = [*draw(st.lists(st.sampled_from(tied), max_size=2)), _prediction(place, middle, 1.0)]
    labels["annotations"] = _number(draw, rows, odd)
    predictions = draw(_prediction_lists(image_ids, category_ids, labels["annotations"], tied))
    return labels, predictions


@st.composite
def _labels(
    draw: st.DrawFn,
    places: st.SearchStrategy[tuple[Any, Any]],
    shapes: st.SearchStrategy[list[float]],
    odd: bool,
) -> Row:
    """One label without its id."""
    image_id, category_id = draw(places)
    box = draw(shapes)
    label: Row = {"image_id": image_id, "category_id": category_id, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
    special = draw(st.integers(0, 11))
    if special < 3:
        label["iscrowd"] = 1
    elif special < 5:
        label["area"] = draw(st.sampled_from(AREAS))
    elif special == 5:
        label["ignore"] = 1  # overwritten by iscrowd
    elif odd and special == 6:
        del label["area"]
    elif odd and special == 7:
        del label["iscrowd"]
    return label


def _number(draw: st.DrawFn, labels: list[Row], odd: bool) -> list[Row]:
    """The labels with unsorted ids, and sometimes an exact duplicate of one of them."""
    doubled = draw(st.booleans())
    if labels and doubled:
        labels = [*labels, dict(draw(st.sampled_from(labels)))]
    first = draw(st.sampled_from([0, 1, 50])) if odd else draw(st.sampled_from([1, 50]))
    ids: list[Any] = [first + 3 * i for i in range(len(labels))]
    _shuffle(draw, ids)
    if odd and draw(st.booleans()):
        ids = [f"label-{identifier}" for identifier in ids]
    return [{"id": identifier, **label} for identifier, label in zip(ids, labels, strict=True)]


@st.composite
def _prediction_lists(
    draw: st.DrawFn, image_ids: list[Any], category_ids: list[int], labels: list[Row], rows: list[Row]
) -> list[Row]:
    """``rows`` and predictions on, near and far from the labels, at times > 100 of one cell, images in mixed order."""
    places = st.tuples(st.sampled_from(image_ids), st.sampled_from(category_ids))
    near = [(label["image_id"], label["category_id"]) for label in labels]
    if near:
        places = st.one_of(st.sampled_from(near), places)
    drawn = draw(st.lists(st.tuples(places, boxes(), st.sampled_from(SCORES)), max_size=12))
    categories = st.one_of(st.none(), st.none(), st.sampled_from(category_ids))  # None: the label's own
    rows_on = st.lists(st.tuples(st.sampled_from(labels), categories, st.sampled_from(SCORES)), max_size=8)
    copied = draw(rows_on) if labels else []
    rows = [*rows, *(_prediction(place, box, score) for place, box, score in drawn)]
    for label, category, score in copied:
        place = (label["image_id"], label["category_id"] if category is None else category)
        rows.append(_prediction(place, label["bbox"], score))
    if rows and draw(st.integers(0, 7)) == 0:
        row, count = draw(st.sampled_from(rows)), draw(st.integers(95, 110))
        scores = draw(st.lists(st.sampled_from(SCORES), min_size=1, max_size=4))
        many = draw(st.lists(boxes(), min_size=1, max_size=3))
        place = (row["image_id"], row["category_id"])
        rows += [_prediction(place, many[i % len(many)], scores[i % len(scores)]) for i in range(count)]
    _shuffle(draw, rows)
    return rows


def _prediction(place: tuple[Any, int], box: list[float], score: float) -> Row:
    return {"image_id": place[0], "category_id": place[1], "bbox": list(box), "score": score}


def _shuffle(draw: st.DrawFn, rows: list[Any]) -> None:
    """Shuffles in place by a drawn seed: cheap for long lists, and 0 (what shrinking aims at) leaves the order."""
    seed = draw(st.integers(0, 255))
    if seed:
        random.Random(seed).shuffle(rows)


@st.composite
def probability_rows(draw: st.DrawFn, max_rows: int = 6, max_classes: int = 5) -> list[list[float]]:
    """N rows (0 … ``max_rows``) of K ≥ 2 class probabilities in 0..1: ties, certain and uniform rows, odd sums."""
    classes = draw(st.integers(2, max_classes))
    numbers = st.one_of(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1 / 3, 0.9, 1.0]), st.floats(0, 1))
    raw = st.lists(numbers, min_size=classes, max_size=classes)
    certain = st.integers(0, classes - 1).map(lambda k: [1.0 if i == k else 0.0 for i in range(classes)])
    uniform = st.just([1 / classes] * classes)
    summing = raw.filter(lambda row: sum(row) > 1e-6).map(lambda row: [value / sum(row) for value in row])
    return draw(st.lists(st.one_of(summing, summing, certain, uniform, raw), max_size=max_rows))
