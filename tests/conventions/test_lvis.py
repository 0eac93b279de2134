"""LVIS against lvis-api's recorded numbers, and the package where it is there; cases worked by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qm_cli.errors import InputError
from tests.conventions.comparing import by_category, close, evaluated, hold_invariants, reported
from tests.input_files import document, image, label, prediction
from tests.oracles.random_sets import Row, random_set

RECORDED: list[Row] = json.loads((Path(__file__).parents[1] / "parity" / "lvis.json").read_text())
NAMES = {"AR@300": "AR300", "ARs@300": "ARs", "ARm@300": "ARm", "ARl@300": "ARl"}


def judged(*labels: Row, **lists: list[int]) -> Row:
    """One image with these labels and lists of category ids."""
    return document(images=[image(1, neg_category_ids=[], **lists)], labels=list(labels))


def hold(labels: Row, predictions: list[Row], expected: Row) -> None:
    found = reported(labels, predictions, "lvis")
    wanted = {NAMES.get(name, name): close(value) for name, value in expected["results"].items()}
    assert {name: found["metrics"][name] for name in wanted} == wanted
    assert list(by_category(found, "AP").values()) == [close(value) for value in expected["AP"]]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: f"seed {case['seed']}")
def test_equals_lvis_api(case: Row) -> None:
    """Numbers of lvis 0.5.3, recorded by tests/parity/make_conventions.py; the last set has > 300 an image."""
    hold(*random_set(case["seed"], images=case.get("images", 30), objects=case.get("objects", 6)), case)


def test_equals_the_package() -> None:
    pytest.importorskip("lvis")
    from tests.parity.make_conventions import lvis_numbers

    for seed in (20, 21):
        labels, predictions = random_set(seed, images=20)
        hold(labels, predictions, lvis_numbers(labels, predictions))


@pytest.mark.parametrize("seed", range(4))
def test_invariants(seed: int) -> None:
    hold_invariants(evaluated(*random_set(seed), "lvis", confidence=0.3))


@pytest.mark.parametrize(("negative", "positives"), [([], 0), ([7], 1)])
def test_only_judged_categories_count(negative: list[int], positives: int) -> None:
    labels = document(images=[image(1, neg_category_ids=negative)], labels=[label(1)])
    found = reported(labels, [prediction(), prediction(category_id=7)], "lvis")
    assert (found["metrics"]["true_positives"], found["metrics"]["false_positives"]) == (1, positives)
    assert any("1 predictions are left out" in note for note in found["notes"]) == (positives == 0)


@pytest.mark.parametrize(("listed", "precision"), [([], 0.5), ([1], 1.0)])
def test_what_is_not_exhaustive_does_not_punish(listed: list[int], precision: float) -> None:
    rows = [prediction(bbox=[60, 60, 9, 9], score=0.95), prediction()]
    found = reported(judged(label(1), not_exhaustive_category_ids=listed), rows, "lvis")
    assert found["metrics"]["precision"] == precision
    assert found["metrics"]["AP"] == close(precision)


def test_the_best_300_of_an_image() -> None:
    many = [prediction(bbox=[60, 60, 9, 9], score=0.9) for _ in range(300)]
    found = reported(judged(label(1)), [*many, prediction(score=0.8)], "lvis")
    assert (found["metrics"]["true_positives"], found["metrics"]["AP"]) == (0, 0.0)
    assert found["max_detections"] == [300]


def test_a_crowd_is_an_object_whose_iou_is_that_of_objects() -> None:
    rows = [prediction(bbox=[0, 0, 10, 6])]
    found = evaluated(judged(label(1, bbox=[0, 0, 10, 10], iscrowd=1)), rows, "lvis")
    assert found.every_iou.tolist() == [0.6]


def test_frequencies() -> None:
    categories = [{"id": 1, "name": "cat", "frequency": "r"}, {"id": 7, "name": "dog", "frequency": "f"}]
    labels = document([image(1, neg_category_ids=[])], [label(1), label(2, category_id=7)], categories)
    metrics = reported(labels, [prediction()], "lvis")["metrics"]
    assert [metrics[name] for name in ("APr", "APc", "APf")] == [close(1.0), None, 0.0]


def test_what_is_missing_is_told() -> None:
    with pytest.raises(InputError, match="no image has neg_category_ids"):
        reported(document(), [prediction()], "lvis")
    notes = " ".join(reported(judged(label(1)), [prediction()], "lvis")["notes"])
    assert "no image has not_exhaustive_category_ids" in notes
    assert "no category has a frequency" in notes


@pytest.mark.parametrize("wrong", [3, "x", [1.5], {"a": 1}])
def test_lists_that_are_none_are_refused(wrong: Any) -> None:
    with pytest.raises(InputError, match=r"images\[0\].neg_category_ids: expected a list of category ids"):
        reported(document(images=[image(1, neg_category_ids=wrong)], labels=[label(1)]), [prediction()], "lvis")
