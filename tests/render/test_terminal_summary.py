"""The summary and the plan on the terminal: the same numbers as in the JSON, whole paths, names as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qm_cli.render.terminal import shown
from qm_cli.render.terminal_summary import show_plan, show_summary
from tests.render.screens import COLOUR, NUMBER, STYLE, cells, printed, rows_below, summary, unwrapped

MODEL_COLUMNS = ("AP", "AP50", "AP75", "AR100", "precision", "recall", "f1")

PLACE = Path("/data/[bold]set/qm-run")
BARE: dict[str, Any] = {
    "images": 1200,
    "categories": 0,
    "labels": None,
    "models": {"m": None},
    "metrics": [],
    "findings": [],
    "notes": [],
}
DEEP = Path("/data", *["a folder deep down"] * 15, "qm-run")


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return summary("better", "other [b]")


def test_what_was_read_comes_first(made: dict[str, Any]) -> None:
    lines = printed(show_summary, made, PLACE).splitlines()
    assert lines[0] == "3 images, 4 categories, 6 labels; models better (7 predictions), other [b] (7 predictions)"


def test_models_stand_side_by_side(made: dict[str, Any]) -> None:
    lines = printed(show_summary, made, PLACE).splitlines()
    [header] = [line for line in lines if line.startswith("model (coco, IoU 0.5, confidence 0.5)")]
    assert cells(header)[1:] == list(MODEL_COLUMNS)
    expected = [
        [name, *(shown(report["metrics"][column]) for column in MODEL_COLUMNS)]
        for name, report in made["models"].items()
    ]
    assert rows_below("\n".join(lines), r"model \(") == expected


def test_what_is_worth_a_look_stands_above_the_command_for_more(made: dict[str, Any]) -> None:
    [row] = made["attention"]
    lines = printed(show_summary, made, PLACE, "set --labels l.json").splitlines()
    start = lines.index("worth a look, the worst first")
    assert cells(lines[start + 1]) == ["1", row["code"], row["meaning"]]
    assert lines[start + 2].strip() == "→ qm check set --labels l.json"


def test_commands_of_the_run_name_its_place(made: dict[str, Any]) -> None:
    rows = [{**made["attention"][0], "command": 'qm query RUN "SELECT 1"'}]
    text = printed(show_summary, {**made, "attention": rows}, Path("/a b/run"))
    assert "→ qm query '/a b/run' \"SELECT 1\"\n" in text
    assert "qm compare '/a b/run' --model better --model-b 'other [b]'" in text


def metric(name: str, **facts: Any) -> dict[str, Any]:
    values = {"min": 0.0, "median": 0.5, "max": 12345.0}
    return {"level": "image", "name": name, "unit": "px", "rows": 100, "nulls": 3, **values, **facts}


def test_commands_name_files_of_the_run(made: dict[str, Any]) -> None:
    rows = [{**made["attention"][0], "command": "jq .findings RUN/run.json"}]
    assert "→ jq .findings '/a b/run'/run.json\n" in printed(
        show_summary, {**made, "attention": rows}, Path("/a b/run")
    )


def test_metrics_with_few_severe_outliers_are_shown() -> None:
    metrics = [metric("odd"), metric("spread"), metric("fine"), metric("elsewhere", level="category")]
    counts = [("image.odd", 4), ("image.spread", 40), ("image.fine", 0)]
    odd = {"image": [{"metric": name, "moderate": 1, "severe": severe} for name, severe in counts]}
    text = printed(show_summary, {**BARE, "metrics": metrics, "outliers": {"data": odd, "models": {}}}, PLACE)
    assert rows_below(text, "metric +unit") == [["image.odd", "px", "4", "0", "0.5", "12,345", "3"]]


def test_what_drives_right_and_wrong_is_a_line_each() -> None:
    rows = [{"metric": name, "importance": value, "p": p} for name, value, p in (("a", 0.5, 0.01), ("b", 0.4, 0.2))]
    told = {"samples": 10, "of_samples": 20, "outcome": "found", "metrics": rows}
    importance = {"m": {"label": told, "prediction": {**told, "outcome": "TP", "of_samples": 10, "metrics": rows[1:]}}}
    text = printed(show_summary, {**BARE, "importance": importance}, PLACE)
    assert rows_below(text, "what tells") == [["m: labels found, 10 drawn", "a 0.50"], ["m: predictions TP", "–"]]


def test_no_number_is_there_that_the_json_has_not(made: dict[str, Any]) -> None:
    known = {shown(made[name]) for name in ("images", "categories", "labels")}
    for report in made["models"].values():
        known |= {shown(report["metrics"][column]) for column in MODEL_COLUMNS} | {shown(report["predictions"])}
    known |= {shown(row["count"]) for row in made["attention"]}
    text = printed(show_summary, {**made, "notes": []}, Path("/data"))
    assert set(NUMBER.findall(text.replace("IoU 0.5, confidence 0.5", ""))) <= known


def test_names_and_places_are_as_they_are(made: dict[str, Any]) -> None:
    noted = {**made, "notes": ["only [bold]x", "word " * 100 + "end"]}
    text = unwrapped(printed(show_summary, noted, PLACE))
    assert "\nnote: only [bold]x\nnote: " + "word " * 100 + "end" in text
    assert text.endswith("Scores and summary are in /data/[bold]set/qm-run\n")


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
    assert printed(show_summary, BARE, Path("run")).splitlines() == [
        "1,200 images, 0 categories, no labels; model m",
        "",
        "nothing found that is worth a look",
        "",
        "Scores and summary are in run",
    ]


def test_more_findings_than_fit_are_told_of(made: dict[str, Any]) -> None:
    many = [{**made["attention"][0], "code": f"code-{n}"} for n in range(14)]
    text = printed(show_summary, {**made, "attention": many}, PLACE)
    assert "2 more findings" in text
    assert [f"code-{n}" in text for n in range(14)] == [True] * 12 + [False] * 2


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
