"""A gate's verdict → JUnit XML, which every CI shows: one test case per check."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(verdict: dict[str, Any]) -> str:
    """Failed checks are failures with their reason; undefined ones that are allowed count as skipped."""
    checks = verdict["checks"]
    counts = {
        "name": "qm gate",
        "tests": str(len(checks)),
        "failures": str(verdict["failed"]),
        "errors": "0",
        "skipped": str(sum(_skipped(check) for check in checks)),
    }
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", counts)
    properties = ElementTree.SubElement(suite, "properties")
    for name in ("target", "model", "task", "convention", "iou", "confidence", "images"):
        if verdict.get(name) is not None:
            ElementTree.SubElement(properties, "property", name=name, value=_text(str(verdict[name])))
    for check in checks:
        _case(suite, check)
    if verdict["notes"]:
        ElementTree.SubElement(suite, "system-out").text = _text("\n".join(verdict["notes"]))
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _skipped(check: dict[str, Any]) -> bool:
    return bool(check["passed"] and check["value"] is None)


def _case(suite: ElementTree.Element, check: dict[str, Any]) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname="qm.gate", name=_text(check["check"]), time="0")
    if not check["passed"]:
        kind = "undefined" if check["value"] is None else check["metric"]
        failure = ElementTree.SubElement(case, "failure", message=_text(check["reason"]), type=_text(kind))
        failure.text = ", ".join(f"{name} {_number(check[name])}" for name in ("value", "limit", "margin"))
    elif _skipped(check):
        ElementTree.SubElement(case, "skipped", message=_text(check["reason"]))


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.6g}"


def _text(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return NOT_IN_XML.sub("\ufffd", text)
