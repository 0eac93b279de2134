"""Conjunctions counted at once against plain loops, and the SQL that names them."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from qm_cli.analysis.samples import Judged, Measure
from qm_cli.analysis.slice_candidates import candidates, features_of, members


def made(seed: int = 0, images: int = 60) -> Judged:
    random = np.random.default_rng(seed)
    image_row = np.repeat(np.arange(images), 4)
    rows = len(image_row)
    brightness = random.random(images)
    brightness[:5] = np.nan
    measures = [
        Measure("image", "brightness", brightness),
        Measure("image", "weather", random.integers(0, 3, images) * 1.0, names=("clear", "it's fog", "rain")),
        Measure("label", "size", random.random(rows)),
        Measure("label", "same", np.ones(rows)),
        Measure("label", "nothing", np.full(rows, np.nan)),
        Measure("image", "ego speed", random.random(images)),
    ]
    return Judged("label", "found", np.arange(rows), image_row, random.random(rows) < 0.7, measures)


def test_features_and_their_conditions() -> None:
    judged = made()
    features = features_of(judged, 20)
    assert [one.measure.name for one in features] == ["brightness", "weather", "size", "ego speed"]
    brightness, weather, size, speed = features
    assert brightness.condition(brightness.bins.count - 1) == "image.brightness IS NULL"
    edges = [repr(float(edge)) for edge in brightness.bins.edges]
    assert brightness.condition(0) == f"image.brightness < {edges[1]}"
    assert brightness.condition(1) == f"image.brightness >= {edges[1]} AND image.brightness < {edges[2]}"
    assert brightness.condition(brightness.bins.present - 1) == f"image.brightness >= {edges[-2]}"
    assert "image.weather = 'it''s fog'" in [weather.condition(code) for code in weather.spoken]
    assert speed.condition(0).startswith('"image.ego speed" < ')
    values = judged.measures[0].values[judged.image_row]
    assert np.array_equal(brightness.codes == 0, values < brightness.bins.edges[1])
    assert all(np.bincount(size.codes) >= 20)


@pytest.mark.parametrize("depth", [1, 2])
def test_all_are_counted_as_in_plain_loops(depth: int) -> None:
    judged = made(3)
    features = features_of(judged, 10)
    rows = np.flatnonzero(judged.image_row % 2 == 0)
    found, counted = candidates(features, rows, judged.hit, depth, 10)
    codes = [one.codes[rows] for one in features]
    expected = {}
    for size in range(1, depth + 1):
        for places in combinations(range(len(features)), size):
            for bins in product(*(features[place].spoken for place in places)):
                literals = tuple(zip(places, bins, strict=True))
                inside = np.ones(len(rows), bool)
                for place, code in literals:
                    inside &= codes[place] == code
                hits, total = int(judged.hit[rows][inside].sum()), int(inside.sum())
                if total < 10 or len(rows) - total < 10 or hits / total >= judged.hit[rows].mean():
                    continue
                expected[literals] = (hits, total)
    assert {one.literals: (one.hits, one.total) for one in found} == expected
    assert counted == len(expected)
    for one in found:
        assert members(one.literals, codes).sum() == one.total


def test_three_conditions_grow_from_the_weakest() -> None:
    random = np.random.default_rng(5)
    rows = 3000
    values = [random.random(rows) for _ in range(4)]
    weak = (values[0] < 0.2) & (values[1] < 0.2) & (values[2] < 0.2)
    measures = [Measure("label", f"m{place}", column) for place, column in enumerate(values)]
    hit = random.random(rows) < np.where(weak, 0.0, 0.9)
    judged = Judged("label", "found", np.arange(rows), np.arange(rows), hit, measures)
    features = features_of(judged, 5)
    found, _ = candidates(features, np.arange(rows), hit, 3, 5)
    deepest = max((one for one in found if len(one.literals) == 3), key=lambda one: one.z)
    assert deepest.literals == ((0, 0), (1, 0), (2, 0))
    assert len({one.literals for one in found}) == len(found)
