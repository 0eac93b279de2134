"""The error kinds as data: shape, and undefined as None; the numbers are those of error_kinds and error_impact."""

from __future__ import annotations

from qm_cli.analyses import analysed_report
from qm_cli.settings import Settings
from tests import builders
from tests.boxes import document, label, prediction


def test_errors_of_a_small_set() -> None:
    labels = [label(1, 1, 1, [0, 0, 10, 10]), label(2, 1, 1, [50, 50, 10, 10])]
    predictions = [prediction(1, 1, [0, 0, 10, 10], 0.9), prediction(1, 1, [0, 0, 10, 3], 0.8)]
    errors = analysed_report(builders.tables(document(labels), predictions), Settings(), ["errors"])["errors"]
    assert {row["kind"]: row["count"] for row in errors["kinds"]} == {
        "classification": 0,
        "localisation": 1,
        "both": 0,
        "duplicate": 0,
        "background": 0,
        "missed": 1,
    }
    cat, dog = errors["categories"]
    assert cat["AP"] == errors["AP"] == 51 / 101
    assert dog["AP"] is None
    assert {row["delta_AP"] for row in dog["kinds"]} == {None}
    assert (errors["iou"], errors["background_iou"], errors["max_detections"]) == (0.5, 0.1, 100)


def test_nothing_is_undefined_not_zero() -> None:
    errors = analysed_report(builders.tables(document([]), []), Settings(), ["errors"])["errors"]
    assert errors["AP"] is None
    assert {row["delta_AP"] for row in errors["kinds"]} == {None}
