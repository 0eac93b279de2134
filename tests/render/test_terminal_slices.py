"""Slices on the screen are what the report holds; what is undefined is a dash."""

from __future__ import annotations

from typing import Any

from qm_cli.analysis.bootstrap import METRICS
from qm_cli.render.terminal_slices import show_discovery, show_slices
from tests.render.screens import printed, rows_below


def numbers(value: float | None, low: float | None = None) -> list[dict[str, Any]]:
    told = {"value": value, "low": low, "high": low, "overall": 0.5, "difference": value, "p": low, "p_corrected": low}
    return [{"metric": name, **told} for name in METRICS]


def row(name: str, value: float | None, low: float | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "images": 3, "labels": 4, "predictions": None, "metrics": numbers(value, low), **more}


def report(*rows: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": "better",
        "convention": "coco",
        "iou": 0.5,
        "confidence": 0.5,
        "overall": {key: value for key, value in row("", 0.5).items() if key != "name"},
        "slices": list(rows),
        "notes": ["something"],
    }


def test_slices() -> None:
    text = printed(show_slices, report(row("fog", 0.25, 0.125), row("none", None)))
    assert rows_below(text, "slice  ") == [
        ["all", "3", "4", "–", *["0.5000"] * 5],
        ["fog", "3", "4", "–", *["0.2500"] * 5],
        ["none", "3", "4", "–", *["–"] * 5],
    ]
    assert rows_below(text, "95 % interval")[0] == ["fog", *["0.1250 … 0.1250"] * 3]
    assert rows_below(text, "slice − all")[0] == ["fog", *["+0.2500 (0.1250)"] * 3]
    assert "note: something" in text


def test_label_metrics_and_many_slices() -> None:
    rate = {"rate": 0.25, "low": 0.125, "high": 0.5, "count": 4}
    more = {"label_metrics": [{"metric": "label.width", "mean": 2.5}], "label_errors": {"missed": rate}}
    text = printed(show_slices, report(*(row(f"a{place}", 0.5, **more) for place in range(45))))
    assert rows_below(text, "labels that are")[0][:2] == ["missed", "0.25 (0.12–0.50)"]
    assert rows_below(text, "mean of")[0][:2] == ["label.width", "2.5000"]
    assert "5 more slices" in text
    none = {**rate, "rate": None}
    assert "–" in printed(show_slices, report(row("a", 0.5, label_metrics=[], label_errors={"missed": none})))


def test_discovery() -> None:
    told = {"effect": -0.25, "low": -0.5, "high": -0.125, "p_corrected": 0.0001}
    found = {"definition": "a < 1", "found": True, "count": 9, "rate": 0.5, "held_out": told, "similar_count": 2}
    facts = {"model": None, "samples": 1000, "level": "label", "units": 50, "cluster": "site", "rate": 0.75}
    facts |= {"iou": 0.5, "confidence": 0.25}
    counts = {"outcome": "found", "explored": 1234, "carried": 2, "found": 1, "notes": []}
    rows = [found, {**found, "found": False, "held_out": None}]
    text = printed(show_discovery, {**facts, **counts, "slices": rows})
    assert "1,000 labels in 50 clusters of site, 75.0 % found (IoU 0.5, confidence 0.25)" in text
    assert "1,234 slices counted on one half" in text
    assert rows_below(text, "slice ") == [
        ["a < 1", "weak", "9", "0.5000", "-0.2500", "-0.5000 … -0.1250", "< .001", "2"],
        ["a < 1", "–", "9", "0.5000", "–", "too few samples", "–", "2"],
    ]
    classes = printed(show_discovery, {**facts, **counts, "iou": None, "confidence": 0.0, "slices": rows})
    assert "75.0 % found (confidence 0)" in classes
    empty = printed(show_discovery, {**facts, **counts, "explored": 0, "slices": [], "rate": None, "notes": ["few"]})
    assert "note: few" in empty
