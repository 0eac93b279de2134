"""JUnit XML that parses, whatever the categories are called."""

from __future__ import annotations

from xml.etree import ElementTree

from qm_cli.render.junit import as_junit
from tests.made_run import lost, report
from tests.made_verdict import verdict


def test_one_case_per_check() -> None:
    found = verdict("precision=0.5", "recall=0.9", "APs=0.1", findings=(lost(),))
    suite = ElementTree.fromstring(as_junit(found))[0]
    assert suite.attrib == {"name": "qm gate", "tests": "4", "failures": "3", "errors": "0", "skipped": "0"}
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases][:3] == ["precision ≥ 0.5", "recall ≥ 0.9", "APs ≥ 0.1"]
    assert [len(case.findall("failure")) for case in cases] == [0, 1, 1, 1]
    failure = cases[1].find("failure")
    assert failure is not None
    assert failure.attrib == {"message": "recall is 0.5, 0.4 below the floor of 0.9", "type": "recall"}
    assert failure.text == "value 0.5, limit 0.9, margin -0.4, support 12"


def test_inconclusive_is_an_error_with_its_interval() -> None:
    suite = ElementTree.fromstring(as_junit(verdict("precision=0.7", sure=True)))[0]
    assert (suite.get("errors"), suite.get("failures")) == ("1", "0")
    error = suite.find("testcase/error")
    assert error is not None
    assert error.get("type") == "inconclusive"
    assert "low 0.65, high 0.82" in (error.text or "")


def test_allowed_undefined_is_skipped_and_control_characters_go() -> None:
    odd = report()
    odd["categories"][1]["name"] = "do\x00g <&\x1b>"
    found = verdict("recall@do\x00g <&\x1b>=0.5", skip=True, categories=odd["categories"])
    suite = ElementTree.fromstring(as_junit(found))[0]
    assert suite.get("skipped") == "1"
    assert suite[1].get("name") == "recall@do\ufffdg <&\ufffd> ≥ 0.5"
