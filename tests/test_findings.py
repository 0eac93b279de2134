"""Findings are data with a stable code."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from qm_cli.findings import CODES, Finding, finding, flagged


def test_every_code_says_what_it_means() -> None:
    for code, rule in CODES.items():
        assert rule.severity in ("error", "warning", "info"), code
        assert rule.meaning, code
        assert rule.hint, code


def test_finding_keeps_the_count_and_the_first_examples() -> None:
    [found] = finding("label-zero-area", range(12))
    assert (found.count, found.examples) == (12, ("0", "1", "2", "3", "4"))
    assert finding("label-zero-area", []) == []


def test_flagged() -> None:
    names = pa.array(["a", None, "c"])
    assert flagged("label-zero-area", names, np.array([False, True, True])) == [
        Finding("label-zero-area", 2, ("None", "c"))
    ]
    assert flagged("label-zero-area", names, np.zeros(3, bool)) == []


def test_as_dict_and_sentence() -> None:
    one = Finding("label-unknown-image", 3, ("7", "8"), "why")
    assert json.loads(json.dumps(one.as_dict())) == {
        "code": "label-unknown-image",
        "count": 3,
        "examples": ["7", "8"],
        "detail": "why",
        "severity": "error",
        "meaning": "annotation of an image that is not listed",
        "hint": "add the image or remove it",
        "dropped": True,
    }
    assert one.sentence() == (
        "label-unknown-image: 3 × annotation of an image that is not listed, left out (first: 7, 8); why"
    )
