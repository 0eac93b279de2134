"""All conventions side by side, as the terminal shows them."""

from __future__ import annotations

from qm_cli.convention_gaps import explained
from qm_cli.render.terminal_conventions import show_conventions
from qm_cli.settings import settings_at
from tests import builders
from tests.input_files import document, prediction
from tests.oracles.random_sets import random_set
from tests.render.screens import cells, printed, rows_below


def test_a_row_for_each_convention_and_a_table_for_each_gap() -> None:
    found = explained(builders.tables(*random_set(6)), settings_at("coco"))
    text = printed(show_conventions, found)
    rows = {row[0]: row for row in rows_below(text, "convention ")}
    for row in found["conventions"]:
        assert rows[row["convention"]][-1] == f"{row['f1']:.4f}"
    gap = next(one for one in found["gaps"] if (one["to"], one["number"]) == ("voc12", "average precision"))
    lines = [cells(line) for line in text.splitlines()]
    assert ["voc12", f"{gap['after']:.4f}", f"{gap['difference']:+.4f}"] in lines
    for step in gap["steps"]:
        shown = [step["step"], step["change"], f"{step['after']:.4f}", f"{step['difference']:+.4f}"]
        assert (shown in lines) == (abs(step["difference"]) > 1e-12)
        assert step["step"] in text


def test_counted_numbers_share_a_table() -> None:
    found = explained(builders.tables(*random_set(6)), settings_at("coco"), "ultralytics")
    text = printed(show_conventions, found)
    gaps = {gap["number"]: gap for gap in found["gaps"] if gap["number"] != "average precision"}
    lines = [cells(line) for line in text.splitlines()]
    for steps in zip(*(gap["steps"] for gap in gaps.values()), strict=True):
        values = [f"{step['after']:.4f}" for step in steps]
        assert [steps[0]["step"], steps[0]["change"], *values, f"{steps[-1]['difference']:+.4f}"] in lines
    assert [
        "ultralytics",
        *(f"{gap['after']:.4f}" for gap in gaps.values()),
        f"{gaps['f1']['difference']:+.4f}",
    ] in lines


def test_the_one_gap_asked_for_names_every_parameter() -> None:
    found = explained(builders.tables(*random_set(6)), settings_at("coco"), "voc12")
    lines = [cells(line) for line in printed(show_conventions, found).splitlines()]
    assert {gap["to"] for gap in found["gaps"]} == {"voc12"}
    for gap in found["gaps"]:
        assert all([name, value, "the same"] in lines for name, value in gap["same"].items())


def test_gaps_that_no_parameter_moves_are_one_line() -> None:
    found = explained(builders.tables(document(), [prediction()]), settings_at("coco"))
    text = printed(show_conventions, found)
    assert "coco → encord, precision, recall, f1: no difference by labels left out, " in text


def test_undefined_numbers_are_dashes() -> None:
    found = explained(builders.tables(document(labels=[]), [prediction()]), settings_at("coco"), "voc12")
    lines = [cells(line) for line in printed(show_conventions, found).splitlines()]
    assert ["interpolation", "101 recalls → all recalls", "–", "–"] in lines
