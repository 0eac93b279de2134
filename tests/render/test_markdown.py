"""A gate's verdict as Markdown."""

from __future__ import annotations

from qm_cli.render.markdown import gate_as_markdown
from tests.made_verdict import drop_verdict, verdict

GOLDEN = """\
## Gate failed: 1 of 2 checks

run, model better, IoU 0.5, confidence 0.5

| check | value | limit | margin | verdict |
| --- | ---: | ---: | ---: | ---: |
| recall ≥ 0.9 | 0.5000 | 0.9000 | -0.4000 | **FAIL**: recall is 0.5, 0.4 below the floor of 0.9 |
| precision ≥ 0.5 | 0.7500 | 0.5000 | 0.2500 | pass |
"""


def test_golden_with_what_fails_first() -> None:
    assert gate_as_markdown(verdict("precision=0.5", "recall=0.9")) == GOLDEN


def test_many_that_pass_are_folded_away() -> None:
    text = gate_as_markdown(verdict(*["precision=0.5"] * 6, "recall=0.9"))
    table, folded = text.split("<details>")
    assert table.count("| recall") == 1
    assert "| precision" not in table
    assert folded.startswith("<summary>6 checks passed</summary>\n\n| check")
    assert folded.endswith("\n\n</details>\n")
    assert "<details>" not in gate_as_markdown(verdict(*["precision=0.5"] * 9))


def test_intervals_and_the_undecided() -> None:
    text = gate_as_markdown(verdict("precision=0.7", sure=True))
    assert text.startswith("## Gate inconclusive: 1 of 1 checks\n")
    assert "| 0.7500 (0.6500 to 0.8200) |" in text
    assert "**inconclusive**: precision lies in" in text


def test_a_drop_shows_both_numbers() -> None:
    assert "| 0.7500, was 0.8000 (change -0.0700 to -0.0300) |" in gate_as_markdown(drop_verdict())


def test_notes() -> None:
    text = gate_as_markdown(verdict("precision=0.5", notes=["a | b\nc"]))
    assert text.startswith("## Gate passed\n\nrun, model better, IoU")
    assert text.endswith("\n\n- a \\| b c\n")
