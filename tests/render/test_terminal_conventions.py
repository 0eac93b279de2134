"""All conventions side by side, as the terminal shows them."""

from __future__ import annotations

from qm_cli.convention_gaps import explained
from qm_cli.render.terminal_conventions import show_conventions
from qm_cli.settings import settings_at
from tests import builders
from tests.oracles.random_sets import random_set
from tests.render.screens import cells, printed, rows_below


def test_a_row_for_each_convention_and_a_table_for_each_gap() -> None:
    found = explained(builders.tables(*random_set(6)), settings_at("coco"))
    text = printed(show_conventions, found)
    rows = {row[0]: row for row in rows_below(text, "convention ")}
    for row in found["conventions"]:
        assert rows[row["convention"]][-1] == f"{row['f1']:.4f}"
    gap = next(one for one in found["gaps"] if one["to"] == "voc12")
    lines = [cells(line) for line in text.splitlines()]
    assert ["voc12", f"{gap['after']:.4f}", f"{gap['difference']:+.4f}"] in lines
    for step in gap["steps"]:
        shown = [step["step"], step["change"], f"{step['after']:.4f}", f"{step['difference']:+.4f}"]
        assert (shown in lines) == (abs(step["difference"]) > 1e-12)
        assert step["step"] in text


def test_gaps_of_one_step_are_in_the_json_alone() -> None:
    found = explained(builders.tables(*random_set(6)), settings_at("coco"))
    assert any(gap["to"] == "labelbox" for gap in found["gaps"])
    text = printed(show_conventions, found)
    assert "coco → labelbox" not in text
    assert "coco → ultralytics" in text
