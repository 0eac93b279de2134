"""A gate's verdict → JUnit XML, which every CI shows: one test case per check."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
PROPERTIES = ("target", "model", "baseline", "task", "convention", "iou", "confidence", "images", "resamples", "seed")
NUMBERS = ("value", "limit", "margin")
MORE_NUMBERS = ("low", "high", "baseline", "smallest_difference", "p", "support")


def as_junit(verdict: dict[str, Any]) -> str:
    """Failed checks are failures with their reason, inconclusive ones errors; undefined ones that are allowed count
    as skipped."""
    checks = verdict["checks"]
    counts = {
        "name": "qm gate",
        "tests": str(len(checks)),
        "failures": str(verdict["failed"]),
        "errors": str(verdict["inconclusive"]),
        "skipped": str(verdict["skipped"]),
    }
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", counts)
    properties = ElementTree.SubElement(suite, "properties")
    for name in PROPERTIES:
        if verdict.get(name) is not None:
            ElementTree.SubElement(properties, "property", name=name, value=_text(str(verdict[name])))
    for check in checks:
        _case(suite, check)
    if verdict["notes"]:
        ElementTree.SubElement(suite, "system-out").text = _text("\n".join(verdict["notes"]))
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, check: dict[str, Any]) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname="qm.gate", name=_text(check["check"]), time="0")
    reason = _text(check["reason"])
    if check["verdict"] == "skip":
        ElementTree.SubElement(case, "skipped", message=reason)
    elif check["verdict"] != "pass":
        failed = check["verdict"] == "fail"
        kind = "undefined" if check["margin"] is None else check["metric"] if failed else "inconclusive"
        told = ElementTree.SubElement(case, "failure" if failed else "error", message=reason, type=_text(kind))
        told.text = _numbers(check)


def _numbers(check: dict[str, Any]) -> str:
    more = [name for name in MORE_NUMBERS if check[name] is not None]
    return ", ".join(f"{name} {_number(check[name])}" for name in (*NUMBERS, *more))


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.6g}"


def _text(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return NOT_IN_XML.sub("\ufffd", text)
