"""Importance and performance on the terminal: the numbers of the JSON, bars, dashes for what is undefined."""

from __future__ import annotations

from typing import Any

from qm_cli.render.terminal import shown
from qm_cli.render.terminal_importance import IMPORTANCE_BAR, bar, show_importance, show_performance
from tests.render.screens import cells, printed, rows_below


def row(metric: str, importance: float | None, reason: str | None = None, **more: Any) -> dict[str, Any]:
    related = {f"{name}{end}": None for name in ("pearson", "spearman") for end in ("", "_low", "_high")}
    number = {"importance": importance, "p": None if reason else 0.01, "q": None if reason else 0.02}
    return {"metric": metric, "mark": "O", **number, **related, "reason": reason, **more}


REPORT = {
    "model": "better", "samples": 1200, "images": 100, "rate": 0.75, "by": "label", "outcome": "found", "notes": ["n"],
    "metrics": [
        row("label.size[b]", 0.5, pearson=0.25, pearson_low=0.1, pearson_high=0.4, spearman=-0.5),
        row("label.same", None, "it is constant"),
    ],
}  # fmt: skip


def test_importance() -> None:
    text = printed(show_importance, REPORT)
    assert text.splitlines()[0] == "better: 1,200 labels in 100 images, 75.0 % found"
    assert rows_below(text, "metric ") == [
        ["label.size[b]", "0.5000", bar(0.5, IMPORTANCE_BAR), "0.0100", "0.0200", "+0.25", "-0.50"]
    ]
    assert "it is constant" in text
    assert "note: n\nimportance: 0 tells nothing" in text


def test_many_metrics_are_cut_and_it_is_told() -> None:
    text = printed(show_importance, {**REPORT, "metrics": [row(f"m{k}", 0.0) for k in range(31)]})
    assert "m29" in text
    assert "m30" not in text
    assert "--json has all 31" in text


def test_encords() -> None:
    report = {
        **REPORT,
        "compat": "encord",
        "metrics": [{"metric": "prediction.score", "mark": "P", "importance": 0.25}],
    }
    assert rows_below(printed(show_importance, report), "metric") == [["prediction.score (P)", "0.2500"]]


def rate(value: float | None, count: int) -> dict[str, Any]:
    return {"rate": value, "low": value, "high": value, "count": count}


def test_performance() -> None:
    bins = [
        {"low_edge": 0.0, "high_edge": 1234.5, "missing": False, "true_positive_rate": rate(0.5, 10)},
        {"low_edge": None, "high_edge": None, "missing": True, "true_positive_rate": rate(None, 0)},
    ]
    report = {
        "model": None,
        "metric": "image.area",
        "unit": "px²",
        "bins": bins,
        "overall": {"true_positive_rate": rate(1, 10)},
    }
    text = printed(show_performance, report)
    assert text.splitlines()[0] == "image.area (px²)"
    first, missing, everything = rows_below(text, "true-positive rate")
    assert first[0] == "0 – 1234" or first[0] == "0 – 1235"
    assert first[1:] == [shown(0.5), bar(0.5), "0.5000 – 0.5000", "10"]
    assert missing == ["(none)", "–", "–", "0"]
    assert everything[0] == "all"
    assert "false-negative" not in text


def test_codes_are_named() -> None:
    bins = [{"value": "fog", "missing": False, "false_negative_rate": rate(0.25, 4)}]
    report = {
        "model": "m",
        "metric": "image.weather",
        "unit": "",
        "bins": bins,
        "overall": {"false_negative_rate": rate(0.25, 4)},
    }
    assert cells(printed(show_performance, report).splitlines()[2])[0] == "fog"
