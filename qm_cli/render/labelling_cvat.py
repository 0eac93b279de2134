"""Chosen images → CVAT: annotations "for images 1.1" with the predictions, and the manifest of a task's files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from qm_cli.errors import InputError
from qm_cli.kernels.mask_codes import row_runs

SCORE = {"name": "score", "mutable": "False", "input_type": "text", "default_value": "", "values": ""}
POINTS = {"polygon": "polygon", "line": "polyline", "keypoints": "points", "point": "points"}
"""Kinds of shapes that are lists of points, and what CVAT calls them."""


def as_cvat(chosen: dict[str, Any]) -> Iterator[str]:
    """XML as CVAT uploads it to a task that holds these images, a piece for each; coordinates to .01 px as CVAT's own.

    Boxes, boxes with a rotation, masks, polylines; keypoints as one shape of points in their order; tags for classes
    of a whole image. Each has an attribute `score`, which CVAT keeps where the task's labels have one of that name.
    """
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    task = SubElement(SubElement(root, "meta"), "task")
    SubElement(task, "size").text = str(len(chosen["images"]))
    SubElement(task, "mode").text = "annotation"
    labels = SubElement(task, "labels")
    for category in chosen["categories"]:
        label = SubElement(labels, "label")
        SubElement(label, "name").text = category["name"]
        attribute = SubElement(SubElement(label, "attributes"), "attribute")
        for name, value in SCORE.items():
            SubElement(attribute, name).text = value
    indent(root)
    before, end = tostring(root, "unicode").rsplit("\n", 1)
    yield '<?xml version="1.0" encoding="utf-8"?>\n' + before + "\n"
    for place, image in enumerate(chosen["images"]):
        width, height = _size(image)
        facts = {"id": str(place), "name": image["file_name"], "width": str(width), "height": str(height)}
        node = Element("image", facts)
        for one in image["predictions"]:
            for shape in one["shapes"]:
                tag, place_of = _placed(shape)
                drawn = {} if tag == "tag" else {"occluded": "0", "z_order": "0"}
                named = {"label": one["category"]["name"], "source": "auto"}
                child = SubElement(node, tag, {**named, **drawn, **place_of})
                SubElement(child, "attribute", {"name": "score"}).text = f"{one['score']:g}"
        indent(node, level=1)
        yield f"  {tostring(node, 'unicode')}\n"
    yield end + "\n"


def _placed(shape: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The element of a shape, and the attributes that say where it is."""
    kind = shape["kind"]
    if kind == "whole":
        return "tag", {}
    if kind == "mask":
        window = dict(zip(("left", "top", "width", "height"), map(str, shape["window"]), strict=True))
        return "mask", {"rle": ", ".join(map(str, row_runs(shape["mask"]).tolist())), **window}
    if kind in POINTS:
        return POINTS[kind], {"points": ";".join(f"{x:.2f},{y:.2f}" for x, y in shape["points"])}
    turned = {"rotation": f"{shape['angle']:.2f}"} if kind == "rotated" else {}
    x, y, width, height = shape["bbox"]
    if kind == "rotated":
        width, height = shape["size"]
        x, y = shape["center"][0] - width / 2, shape["center"][1] - height / 2
    corners = {"xtl": x, "ytl": y, "xbr": x + width, "ybr": y + height}
    return "box", {**{name: f"{value:.2f}" for name, value in corners.items()}, **turned}


def as_cvat_manifest(chosen: dict[str, Any]) -> str:
    """manifest.jsonl of a task whose images lie in connected storage, in the order they are to be labelled."""
    lines: list[dict[str, Any]] = [{"version": "1.1"}, {"type": "images"}]
    for image in chosen["images"]:
        width, height = _size(image)
        path = PurePosixPath(image["file_name"])
        name = {"name": str(path.with_suffix("")), "extension": path.suffix}
        lines.append({**name, "width": width, "height": height, "meta": {"related_images": []}})
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


def _size(image: dict[str, Any]) -> tuple[int, int]:
    width, height = image.get("width"), image.get("height")
    if width is None or height is None:
        raise InputError(f"{image['file_name']}: its size is not known, CVAT asks for it", "score with the image files")
    return int(width), int(height)
