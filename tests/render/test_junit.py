"""JUnit XML that parses, whatever the categories are called."""

from __future__ import annotations

from xml.etree import ElementTree

from qm_cli.analysis.gating import gated, parsed
from qm_cli.render.junit import as_junit
from tests.made_run import lost, report


def test_one_case_per_check() -> None:
    bounds = [parsed("min", text) for text in ("precision=0.5", "recall=0.9", "APs=0.1")]
    verdict = gated(report(), bounds, [lost()])
    suite = ElementTree.fromstring(as_junit({"target": "run", "model": None, **verdict}))[0]
    assert suite.attrib == {"name": "qm gate", "tests": "4", "failures": "3", "errors": "0", "skipped": "0"}
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases][:3] == ["precision ≥ 0.5", "recall ≥ 0.9", "APs ≥ 0.1"]
    assert [len(case.findall("failure")) for case in cases] == [0, 1, 1, 1]
    failure = cases[1].find("failure")
    assert failure is not None
    assert failure.attrib == {"message": "recall is 0.5, 0.4 below the floor of 0.9", "type": "recall"}
    assert failure.text == "value 0.5, limit 0.9, margin -0.4"


def test_allowed_undefined_is_skipped_and_control_characters_go() -> None:
    odd = report()
    odd["categories"][1]["name"] = "do\x00g <&\x1b>"
    verdict = gated(odd, [parsed("min", "recall@do\x00g <&\x1b>=0.5")], [], allow_undefined=True)
    suite = ElementTree.fromstring(as_junit(verdict))[0]
    assert suite.get("skipped") == "1"
    assert suite[1].get("name") == "recall@do\ufffdg <&\ufffd> ≥ 0.5"
