"""What is asked for is added to the report, under its name, and told where it is undefined."""

from __future__ import annotations

import pytest

from qm_cli.analyses import ANALYSES, EVERYTHING, analysed_report, refuse_undefined
from qm_cli.errors import UsageError
from qm_cli.report import report_of
from qm_cli.settings import Settings
from tests import builders
from tests.oracles.error_sets import detection_set


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


def test_a_convention_without_coco_matches_has_none_and_says_so() -> None:
    voc = Settings(convention="voc12")
    found = analysed_report(builders.tables(*detection_set(3)), voc, EVERYTHING)
    assert not found.keys() & ANALYSES.keys()
    assert "left out: errors, calibration, lrp, not defined under convention voc12" in found["notes"]
    refuse_undefined([], voc)
    refuse_undefined(EVERYTHING, Settings())
    with pytest.raises(UsageError, match="--errors, --lrp: not defined under convention voc12"):
        refuse_undefined(["errors", "lrp"], voc)
