"""Against CVAT's documented XML format 1.1 "for images" and the manifest of its connected storage.

What datumaro reads of every kind of shape is held in tests/oracles/test_importers.py.
"""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from qm_cli.errors import InputError
from qm_cli.render.labelling_cvat import as_cvat, as_cvat_manifest
from tests.render.chosen_images import chosen


def test_xml() -> None:
    root = ElementTree.fromstring("".join(as_cvat(chosen())))
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
    assert [one.text for one in box] == ["0.8"]
    assert root.findtext("meta/task/labels/label/attributes/attribute/name") == "score"
    assert len(second) == 0


def test_a_mask_is_written_inside_its_window() -> None:
    batch = chosen()
    mask = np.array([[True, False, True], [True, True, True]])
    place = {"window": (10, 4, 3, 2), "whole": (50, 100), "bbox": [10.0, 4.0, 3.0, 2.0]}
    batch["images"][0]["predictions"][0]["shapes"] = [{"kind": "mask", "mask": mask, **place}]
    node = ElementTree.fromstring("".join(as_cvat(batch))).find("image/mask")
    assert node is not None
    window = {name: node.attrib[name] for name in ("left", "top", "width", "height")}
    assert window == {"left": "10", "top": "4", "width": "3", "height": "2"}
    assert node.attrib["rle"] == "0, 1, 1, 4"


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
            list(write(batch))
