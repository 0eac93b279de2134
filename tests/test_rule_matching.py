"""Matching under any setting of the parameters against a plain loop, and hand-worked cases of single parameters."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from qm_cli import convention_rules as names
from qm_cli.convention_rules import COUNT_RULES, Rules
from qm_cli.load import load_tables
from qm_cli.rule_matching import Comparison
from qm_cli.settings import CONVENTION_FIELDS
from qm_cli.tables import Tables
from tests import builders
from tests.conventions.comparing import loaded
from tests.input_files import document, image, label, prediction
from tests.oracles.random_sets import random_set
from tests.oracles.rules_loop import Loop

Row = dict[str, Any]
VALUES: dict[str, list[Any]] = {
    "thresholds": [(0.0, 0.5, 0.75, 1.0)],
    "most": [names.ALL, (2, names.CELL), (4, names.IMAGE)],
    "minimum": [None, ("≥", 0.5), (">", 0.5)],
    "uncounted": [("iscrowd",), ("iscrowd", "difficult", "ignore"), ("ignore",), ("iscrowd", "ignore")],
    "ignoring": [names.ONE_EACH, names.MANY, names.ALIKE],
    "judged": [False, True],
    "area": [names.ANY_AREA, names.FIELD_AREA, names.FILLED_AREA],
    "pixel": [False, True],
    "reach": [names.BOUNDED, names.REACHED, names.ABOVE],
    "crossing": [False, True],
    "tries": [names.FREE, names.BEST],
    "order": [names.BY_SCORE, names.BY_OVERLAP],
    "ties": [names.LATER, names.EARLIER, names.LABEL_FIRST],
}


def crowded_set(seed: int) -> tuple[Row, list[Row]]:
    """A random set with crowd labels, labels of odd areas and boxes twice over."""
    labels, predictions = random_set(seed, images=6, categories=2, objects=8)
    draw = random.Random(seed)
    for row in labels["annotations"]:
        row["iscrowd"] = int(draw.random() < 0.2)
        row["area"] = draw.choice([row["area"]] * 8 + [0.0, 2e10])
        if draw.random() < 0.2:
            row["bbox"] = draw.choice(labels["annotations"])["bbox"]
    return labels, predictions


def with_every_field(labels: Row, predictions: list[Row]) -> Tables:
    with tempfile.TemporaryDirectory() as folder:
        return load_tables(*builders.write(Path(folder), labels, predictions), fields=CONVENTION_FIELDS)


SETS = [crowded_set(seed) for seed in range(6)]
TABLES = [with_every_field(*one) for one in SETS]


def outcomes(comparison: Comparison, rules: Rules) -> list[list[str | None]]:
    """TP, FP, ignored or None of each prediction in the input's order, at each threshold."""
    part, tables = comparison.part(rules), comparison.tables
    found = []
    for matched in comparison.matched(rules, part):
        hit = matched >= 0
        hits = np.where(np.append(part.counts, False)[matched], "TP", "ignored")
        told = np.where(hit, hits, np.where(part.excused, "ignored", "FP")).astype(object)
        told[~part.prediction] = None
        placed = np.full(len(told), None, object)
        placed[tables.values("prediction", "source_row")] = told
        found.append(list(placed))
    return found


@given(st.sampled_from(range(len(SETS))), st.fixed_dictionaries({key: st.sampled_from(v) for key, v in VALUES.items()}))
@settings(max_examples=150, deadline=None)
def test_equals_the_loop(number: int, chosen: dict[str, Any]) -> None:
    rules = Rules(**chosen)
    found = outcomes(Comparison(TABLES[number], "bbox", 0.0), rules)
    for threshold, told in zip(rules.thresholds, found, strict=True):
        assert told == Loop(*SETS[number], rules, threshold).outcome


@pytest.mark.parametrize("name", COUNT_RULES)
def test_the_lowest_threshold_of_the_overlaps_changes_nothing(name: str) -> None:
    rules = replace(COUNT_RULES[name], thresholds=(0.6,))
    wide, narrow = (Comparison(TABLES[0], "bbox", lowest) for lowest in (0.0, 0.6))
    assert outcomes(wide, rules) == outcomes(narrow, rules)
    assert len(narrow.overlaps.label) < len(wide.overlaps.label)


def of(predictions: list[Row], labels: list[Row], **chosen: Any) -> list[str | None]:
    tables = loaded(document([image(1)], labels), predictions, "coco")
    return outcomes(Comparison(tables, "bbox", 0.0), Rules(thresholds=(0.5,), **chosen))[0]


def test_who_chooses_first() -> None:
    """The surer prediction sits worse on the one label; by overlap the better one takes it."""
    rows = [prediction(score=0.9, bbox=[12, 10, 20, 20]), prediction(score=0.8)]
    assert of(rows, [label()], order=names.BY_SCORE) == ["TP", "FP"]
    assert of(rows, [label()], order=names.BY_OVERLAP) == ["FP", "TP"]


def test_a_taken_label_is_not_tried_again() -> None:
    """Both predictions overlap the first label most; the second is near enough to the other."""
    labels = [label(1), label(2, bbox=[14, 10, 20, 20])]
    rows = [prediction(score=0.9), prediction(score=0.8, bbox=[11, 10, 20, 20])]
    assert of(rows, labels, tries=names.FREE) == ["TP", "TP"]
    assert of(rows, labels, tries=names.BEST) == ["TP", "FP"]


def test_a_crowd_excuses_many_and_an_ignored_label_one() -> None:
    rows = [prediction(score=0.9), prediction(score=0.8)]
    assert of(rows, [label(iscrowd=1)]) == ["ignored", "ignored"]
    wide = [label(area=2e10)]
    assert of(rows, wide, ignoring=names.ONE_EACH) == ["ignored", "FP"]
    assert of(rows, wide, ignoring=names.MANY) == ["ignored", "ignored"]
    assert of(rows, wide, area=names.ANY_AREA) == ["TP", "FP"]


def test_a_pair_of_two_categories_takes_both_ends() -> None:
    rows = [prediction(category_id=7, score=0.9), prediction(score=0.8)]
    assert of(rows, [label()], crossing=False) == ["FP", "TP"]
    assert of(rows, [label()], crossing=True) == ["FP", "FP"]
