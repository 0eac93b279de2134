"""The queue on the screen is that of the JSON."""

from __future__ import annotations

from typing import Any

from qm_cli.render.terminal_review import show_review
from tests.render.screens import printed, rows_below, unwrapped

ROW: dict[str, Any] = {
    "id": "overlooked:3",
    "suspicion": 0.9,
    "issue": True,
    "image_id": 7,
    "file_name": None,
    "category": None,
    "action": "add label",
    "suggested_category": "cat",
    "suggested_bbox": [1.0, 2.5, 3.0, 4.0],
    "score": 0.96,
    "delta_AP": None,
}
REPORT: dict[str, Any] = {
    "model": "better",
    "AP": 0.5,
    "found": 3,
    "issues": 2,
    "reasons": {"overlooked": 3},
    "queue": [
        ROW,
        {
            **ROW,
            "id": "labelled-twice:4",
            "action": "remove label",
            "category": "dog",
            "suggested_bbox": None,
            "score": None,
        },
    ],
    "notes": ["how it is estimated"],
}


def test_queue() -> None:
    text = printed(show_review, REPORT)
    assert text.startswith("better: 3 to review (3 overlooked), 2 of them issues")
    first, second = rows_below(text, "id ")
    assert first == ["overlooked:3", "0.9000", "yes", "7", "add cat [1, 2, 3, 4]", "0.9600", "–"]
    assert second[4] == "remove dog"
    assert "… and 1 more" in text
    assert "how it is estimated" in text


def test_classes() -> None:
    row = {**ROW, "id": "confident-learning:3", "category": "dog", "action": "change category", "suggested_bbox": None}
    row = {**row, "delta_accuracy": 0.01}
    report = {**REPORT, "accuracy": 0.9, "reasons": {"confident learning": 3}, "queue": [row]}
    (only,) = rows_below(printed(show_review, report), "id ")
    assert only[4:] == ["dog → cat", "0.9600", "+0.010000"]


def test_what_was_written() -> None:
    done = {"accepted": 2, "left_out": 0, "competing": 0, "file": "patched.json", "AP": 0.5125}
    text = printed(show_review, {**REPORT, "patch": done})
    assert "2 of 3 suggestions accepted: the labels are in patched.json" in text
    assert "AP 0.5000 → 0.5125 with these labels" in text
    assert "left out" not in text


def test_what_was_left_out() -> None:
    done = {"accepted": 2, "left_out": 1, "competing": 2, "file": "patched.json", "AP": None}
    text = printed(show_review, {**REPORT, "patch": done})
    assert "1 left out, since they would lower AP: --allow-loss accepts them too" in text
    assert "2 left out, since another that adds more takes the same label or prediction" in unwrapped(text)
    assert "→" not in text.partition("accepted")[2]


def test_nothing_to_review() -> None:
    text = printed(show_review, {**REPORT, "found": 0, "queue": []})
    assert "suspicion" not in text
