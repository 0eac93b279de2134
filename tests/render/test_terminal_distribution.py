"""Distributions and outliers on the terminal."""

from __future__ import annotations

from typing import Any

import numpy as np

from qm_cli.analysis.distribution import distributions
from qm_cli.analysis.samples import Measure
from qm_cli.render.terminal_distribution import GROUPS_SHOWN, show_distributions, show_outliers, sparkline
from tests.render.screens import printed, rows_below

MEASURES = [
    Measure("image", "area", np.array([0.0, 1500, 3000, np.nan]), unit="px²"),
    Measure("image", "weather", np.array([0.0, 1, 1, 1]), names=("fog", "sun")),
]


def described(by: str | None, groups: dict[str, Any]) -> dict[str, Any]:
    sizes = [{"group": name, "rows": len(rows)} for name, rows in groups.items()]
    return {
        "rows": 4,
        "level": "image",
        "by": by,
        "groups": sizes,
        "metrics": distributions(MEASURES, groups),
        "notes": [],
    }


def test_one_line_a_metric() -> None:
    text = printed(show_distributions, described(None, {"all": np.arange(4)}))
    [area] = rows_below(text, "metric +unit +min")
    assert area[:7] == ["area", "px²", "0", "1,500", "1,500", "3,000", "1"]
    assert rows_below(text, "metric +values") == [["weather", "sun 3, fog 1", "–"]]


def test_one_line_a_group() -> None:
    text = printed(show_distributions, described("split", {"a": np.arange(2), "b": np.arange(2, 4)}))
    rows = rows_below(text, "metric +split +min")
    assert [rows[0][:2], rows[1][:2]] == [["area", "a"], ["px²", "b"]]


def test_many_groups_are_cut() -> None:
    groups = {str(place): np.arange(4) for place in range(GROUPS_SHOWN + 2)}
    assert "… and 2 more groups" in printed(show_distributions, described("k", groups))


def test_sparklines_keep_their_width() -> None:
    assert len(sparkline([3, 0, 0])) == len(sparkline([3, 0, 0]).rstrip()) == 3
    assert sparkline([]) == ""
    assert len(set(sparkline([0, 0]))) == 1


def part(**facts: Any) -> dict[str, Any]:
    return {"group": "all", "moderate_low": None, "moderate_high": 0.5, "reason": None, **facts}


def test_outliers() -> None:
    sample = {"id": 7, "value": 0.9, "degree": "severe"}
    metrics = [
        {"metric": "image.blur", "unit": "share", "moderate": 1, "severe": 2, "groups": [part()], "samples": [sample]},
        {"metric": "image.fine", "unit": "", "moderate": 0, "severe": 0, "groups": [part()], "samples": []},
        {
            "metric": "image.few",
            "unit": "",
            "moderate": None,
            "severe": None,
            "groups": [part(reason="why")],
            "samples": [],
        },
    ]
    odd = [{"id": 7, "metrics": ["image.blur", "image.dark", "image.a", "image.b", "image.c"], "severe": 1}]
    report = {"rows": 9, "level": "image", "by": None, "metrics": metrics, "in_many": 1, "samples": odd, "notes": []}
    text = printed(show_outliers, report)
    assert rows_below(text, "metric +unit +usual") == [["blur", "share", "–", "0.5", "2", "1", "7=0.9"]]
    assert "1 metric without outliers" in text
    assert rows_below(text, "metric +undefined") == [["few", "why"]]
    assert rows_below(text, "id ") == [["7", "5", "1", "blur, dark, a, b, … 1 more"]]
