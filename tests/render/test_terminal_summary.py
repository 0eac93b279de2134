"""The summary and the plan on the terminal: the same numbers as in the JSON, whole paths, names as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qm_cli.render.terminal import shown
from qm_cli.render.terminal_summary import show_plan, show_summary
from tests.render.screens import COLOUR, NUMBER, STYLE, cells, printed, rows_below, summary

MODEL_COLUMNS = ("AP", "AP50", "AP75", "AR100", "precision", "recall", "f1")

PLACE = Path("/data/[bold]set/qm-run")
DEEP = Path("/data", *["a folder deep down"] * 15, "qm-run")


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return summary("better", "other [b]")


def test_models_stand_side_by_side(made: dict[str, Any]) -> None:
    lines = printed(show_summary, made, PLACE).splitlines()
    assert lines[0] == "3 images, 4 categories, 6 labels"
    [header] = [line for line in lines if line.startswith("model (coco, IoU 0.5, confidence 0.5)")]
    assert cells(header)[1:] == list(MODEL_COLUMNS)
    expected = [
        [name, *(shown(report["metrics"][column]) for column in MODEL_COLUMNS)]
        for name, report in made["models"].items()
    ]
    assert rows_below("\n".join(lines), r"model \(") == expected


def test_numbers_of_images_and_labels_are_those_of_the_json(made: dict[str, Any]) -> None:
    text = printed(show_summary, made, PLACE)
    numeric = [row for row in made["metrics"] if row["level"] in ("image", "label") and "median" in row]
    wanted = [
        [
            f"{row['level']}.{row['name']}",
            *([row["unit"]] if row["unit"] else []),
            *(shown(row[key]) for key in ("min", "median", "max")),
            shown(row["nulls"] or None),
        ]
        for row in numeric
    ]
    assert rows_below(text, "metric +unit") == wanted
    coded = {row["name"]: row["values"] for row in made["metrics"] if row["level"] == "label" and row["unit"] == "code"}
    found = {row[0]: row[1] for row in rows_below(text, "metric +values")}
    assert found["label.outcome"] == ", ".join(f"{value} {count}" for value, count in coded["outcome"].items())


def test_no_number_is_there_that_the_json_has_not(made: dict[str, Any]) -> None:
    known = {shown(made[name]) for name in ("images", "categories", "labels")}
    for report in made["models"].values():
        known |= {shown(report["metrics"][column]) for column in MODEL_COLUMNS}
    for row in made["metrics"]:
        known |= {shown(row[key]) for key in ("min", "median", "max", "nulls") if key in row}
        known |= {shown(count) for count in row.get("values", {}).values()}
    for found in made["findings"]:
        known |= {shown(found["count"]), *found["examples"]}
    text = printed(show_summary, {**made, "notes": []}, Path("/data"))
    assert set(NUMBER.findall(text.replace("IoU 0.5, confidence 0.5", ""))) <= known


def test_findings_are_shown_with_their_first_examples(made: dict[str, Any]) -> None:
    [row] = rows_below(printed(show_summary, made, PLACE), "finding")
    [finding] = made["findings"]
    assert row == ["prediction-unknown-image", "error", "1", finding["meaning"], "77"]


def test_names_and_places_are_as_they_are(made: dict[str, Any]) -> None:
    noted = {**made, "notes": ["only [bold]x", "word " * 100 + "end"]}
    lines = printed(show_summary, noted, PLACE).splitlines()
    assert lines[-3:] == [
        "note: only [bold]x",
        "note: " + "word " * 100 + "end",
        "Scores and summary are in /data/[bold]set/qm-run",
    ]


def test_a_long_path_can_be_copied_from_a_narrow_terminal(made: dict[str, Any]) -> None:
    for tty in (True, False):
        text = STYLE.sub("", printed(show_summary, made, DEEP, tty=tty, width=60))
        assert text.splitlines()[-1] == f"Scores and summary are in {DEEP}"
        files = {"labels": str(DEEP), "images": None}
        plan = printed(show_plan, {"files": files, "steps": [], "skipped": []}, tty=tty, width=60)
        assert STYLE.sub("", plan).splitlines()[0] == f"labels: {DEEP}"


def test_a_pipe_gets_no_escapes(made: dict[str, Any]) -> None:
    assert "\x1b" not in printed(show_summary, made, PLACE)
    assert COLOUR.search(printed(show_summary, made, PLACE, tty=True))
    assert not COLOUR.search(printed(show_summary, made, PLACE, tty=True, NO_COLOR="1"))


def test_a_run_without_labels_models_or_metrics() -> None:
    bare = {"images": 1200, "categories": 0, "labels": None, "models": {"m": None}, "metrics": [], "findings": []}
    assert printed(show_summary, {**bare, "notes": []}, Path("run")).splitlines() == [
        "1,200 images, 0 categories, no labels",
        "",
        "Scores and summary are in run",
    ]


def test_more_findings_than_fit_are_told_of(made: dict[str, Any]) -> None:
    many = [{**made["findings"][0], "code": f"code-{n}"} for n in range(14)]
    assert "2 more findings" in printed(show_summary, {**made, "findings": many}, PLACE)


def test_the_first_findings_are_shown(made: dict[str, Any]) -> None:
    many = [{**made["findings"][0], "code": f"code-{n}"} for n in range(14)]
    rows = rows_below(printed(show_summary, {**made, "findings": many}, PLACE), "finding")
    assert [row[0] for row in rows] == [f"code-{n}" for n in range(12)]


def test_a_metric_without_values_and_one_of_other_levels() -> None:
    facts = {"kind": "data", "better": "neither", "rows": 2}
    rows = [
        {
            "level": "image",
            "name": "empty",
            "unit": "px",
            **facts,
            "nulls": 2,
            "min": None,
            "median": None,
            "max": None,
        },
        {
            "level": "category",
            "name": "elsewhere",
            "unit": "px",
            **facts,
            "nulls": 0,
            "min": 1.0,
            "median": 1.0,
            "max": 1.0,
        },
        {"level": "image", "name": "codes", "unit": "code", **facts, "nulls": 0, "values": {"[b]": 12345, "c": 1}},
        {"level": "image", "name": "nothing", "unit": "code", **facts, "nulls": 2, "values": {}},
        {"level": "image", "name": "texts", "unit": "", **facts, "nulls": 0, "values": {"x": 2}},
    ]
    bare = {"images": 2, "categories": 0, "labels": 0, "models": {}, "metrics": rows, "findings": [], "notes": []}
    text = printed(show_summary, bare, PLACE)
    assert rows_below(text, "metric +unit") == [["image.empty", "px", "–", "–", "–", "2"]]
    assert rows_below(text, "metric +values") == [["image.codes", "[b] 12,345, c 1"]]
    assert not [word for word in ("elsewhere", "nothing", "texts") if word in text]


def test_plan() -> None:
    plan = {
        "files": {"labels": "/d/[x]/labels.json", "model [b]": "p.json"},
        "steps": [
            {"metric": "image.blur", "inputs": {"sharpness": "sharpness"}},
            {"metric": "label.area_relative", "inputs": {"area": "area", "image_width": "image_width"}},
        ],
        "skipped": [{"metric": "image.depth", "reason": "needs depth, which the dataset does not have"}],
    }
    text = printed(show_plan, plan)
    assert text.splitlines()[:3] == ["labels: /d/[x]/labels.json", "model [b]: p.json", ""]
    assert rows_below(text, "metric") == [["image.blur", "sharpness"], ["label.area_relative", "area, image_width"]]
    assert rows_below(text, "skipped") == [["image.depth", "needs depth, which the dataset does not have"]]
    assert "skipped" not in printed(show_plan, {**plan, "skipped": []})
