"""Weak slices: what is planted is found, what is alike is merged, and chance is not called weak."""

from __future__ import annotations

import numpy as np

from qm_cli.analysis.samples import Judged, Measure
from qm_cli.analysis.slice_search import search
from tests.analysis.simulated import no_effect


def made(seed: int, weak: str, images: int = 400) -> Judged:
    """weak: `fog`, a slice of images; `both`, of images and sizes; `category`, of a category alone."""
    random = np.random.default_rng(seed)
    image_row = np.repeat(np.arange(images), random.integers(1, 7, images))
    rows = len(image_row)
    weather = random.integers(0, 4, images)
    size, category = random.random(rows), random.integers(0, 3, rows)
    inside = {
        "fog": weather[image_row] == 1,
        "both": (weather[image_row] == 1) & (size < 0.2),
        "category": category == 2,
    }[weak]
    luck = random.normal(0, 0.8, images)[image_row]
    hit = random.random(rows) < 1 / (1 + np.exp(-(1.6 + luck - 2.2 * inside)))
    haze = np.where(weather == 1, 1.0, 0.0) + random.normal(0, 0.1, images)
    measures = [
        Measure("image", "weather", weather * 1.0, names=("clear", "fog", "rain", "snow")),
        Measure("image", "haze", haze),
        Measure("label", "size", size),
        Measure("label", "category", category * 1.0, names=("a", "b", "c")),
        *(Measure("image", f"noise{place}", random.normal(size=images)) for place in range(6)),
    ]
    return Judged("label", "found", np.arange(rows), image_row, hit, measures)


def test_a_weak_slice_of_images_is_found_once() -> None:
    for seed in range(6):
        result = search(made(seed, "fog"), 3, 20, 10, seed)
        first = result.found[0]
        assert first.found
        assert first.held_out is not None
        low, high = first.held_out.interval
        assert low < first.held_out.effect < high < 0
        assert result.conditions(first.literals)[0].startswith(("image.weather = 'fog'", "image.haze >= "))
        weather = [one for one in result.found if any("weather" in text for text in result.conditions(one.literals))]
        assert len(weather) <= 1
        assert first.similar


def test_a_conjunction_is_told_where_it_is_the_weak_one() -> None:
    result = search(made(1, "both", 1500), 3, 20, 10, 0)
    conditions = result.conditions(result.found[0].literals)
    assert result.found[0].found
    assert len(conditions) == 2
    assert conditions[-1].startswith("label.size < ") or conditions[0].startswith("label.size < ")


def test_a_category_alone_is_no_discovery() -> None:
    result = search(made(2, "category"), 3, 20, 10, 0)
    for one in result.found:
        assert [result.features[place].measure.name for place, _ in one.literals] != ["category"]


def test_halves_share_no_image_and_the_seed_decides() -> None:
    judged = made(3, "fog")
    found = [search(judged, 2, 20, 5, seed) for seed in (7, 7, 8)]
    numbers = [[(one.literals, one.held_out, one.p_corrected) for one in result.found] for result in found]
    assert numbers[0] == numbers[1] != numbers[2]
    for one in found[0].found:
        assert one.held_out is not None
        assert one.explored.count + one.held_out.count == one.overall.count
        assert one.explored.units + one.held_out.units == one.overall.units


def test_what_there_is_too_little_of() -> None:
    few = no_effect(0, images=8)
    assert search(few, 3, 5, 10, 0).found == []
    constant = Judged("label", "found", np.arange(50), np.arange(50), np.arange(50) % 2 == 0, [])
    assert search(constant, 3, 5, 10, 0).found == []


def test_chance_is_not_called_weak() -> None:
    """Samples alike within images or clusters, rare hits, rare misses: at most 5 % of sets have a discovery."""
    wrong = tests = 0
    for seed in range(25):
        for cluster_size in (None, 6):
            judged = no_effect(seed, images=150, metrics=6, most=8, cluster_size=cluster_size)
            wrong += any(one.found for one in search(judged, 3, 20, 10, seed).found)
            tests += 1
    random = np.random.default_rng(1)
    for seed, base in enumerate(np.tile([-2.5, 2.5], 15)):
        judged = no_effect(seed + 500, images=150, metrics=6, most=8)
        luck = random.normal(0, 1.2, 150)[judged.image_row]
        rare = random.random(len(judged.hit)) < 1 / (1 + np.exp(-base - luck))
        shifted = Judged("label", "found", judged.rows, judged.image_row, rare, judged.measures)
        wrong += any(one.found for one in search(shifted, 3, 20, 10, seed).found)
        tests += 1
    assert tests == 80
    assert wrong <= 4
