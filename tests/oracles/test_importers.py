"""Import files are read by the tools they are for as they are meant: names, categories, scores, places to the pixel.

What datumaro, label-studio-sdk, labelbox and pycocotools read is recorded beside the digest of the file they read.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.oracles.importer_sets import FORMATS, KINDS, case, identity, meant, written
from tests.oracles.record_importers import PACKAGES, PLACE, recorded

RECORDED = json.loads(PLACE.read_text())
CASES = [(kind, format) for kind in KINDS for format in FORMATS]
TOLERANCE = {"cvat": 0.016}
"""CVAT's coordinates are written to .01 px, and datumaro rounds what it reads once more."""


def same(found: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, list):
        return len(found) == len(expected) and all(same(a, b, tolerance) for a, b in zip(found, expected, strict=True))
    if isinstance(expected, dict):
        return set(found) == set(expected) and all(same(found[key], expected[key], tolerance) for key in expected)
    if isinstance(expected, float):
        return bool(abs(found - expected) <= tolerance)
    return bool(found == expected)


@pytest.mark.parametrize(("kind", "format"), CASES)
def test_tools_read_what_is_meant(kind: str, format: str) -> None:
    batch = case(kind)
    text = written(batch, format)
    assert identity(text) == RECORDED[kind][format]["file"], "other than what was read: record it again"
    found, expected = RECORDED[kind][format]["read"], meant(batch, format)
    assert [image["name"] for image in found] == [image["name"] for image in expected]
    for image, other in zip(found, expected, strict=True):
        assert same(image, other, TOLERANCE.get(format, 1e-9)), (image, other)


@pytest.mark.parametrize(("kind", "format"), CASES)
def test_tools_read_it_still(kind: str, format: str) -> None:
    for package in PACKAGES[format]:
        pytest.importorskip(package)
    assert same(recorded(kind, format), RECORDED[kind][format], 1e-9)


def test_every_shape_is_there() -> None:
    """None of the sets is read as nothing."""
    assert all(any(image["objects"] for image in RECORDED[kind]["cvat"]["read"]) for kind in KINDS)
