"""Parameters of the conventions: all are there by name, and every walk ends where it should."""

from __future__ import annotations

from itertools import permutations

import pytest
from msgspec.structs import replace

from qm_cli.convention_rules import (
    COUNT_RULES,
    COUNTED,
    LABELS,
    PRECISION,
    REACHED,
    RULES,
    SAME_EVERYWHERE,
    Rules,
    count_rules,
    parameters,
    precision_rules,
    shown,
    walk,
)
from qm_cli.settings import CONVENTIONS, settings_at


@pytest.mark.parametrize("rules", [RULES, COUNT_RULES], ids=["average precision", "counts"])
def test_every_walk_arrives_by_single_parameters_in_one_order(rules: dict[str, Rules]) -> None:
    order = list(Rules.__struct_fields__)
    for first, last in permutations(rules, 2):
        steps, before = walk(rules[first], rules[last]), rules[first]
        assert [order.index(name) for name, _ in steps] == sorted(order.index(name) for name, _ in steps)
        for name, after in steps:
            assert after == replace(before, **{name: getattr(rules[last], name)}) != before
            before = after
        assert before == rules[last]


def test_every_parameter_has_a_name_and_words() -> None:
    assert list(LABELS) == list(Rules.__struct_fields__)
    assert set(SAME_EVERYWHERE) == {PRECISION, *COUNTED}
    for rules in (*RULES.values(), *COUNT_RULES.values()):
        for name in LABELS:
            values = {(getattr(one, name), shown(one, name)) for one in (*RULES.values(), *COUNT_RULES.values(), rules)}
            assert len({text for _, text in values}) == len({value for value, _ in values})


def test_counts_have_no_interpolation() -> None:
    assert set(parameters(PRECISION)) - set(parameters("f1")) == {"points"}
    assert not any(
        name == "points" for first, last in permutations(COUNT_RULES.values(), 2) for name, _ in walk(first, last)
    )


@pytest.mark.parametrize("name", CONVENTIONS)
def test_settings_are_in_the_rules(name: str) -> None:
    counts = count_rules(settings_at(name, 0.6, 0.3))
    assert (counts.thresholds, counts.minimum) == ((0.6,), (">" if name == "ultralytics" else "≥", 0.3))
    precision = precision_rules(settings_at(name, 0.6))
    assert (precision is None) == name.startswith("labelbox")
    if precision is not None:
        assert precision.minimum is None
        assert (len(precision.thresholds) == 1) == (name in ("voc07", "voc12", "encord"))


def test_the_kit_of_voc_reaches() -> None:
    own = settings_at("voc12", voc_devkit=True)
    assert {count_rules(own).reach, getattr(precision_rules(own), "reach", None)} == {REACHED}
