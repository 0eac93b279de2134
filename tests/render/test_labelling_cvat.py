"""Against CVAT's documented XML format 1.1 "for images" and the manifest of its connected storage."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from qm_cli.errors import InputError
from qm_cli.render.labelling_cvat import as_cvat, as_cvat_manifest
from tests.render.chosen_images import chosen


def test_xml() -> None:
    root = ElementTree.fromstring(as_cvat(chosen()).encode())
    assert root.tag == "annotations"
    assert root.findtext("version") == "1.1"
    assert [label.findtext("name") for label in root.iterfind("meta/task/labels/label")] == ["cat", "dog <&>"]
    assert root.findtext("meta/task/size") == "2"
    first, second = root.findall("image")
    assert first.attrib == {"id": "0", "name": "a/ü 1.jpg", "width": "100", "height": "50"}
    assert second.attrib["id"] == "1"
    box, tag = list(first)
    corners = {"xtl": "10.00", "ytl": "0.00", "xbr": "50.00", "ybr": "20.00"}
    assert box.attrib == {"label": "cat", "source": "auto", "occluded": "0", "z_order": "0", **corners}
    assert (tag.tag, tag.attrib) == ("tag", {"label": "dog <&>", "source": "auto"})
    assert len(second) == 0


def test_manifest() -> None:
    lines = [json.loads(line) for line in as_cvat_manifest(chosen()).splitlines()]
    assert lines[:2] == [{"version": "1.1"}, {"type": "images"}]
    facts = {"width": 100, "height": 50, "meta": {"related_images": []}}
    assert lines[2] == {"name": "a/ü 1", "extension": ".jpg", **facts}
    assert len(lines) == 4


def test_no_size() -> None:
    batch = chosen()
    batch["images"][1]["width"] = None
    for write in (as_cvat, as_cvat_manifest):
        with pytest.raises(InputError, match=r"b\.png: its size is not known"):
            write(batch)
