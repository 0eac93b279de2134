"""The terminal shows a comparison's own numbers; undefined is a dash."""

from __future__ import annotations

from typing import Any

from qm_cli.render.terminal_comparison import show_comparison
from tests.render.screens import printed, rows_below


def metric(name: str, difference: float | None, p: float | None) -> dict[str, Any]:
    low, high = (None, None) if p is None or difference is None else (difference - 0.1, difference + 0.1)
    values = {"a": 0.5, "b": None if difference is None else 0.5 + difference, "difference": difference}
    return {"metric": name, **values, "low": low, "high": high, "p": p, "smallest_difference": 0.2}


def report(**more: Any) -> dict[str, Any]:
    metrics = [metric(name, -0.25, 0.0001) for name in ("AP", "precision", "recall")]
    rare = [metric(name, -0.5, None) for name in ("AP", "precision", "recall")]
    side = {"target": "run", "predictions": 7}
    small = {"name": "small", "fixed": 3, "broken": 5}
    tally = {"total": {"fixed": 3, "broken": 5}, "by_size": [small], "by_slice": [{**small, "name": "fog"}]}
    return {
        "a": {"model": "old", **side},
        "b": {"model": "[new]", **side},
        "iou": 0.5,
        "confidence": 0.5,
        "resamples": 1000,
        "cluster": None,
        "units": 96,
        "metrics": [*metrics, metric("f1", None, None)],
        "categories": [{"name": "cat", "metrics": metrics}, {"name": "rare", "metrics": rare}],
        "slices": [],
        "changes": {
            kind: {**tally, "by_category": [{"name": "cat", "fixed": 3, "broken": 5}]}
            for kind in ("labels", "detections")
        },
        "regressed_images": [],
        "notes": ["something"],
        **more,
    }


def test_numbers() -> None:
    lines = [line.split() for line in printed(show_comparison, report()).splitlines()]
    assert ["A", "old", "(run),", "B", "[new]", "(run)"] in lines
    assert ["AP", "0.5000", "0.2500", "-0.2500", "-0.3500", "…", "-0.1500", "<", ".001", "0.2000"] in lines
    assert ["f1", "0.5000", "–", "–", "–", "–", "0.2000"] in lines
    names = [line[0] for line in lines if line and line[0] in ("cat", "rare")]
    assert names[:2] == ["rare", "cat"]
    assert ["small", "3", "5"] in lines
    assert ["note:", "something"] in lines


def test_regressed_images_and_clusters() -> None:
    row = {"id": 7, "file_name": None, "errors_a": 1, "errors_b": 4, "broken": 1, "fixed": 0, "new_false_positives": 2}
    text = printed(show_comparison, report(regressed_images=[row], cluster="video_id"))
    assert ["7", "1", "4", "1", "0", "2"] in [line.split() for line in text.splitlines()]
    assert "96 clusters of video_id" in text


def test_slices() -> None:
    metrics = [{**metric(name, -0.25, 0.0001), "p_corrected": 0.0005} for name in ("AP", "precision", "recall")]
    text = printed(show_comparison, report(slices=[{"name": "fog", "images": 20, "metrics": metrics}]))
    lines = [line.split() for line in text.splitlines()]
    assert ["fog", "20", *["-0.2500", "±", "0.1000"] * 3, "<", ".001", "<", ".001"] in lines
    assert ["fog", "3", "5"] in lines
    assert "slice: B" not in printed(show_comparison, report())


def test_the_most_changed_categories_stand_first() -> None:
    total = {"still_found": 9, "fixed": 1, "broken": 1, "still_missed": 9}
    rows = [{"name": f"c{place:02}", **total, "broken": place} for place in range(22)]
    counts = {"total": total, "by_size": [], "by_category": rows, "by_slice": []}
    text = printed(show_comparison, report(changes={"labels": counts}))
    assert [row[0] for row in rows_below(text, "labels ")][:3] == ["all", "c21", "c20"]
    assert "… and 2 more categories" in text


def test_of_many_categories_those_that_differ_most_are_shown_and_unlabelled_ones_last() -> None:
    def category(name: str, difference: float | None) -> dict[str, Any]:
        return {"name": name, "metrics": [metric(one, difference, None) for one in ("AP", "precision", "recall")]}

    rows = [category(f"c{place:02}", None if place < 30 else (place - 40) / 100) for place in range(60)]
    text = printed(show_comparison, report(categories=rows))
    told = [row[0] for row in rows_below(text, "category: ")]
    assert told == [f"c{place}" for place in (*range(30, 36), *range(46, 60))]
    assert "… and 40 more categories, which differ less" in text
    few = printed(show_comparison, report(categories=rows[28:32]))
    assert [row[0] for row in rows_below(few, "category: ")] == ["c30", "c31", "c28", "c29"]
