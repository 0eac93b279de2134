"""What is asked for is added to the report, under its name, and told where it is undefined."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli.analyses import ANALYSES, EVERYTHING, analysed_report, refuse_undefined
from qm_cli.errors import UsageError
from qm_cli.report import report_of
from qm_cli.settings import CONVENTIONS, Settings, settings_at
from tests import builders
from tests.conventions.comparing import loaded
from tests.oracles.error_sets import detection_set
from tests.oracles.random_sets import random_set


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_report_holds_what_is_asked_for_alone(name: str) -> None:
    tables = builders.tables(*detection_set(3))
    plain, with_one = report_of(tables, Settings()), analysed_report(tables, Settings(), [name])
    assert with_one.keys() - plain.keys() == {name}
    assert {key: with_one[key] for key in plain} == plain


def test_everything_is_there_in_the_order_of_the_table() -> None:
    found = analysed_report(builders.tables(*detection_set(3)), Settings(), reversed(EVERYTHING))
    assert [key for key in found if key in ANALYSES] == list(ANALYSES)
    assert list(found)[-2:] == ["findings", "notes"]


def test_kinds_and_counts_speak_of_the_same_predictions() -> None:
    found = analysed_report(builders.tables(*detection_set(3)), Settings(confidence=0.0), ["errors"])
    reasons = found["errors"]["false_positive_reasons"]
    assert sum(row["count"] for row in reasons) == found["metrics"]["false_positives"]
    for place, total in enumerate(found["errors"]["kinds"]):
        assert total["count"] == sum(row["kinds"][place]["count"] for row in found["errors"]["categories"])


def test_error_kinds_are_undefined_where_background_reaches_the_iou() -> None:
    found = analysed_report(builders.tables(*detection_set(3)), Settings(iou=0.1), EVERYTHING)
    assert found["errors"] is None
    assert any("error kinds are undefined at IoU 0.1" in note for note in found["notes"])


def test_what_a_convention_does_not_define_is_left_out_and_told() -> None:
    voc = Settings(convention="voc12")
    found = analysed_report(builders.tables(*detection_set(3)), voc, EVERYTHING)
    assert found.keys() & ANALYSES.keys() == {"calibration"}
    assert "left out: errors, lrp, not defined under convention voc12" in found["notes"]
    refuse_undefined(["calibration"], voc)
    refuse_undefined(EVERYTHING, Settings())
    with pytest.raises(UsageError, match="--errors, --lrp: not defined under convention voc12"):
        refuse_undefined(["errors", "calibration", "lrp"], voc)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_calibration_is_of_every_prediction_that_counts(convention: str) -> None:
    files = random_set(7, images=8)
    found = analysed_report(loaded(*files, convention), settings_at(convention), ["calibration"])
    lowest = analysed_report(loaded(*files, convention), settings_at(convention, confidence=-1.0), [])
    counts = [lowest["metrics"][name] for name in ("true_positives", "false_positives")]
    assert found["calibration"]["predictions"] == sum(counts)
    right = sum(row["accuracy"] * row["count"] for row in found["calibration"]["bins"] if row["count"])
    assert right == pytest.approx(counts[0])


@pytest.mark.parametrize("convention", ["encord", "lvis"])
def test_optimal_lrp_is_the_least_of_all_confidences(convention: str) -> None:
    tables = loaded(*random_set(5, images=8), convention)
    found = analysed_report(tables, settings_at(convention), ["lrp"])["lrp"]["categories"]
    least = {row["id"]: 1.0 for row in found}
    for score in np.unique(tables.values("prediction", "score")):
        for row in report_of(tables, settings_at(convention, confidence=float(score)))["categories"]:
            true, wrong = row["true_positives"], row["false_positives"] + row["false_negatives"]
            if row["labels"] and true + wrong:
                off = 2 * true * (1 - row["mean_iou"]) if true else 0
                least[row["id"]] = min(least[row["id"]], (off + wrong) / (true + wrong))
    told = {row["id"]: row["oLRP"] for row in found if row["oLRP"] is not None}
    assert told == {one: pytest.approx(least[one], abs=1e-12) for one in told}
    assert told
