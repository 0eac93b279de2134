"""Gaps between conventions: both ends are the conventions' numbers, and the steps add up to the gap."""

from __future__ import annotations

import tempfile
from itertools import pairwise, permutations
from pathlib import Path

import pytest

from qm_cli.ap_rules import GREEDY, RULES
from qm_cli.convention_gaps import NUMBER, explained, walk
from qm_cli.load import load_tables
from qm_cli.settings import CONVENTION_FIELDS, CONVENTIONS, settings_at
from tests import builders
from tests.conventions.comparing import Row, close, reported
from tests.input_files import document, image, label, prediction
from tests.oracles.random_sets import random_set

KEYS = {"average precision": "value", "f1": "f1"}


def explain(labels: Row, predictions: list[Row], convention: str) -> Row:
    """With all the fields that any convention reads."""
    with tempfile.TemporaryDirectory() as folder:
        files = builders.write(Path(folder), labels, predictions)
        return explained(load_tables(*files, fields=CONVENTION_FIELDS), settings_at(convention))


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_steps_add_up(convention: str) -> None:
    labels, predictions = random_set(6)
    found = explain(labels, predictions, convention)
    assert [row["convention"] for row in found["conventions"]] == list(CONVENTIONS)
    ends = {(row["convention"], number): row[key] for row in found["conventions"] for number, key in KEYS.items()}
    expected = (len(RULES) - 1 if convention in RULES else 0) + len(CONVENTIONS) - 1
    assert len(found["gaps"]) == expected
    for gap in found["gaps"]:
        assert gap["before"] == close(ends[convention, gap["number"]])
        assert gap["after"] == close(ends[gap["to"], gap["number"]])
        assert gap["difference"] == close(sum(step["difference"] for step in gap["steps"]))
        assert all(first["after"] == second["before"] for first, second in pairwise(gap["steps"]))


def test_rows_are_the_reports_numbers() -> None:
    labels, predictions = random_set(6)
    for row in explain(labels, predictions, "coco")["conventions"]:
        metrics = reported(labels, predictions, row["convention"])["metrics"]
        assert row["f1"] == metrics["f1"]
        assert row["value"] == (metrics[NUMBER[row["convention"]]] if row["number"] else None)


@pytest.mark.parametrize(("first", "last"), list(permutations(RULES, 2)))
def test_every_walk_arrives_and_can_be_computed(first: str, last: str) -> None:
    steps = walk(RULES[first], RULES[last])
    assert steps[-1][1] == RULES[last]
    assert len({name for name, _ in steps}) == len(steps)
    assert not any(rules.matching == GREEDY and (rules.pixel or rules.above) for _, rules in steps)


def test_max_detections_are_told_apart() -> None:
    """101 false positives before the only hit: COCO's cap leaves it out, VOC has none."""
    far = [prediction(bbox=[60, 60, 9, 9], score=0.9) for _ in range(101)]
    labels = document([image(1)], [label(1)])
    tables = builders.tables(labels, [*far, prediction(score=0.8)])
    gap = next(one for one in explained(tables, settings_at("coco"))["gaps"] if one["to"] == "encord")
    step = next(one for one in gap["steps"] if one["step"] == "max detections")
    assert (step["before"], step["change"]) == (0.0, "100 of an image and category → all")
    assert step["after"] > 0


def test_lvis_takes_part_where_its_lists_are() -> None:
    found = explained(builders.tables(document(), [prediction()]), settings_at("coco"))
    assert "lvis" not in {row["convention"] for row in found["conventions"]}
    assert "lvis is left out: no image has neg_category_ids" in found["notes"]


def test_nothing_defined_is_null() -> None:
    found = explained(builders.tables(document(labels=[]), [prediction()]), settings_at("coco"))
    assert {gap["difference"] for gap in found["gaps"] if gap["number"] == "average precision"} == {None}
