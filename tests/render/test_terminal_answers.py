"""Answers on the terminal show the numbers of the JSON, and names are never taken for anything but names."""

from __future__ import annotations

from typing import Any

import pytest

from qm_cli.detail_report import detailed_report
from qm_cli.evaluation_options import asked
from qm_cli.render.terminal import shown
from qm_cli.render.terminal_answers import show_answers
from qm_cli.settings import Settings
from tests import builders
from tests.golden.test_evaluation_report import CATEGORIES, LABELS, PREDICTIONS
from tests.input_files import document, image, label, prediction
from tests.render.screens import cells, printed, rows_below


def answered(names: dict[str, str] | None = None, **wishes: Any) -> dict[str, Any]:
    categories = [{**row, "name": (names or {}).get(row["name"], row["name"])} for row in CATEGORIES]
    images = [image(9, height=100), image(1), image(2)]
    chosen, questions = asked(Settings(), **wishes)
    return detailed_report(builders.tables(document(images, LABELS, categories), PREDICTIONS), chosen, questions)


def test_a_cell_with_its_matrix() -> None:
    found = answered(at=["confidence=0.2,iou=0.6"], beta=2.0)
    text = printed(show_answers, found)
    assert "at IoU 0.6, confidence 0.2" in text
    assert "confusion, rows true, columns predicted" in text
    [overall, *rows] = rows_below(text, "category")
    metrics = found["cells"][0]["metrics"]
    names = ("true_positives", "false_positives", "false_negatives", "precision", "recall", "f1", "f_beta", "mean_iou")
    assert overall == ["all", *(shown(metrics[name]) for name in names)]
    assert [row[0] for row in rows] == ["dog", "cat", "nothing but labels", "nothing"]
    header = next(line for line in text.splitlines() if line.startswith("true \\ predicted"))
    columns = [None if name == "none" else name for name in cells(header)[1:]]
    lines = rows_below(text, r"true \\ predicted")
    counts = {(one["true"], one["predicted"]): one["count"] for one in found["cells"][0]["confusion"]["cells"]}
    assert columns == [None if line[0] == "none" else line[0] for line in lines]
    for true, line in zip(columns, lines, strict=True):
        assert line[1:] == [str(counts.get((true, predicted), 0)) for predicted in columns]
    assert set(columns) == {"cat", "dog", "nothing but labels", None}


def test_many_categories_show_the_cells_off_the_diagonal() -> None:
    categories = [{"id": number, "name": f"kind {number}"} for number in range(20)]
    labels = [label(number, category_id=number, bbox=[number * 30, 0, 20, 20]) for number in range(20)]
    rows = [prediction(category_id=(n + n % 2) % 20, bbox=[n * 30, 0, 20, 20]) for n in range(20)]
    chosen, questions = asked(Settings(), normalise="true", at=["iou=0.5"])
    found = detailed_report(builders.tables(document([image(1)], labels, categories), rows), chosen, questions)
    text = printed(show_answers, found)
    lines = rows_below(text, "true +predicted +count +share")
    assert len(lines) == 10
    assert lines[0] == ["kind 1", "kind 2", "1", "1.0000"]


def test_the_grid_shows_every_cell_of_its_rates() -> None:
    found = answered(grid=True, confidences="0.2,0.5", ious="0.5,0.6")
    text = printed(show_answers, found)
    for name in ("precision", "recall", "F1"):
        assert f"{name}, rows IoU, columns confidence" in text
    overall = found["grid"]["overall"]
    assert rows_below(text, r"IoU +0\.2") == [
        [f"{iou:g}", *map(shown, line)] for iou, line in zip((0.5, 0.6), overall["precision"], strict=True)
    ]
    assert rows_below(text, "IoU +AP") == [
        [f"{iou:g}", shown(ap)] for iou, ap in zip((0.5, 0.6), overall["AP"], strict=True)
    ]


def test_samples_and_how_many_more_there_are() -> None:
    rows = [prediction(bbox=[60, 60, 9, 9], score=1 - n / 100) for n in range(23)]
    chosen, questions = asked(Settings(), examples=["predicted=cat,true=none", "predicted=dog,true=cat"])
    found = detailed_report(builders.tables(document(), rows), chosen, questions)
    text = printed(show_answers, found)
    assert "predicted cat, true none, at IoU 0.5, confidence 0.5, samples: 23" in text
    lines = rows_below(text, "image id")
    assert len(lines) == 20
    assert lines[0] == ["1", "1.jpg", "–", "0", "1.0000", "–"]
    assert "… and 3 more samples: --json has all" in text
    assert "predicted dog, true cat, at IoU 0.5, confidence 0.5, samples: 0" in text


def test_thresholds_with_what_they_reach() -> None:
    found = answered(thresholds=["precision=0.5"])
    lines = rows_below(printed(show_answers, found), "category")
    target = found["thresholds"]["targets"][0]
    assert lines[0][:2] == ["all", shown(target["overall"]["confidence"])]
    assert lines[0][2] == shown(target["overall"]["held_out"]["precision"]["value"])
    assert [line[0] for line in lines[1:]] == [row["name"] for row in target["categories"]]


def test_other_shares_come_with_the_whole_evaluation() -> None:
    text = printed(show_answers, answered(normalise="predicted"))
    assert "AP50" in text
    assert "rows true, columns predicted, share of predicted" in text


@pytest.mark.parametrize("wishes", [{"at": ["iou=0.5"]}, {"examples": ["predicted=7,true=7"]}, {"thresholds": ["f1"]}])
def test_names_are_names(wishes: dict[str, Any]) -> None:
    text = printed(show_answers, answered({"dog": "[red]d[/red]", "cat": "\x1b[2Jc"}, **wishes))
    assert "[red]d[/red]" in text
    assert "\x1b[2J" not in text


def test_notes_are_shown() -> None:
    found = {**answered(at=["iou=0.5"]), "notes": ["mind this"]}
    assert cells(printed(show_answers, found).splitlines()[-1]) == ["note: mind this"]
