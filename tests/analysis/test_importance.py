"""Importance: nothing where there is nothing, in order where there is something, and honest p-values in between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import mutual_info_score

from qm_cli.analysis.importance import (
    ALL,
    CLUSTER,
    IMAGE,
    WITHIN,
    all_binned,
    benjamini_hochberg,
    importances,
    strata,
    undefined,
)
from qm_cli.analysis.samples import Judged, Measure
from tests.analysis.simulated import judged_images, judged_rows, no_effect

TIMES = 99


def found(judged: Judged, times: int = TIMES, seed: int = 0) -> dict[str, object]:
    binned = all_binned(judged, judged.measures)
    return {
        one.measure.name: value for one, value in zip(binned, importances(judged, binned, times, seed), strict=True)
    }


def far_from_uniform(p: list[float], times: int) -> float:
    """The largest distance of p-values on 1/(times+1), 2/(times+1), … from evenly spread, in its 0.1 % points."""
    grid = np.arange(1, times + 2) / (times + 1)
    share = np.searchsorted(np.sort(p), grid + 1e-9) / len(p)
    return float(np.abs(share - grid).max() * np.sqrt(len(p)) / 1.95)


@pytest.mark.parametrize("first", [0, 1000])
def test_p_values_are_uniform_where_outcomes_are_alike_within_images(first: int) -> None:
    by_unit: dict[str, list[float]] = {IMAGE: [], WITHIN: []}
    for seed in range(first, first + 30):
        for one in found(no_effect(seed), seed=seed).values():
            by_unit[one.permuted].append(one.p)
    assert [len(p) for p in by_unit.values()] == [600, 600]
    for p in by_unit.values():
        assert far_from_uniform(p, TIMES) < 1


def test_p_values_are_uniform_where_clusters_are_alike_and_not_without_them() -> None:
    told, untold = [], []
    for seed in range(25):
        judged = no_effect(seed, images=240, most=3, cluster_size=6, metrics=12)
        alone = Judged("prediction", "TP", judged.rows, judged.image_row, judged.hit, judged.measures)
        told += [one.p for one in found(judged, seed=seed).values() if one.permuted == CLUSTER]
        untold += [one.p for one in found(alone, seed=seed).values() if one.permuted == IMAGE]
    assert len(told) == len(untold) == 300
    assert far_from_uniform(told, TIMES) < 1 < far_from_uniform(untold, TIMES)


def test_p_values_are_uniform_where_images_hold_one_row_each() -> None:
    p = [
        one.p
        for seed in range(20)
        for one in found(no_effect(seed, images=400, most=1), seed=seed).values()
        if one.permuted == ALL
    ]
    assert len(p) == 800
    assert far_from_uniform(p, TIMES) < 1


def test_a_random_metric_has_no_importance() -> None:
    values = []
    for seed in range(20):
        judged = no_effect(seed, images=2000, metrics=1, most=4)
        values.append(found(judged, 50, seed)["i0"].value)
    assert np.mean(values) < 0.01


def test_planted_importance_is_found_in_order() -> None:
    rng = np.random.default_rng(8)
    image_row = np.sort(rng.integers(0, 500, 6000))
    columns = {name: rng.normal(size=6000) for name in ("strong", "middle", "weak", "none")}
    brightness = rng.normal(size=500)
    level = 2.5 * columns["strong"] + 1.2 * columns["middle"] ** 2 + 0.5 * columns["weak"] + 0.8 * brightness[image_row]
    judged = judged_rows(rng.random(6000) < 1 / (1 + np.exp(-level)), image_row, **columns)
    judged = Judged(
        "prediction", "TP", judged.rows, judged.image_row, judged.hit,
        [*judged.measures, Measure("image", "brightness", brightness)],
    )  # fmt: skip
    values = {name: one.value for name, one in found(judged).items()}
    assert sorted(values, key=values.get, reverse=True)[:2] == ["strong", "middle"]
    assert values["middle"] > max(values["weak"], values["brightness"])
    assert min(values["weak"], values["brightness"]) > 5 * values["none"] + 0.001
    assert {name for name, one in found(judged).items() if one.p <= 0.02} == set(values) - {"none"}


def test_a_metric_that_tells_all_has_importance_one() -> None:
    hit = np.arange(400) % 3 == 0
    assert found(judged_images(hit, told=hit.astype(float)))["told"].value == pytest.approx(1)


def test_information_equals_scikit_learns_on_the_same_bins() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=3000)
    values[rng.random(3000) < 0.1] = np.nan
    hit = rng.random(3000) < np.where(np.isnan(values), 0.9, 0.4)
    judged = judged_rows(hit, np.sort(rng.integers(0, 200, 3000)), m=values)
    binned = all_binned(judged, judged.measures)[0]
    assert binned.bins.count == 33
    one = importances(judged, [binned], 20, 0)[0]
    assert one.information == pytest.approx(mutual_info_score(binned.bins.codes, judged.hit))


def test_the_same_seed_gives_the_same() -> None:
    judged = no_effect(3)
    assert found(judged, seed=4) == found(judged, seed=4) != found(judged, seed=5)


def test_rows_alone_in_their_image_change_places_with_each_other() -> None:
    judged = judged_rows(np.arange(7) % 2 == 0, np.array([0, 0, 1, 2, 3, 3, 4]))
    places = strata(judged).tolist()
    assert places[0] == places[1] != places[4] == places[5]
    assert places[2] == places[3] == places[6]


def test_rows_alone_stay_in_their_cluster_where_it_has_others() -> None:
    rows = np.arange(5)
    judged = Judged("prediction", "TP", rows, rows, rows > 2, [], np.array([0, 0, 1, 2, 1]))
    places = strata(judged).tolist()
    assert places[0] == places[1] != places[2] == places[4] != places[3]


def test_too_few_samples_say_how_many_are_needed() -> None:
    judged = judged_images(np.arange(39) % 2 == 0, a=np.arange(39.0))
    one = found(judged)["a"]
    assert (one.value, one.p, one.reason) == (None, None, "40 images are needed, there are 39")
    assert found(judged_images(np.arange(40) % 2 == 0, a=np.arange(40.0)))["a"].value is not None


@pytest.mark.parametrize(("hit", "word"), [(True, "all"), (False, "none")])
def test_one_outcome_only_explains_nothing(hit: bool, word: str) -> None:
    judged = judged_images(np.full(100, hit), a=np.arange(100.0))
    assert undefined(judged) == f"{word} of the 100 images are correct: there is nothing to explain"
    assert found(judged)["a"].value is None


def test_columns_that_say_nothing() -> None:
    rng = np.random.default_rng(0)
    rare = np.zeros(100)
    rare[:5] = 1
    half = np.where(np.arange(100) < 50, np.nan, 3.0)
    empty = np.full(100, np.nan)
    judged = judged_images(rng.random(100) < 0.5, same=np.full(100, 2.0), empty=empty, rare=rare, half=half)
    all_found = found(judged)
    assert all_found["same"].reason == "it is constant"
    assert all_found["empty"].reason == "it has no value anywhere"
    assert "two bins of 20 images are needed" in all_found["rare"].reason
    assert all_found["half"].value is not None  # what is missing may tell as well


def test_codes_are_bins_of_their_own() -> None:
    hit = np.arange(300) % 2 == 0
    codes = np.where(hit, 0.0, 1.0)
    judged = Judged(
        "image", "correct", np.arange(300), np.arange(300), hit, [Measure("image", "w", codes, names=("fog", "sun"))]
    )
    assert found(judged)["w"].value == pytest.approx(1)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=30))
def test_benjamini_hochberg_equals_scipys(p: list[float | None]) -> None:
    tested = [value for value in p if value is not None]
    q = benjamini_hochberg(p)
    assert [value is None for value in q] == [value is None for value in p]
    if tested:
        expected = stats.false_discovery_control(tested, method="bh")
        assert [value for value in q if value is not None] == pytest.approx(expected.tolist())
