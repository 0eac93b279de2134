"""The summary as Markdown: every table is one, whatever the names, and its numbers are those of the JSON."""

from __future__ import annotations

import re
from typing import Any

import pytest

from qm_cli.render.summary_markdown import summary_markdown
from tests.render.screens import summary

RATES = ("AP", "AP50", "AP75", "AR100", "precision", "recall", "f1")

BARE: dict[str, Any] = {
    "images": 1200,
    "categories": 2,
    "labels": None,
    "models": {},
    "metrics": [],
    "model_metrics": {},
    "findings": [],
    "notes": [],
}
FACTS = {"level": "image", "kind": "data", "unit": "px", "better": "neither", "rows": 3}
GOLDEN = """\
# qm run

1,200 images, 2 categories, no labels.

## Metrics

| metric | unit | null | min | median | max |
| --- | --- | --- | --- | --- | --- |
| image.width | px | 0 | 1 | 2.5 | 0.3333 |
| image.depth | px | 3 | – | – | – |

## Findings

| code | severity | count | meaning | first |
| --- | --- | --- | --- | --- |
| label-zero-area | warning | 2 | annotation whose box has no area | 3, a\\|b |

## Notes

* one
* two
"""


def tables(text: str) -> dict[str, list[list[str]]]:
    """The rows below the rule of each table, by the heading above it; every row as wide as its header."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for block in text.split("\n\n"):
        heading = block if block.startswith("#") else heading
        if block.startswith("|"):
            rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in block.splitlines()]
            assert rows[1] == ["---"] * len(rows[0])
            assert {len(row) for row in rows} == {len(rows[0])}
            found[heading] = rows[2:]
    return found


def number(text: str) -> float | None:
    return None if text == "–" else float(text)


def test_golden() -> None:
    numeric = {"nulls": 0, "min": 1.0, "median": 2.5, "max": 1 / 3}
    undefined = {"nulls": 3, "min": None, "median": None, "max": None}
    finding = {
        "code": "label-zero-area",
        "severity": "warning",
        "count": 2,
        "meaning": "annotation whose box has no area",
        "examples": ["3", "a|b"],
    }
    coded = {**FACTS, "name": "validity", "nulls": 0, "values": {"ok": 3}}
    metrics = [{**FACTS, "name": "width", **numeric}, {**FACTS, "name": "depth", **undefined}, coded]
    made = {**BARE, "metrics": metrics, "findings": [finding], "notes": ["one", "two"]}
    assert summary_markdown(made) == GOLDEN


def test_numbers_are_those_of_the_json() -> None:
    made = summary("better", "a|b")
    found = tables(summary_markdown(made))
    models = {row[0]: [number(cell) for cell in row[1:]] for row in found["# qm run"]}
    for name, report in made["models"].items():
        expected = [report["metrics"][rate] for rate in RATES]
        assert models[name.replace("|", "\\|")] == pytest.approx(expected, rel=1e-3)
        rows = found[f"## {name}: categories"]
        for row, category in zip(rows, report["categories"], strict=True):
            assert row[:2] == [category["name"], str(category["labels"])]
            wanted = [category[rate] for rate in RATES]
            got = [number(cell) for cell in row[2:]]
            assert [value is None for value in got] == [value is None for value in wanted]
            assert [v for v in got if v is not None] == pytest.approx([v for v in wanted if v is not None], rel=1e-3)
    numeric = [row for row in made["metrics"] if "median" in row]
    assert [row[0] for row in found["## Metrics"]] == [f"{row['level']}.{row['name']}" for row in numeric]
    for row, metric in zip(found["## Metrics"], numeric, strict=True):
        assert row[2] == str(metric["nulls"])
        wanted = [metric[key] for key in ("min", "median", "max")]
        close = [value if value is None else pytest.approx(value, rel=1e-3) for value in wanted]
        assert [number(cell) for cell in row[3:]] == close


def test_metrics_of_several_models_have_tables_of_their_own() -> None:
    row = {**FACTS, "name": "entropy", "nulls": 0, "min": 0.0, "median": 0.5, "max": 1.0}
    found = tables(summary_markdown({**BARE, "model_metrics": {"a": [row], "b": []}}))
    assert list(found) == ["## a: metrics"]


def test_a_model_that_was_not_evaluated_is_left_out() -> None:
    assert tables(summary_markdown({**BARE, "models": {"m": None}})) == {}


@pytest.mark.parametrize("name", ["a|b", "a\nb", "a\r\nb", "| --- |", "**x**"])
def test_a_name_stays_in_its_cell(name: str) -> None:
    made = summary("m")
    made["models"]["m"]["categories"][0]["name"] = name
    made["findings"][0]["examples"] = [name]
    found = tables(summary_markdown(made))
    assert len(found["## m: categories"]) == 4
    assert found["## m: categories"][0][0] == " ".join(name.replace("|", "\\|").split())
    assert found["## Findings"][0][-1] == found["## m: categories"][0][0]


def test_a_note_stays_in_its_line() -> None:
    text = summary_markdown({**BARE, "notes": ["first\n# second", "third"]})
    assert text.endswith("## Notes\n\n* first # second\n* third\n")


def test_large_numbers_keep_their_digits() -> None:
    row = {**FACTS, "name": "area", "nulls": 0, "min": 12345.0, "median": 20480.0, "max": 1234567.0}
    [cells] = tables(summary_markdown({**BARE, "metrics": [row]}))["## Metrics"]
    assert [number(cell) for cell in cells[3:]] == [12345, 20480, 1234567]


def test_nothing_but_images() -> None:
    assert summary_markdown({**BARE, "labels": 0}) == "# qm run\n\n1,200 images, 2 categories, 0 labels.\n"
