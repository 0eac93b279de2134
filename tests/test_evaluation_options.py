"""Texts → settings and questions; what is none of them is refused with the way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qm_cli.errors import UsageError
from qm_cli.evaluation_options import (
    Questions,
    asked,
    parsed_areas,
    parsed_at,
    parsed_cell,
    parsed_grid,
    parsed_limits,
)
from qm_cli.settings import AREA_RANGES, GRID_STEPS, AreaRange, Grid, Settings


def test_nothing_asked_changes_nothing() -> None:
    assert asked(Settings()) == (Settings(), Questions())


def test_a_cell_alone_is_a_grid_of_its_own() -> None:
    settings, questions = asked(Settings(iou=0.7), at=["confidence=0.35,iou=0.6", "confidence=0.1"])
    assert questions.at == ((0.35, 0.6), (0.1, 0.7))
    assert settings.grid == Grid((0.1, 0.35), (0.6, 0.7))


def test_cells_beside_the_grid_are_among_it() -> None:
    settings, questions = asked(Settings(), at=["confidence=0.35,iou=0.6"], grid=True, confidences="0.5,0")
    assert settings.grid == Grid((0.0, 0.35, 0.5), GRID_STEPS)
    assert questions.grid
    assert asked(Settings(), writes=True, image_grid=True)[0].grid == Grid(images=True)


def test_everything_else() -> None:
    wishes = {"beta": 2.0, "area_range": ["tiny=0..9"], "max_detections": "300,1", "normalise": "all"}
    settings, questions = asked(Settings(), **wishes, examples=["true=a,predicted=b"], thresholds=["f1"], seed=3)
    assert (settings.beta, settings.max_detections, settings.area_ranges[1].name) == (2.0, (1, 300), "tiny")
    assert (questions.normalise, questions.examples, questions.seed) == ("all", (("b", "a"),), 3)
    assert [target.text for target in questions.targets] == ["f1"]


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"normalise": "rows"}, "none of true, predicted, all"),
        ({"image_grid": True}, "name one with -o"),
        ({"ious": "0.5"}, "add --grid, or -o"),
    ],
)
def test_what_does_not_fit_together(wishes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        asked(Settings(), **wishes)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("predicted=dog,true=cat", ("dog", "cat")),
        ("true=cat,predicted=None", (None, "cat")),
        ("predicted=a, b=c,true=d,e", ("a, b=c", "d,e")),
    ],
)
def test_cells_of_the_matrix(text: str, cell: tuple[str | None, str | None]) -> None:
    assert parsed_cell(text) == cell


def test_areas_are_open_where_an_end_is_left_out() -> None:
    found = parsed_areas(["a=..10", "b=10..", "c=1e1..2e1"])
    assert found == (AREA_RANGES[0], AreaRange("a", 0, 10), AreaRange("b", 10, 1e10), AreaRange("c", 10, 20))


REFUSED: list[tuple[Callable[[str], Any], list[str]]] = [
    (lambda text: parsed_at(text, Settings()), ["", "0.5", "iou=x", "iou=1.5", "iou=nan", "iou=0.5,iou=0.6", "f1=1"]),
    (lambda text: parsed_grid(text, None), ["", "a", "0.5,", "2", "-0.1", "nan"]),
    (lambda text: parsed_grid(None, text), ["0.5;0.6"]),
    (lambda text: parsed_areas([text]), ["a", "a=1", "a=5..1", "a=-1..5", "=1..5", "all=0..5", "a b=0..5", "a=0..inf"]),
    (lambda text: parsed_areas([text, text]), ["a=0..5"]),
    (parsed_limits, ["", "0", "-1", "1,,2", "1.5", "²"]),
    (
        parsed_cell,
        ["", "dog", "predicted=dog", "predicted=dog,predicted=cat", "predicted=,true=cat", "true=none,predicted=none"],
    ),
]


@pytest.mark.parametrize(("parse", "text"), [(parse, text) for parse, texts in REFUSED for text in texts])
def test_what_cannot_be_read_is_refused_with_the_way_out(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert refused.value.hint
