"""Chosen images → CVAT: annotations "for images 1.1" with the predictions, and the manifest of a task's files."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from qm_cli.errors import InputError


def as_cvat(chosen: dict[str, Any]) -> str:
    """XML as CVAT uploads it to a task that holds these images: boxes, and tags for classes of a whole image."""
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    task = SubElement(SubElement(root, "meta"), "task")
    SubElement(task, "size").text = str(len(chosen["images"]))
    SubElement(task, "mode").text = "annotation"
    labels = SubElement(task, "labels")
    for category in chosen["categories"]:
        label = SubElement(labels, "label")
        SubElement(label, "name").text = category["name"]
        SubElement(label, "attributes")
    for place, image in enumerate(chosen["images"]):
        width, height = _size(image)
        facts = {"id": str(place), "name": image["file_name"], "width": str(width), "height": str(height)}
        node = SubElement(root, "image", facts)
        for one in image["predictions"]:
            name = {"label": one["category"]["name"], "source": "auto"}
            if one["bbox"] is None:
                SubElement(node, "tag", name)
                continue
            x, y, w, h = one["bbox"]
            corners = (("xtl", x, width), ("ytl", y, height), ("xbr", x + w, width), ("ybr", y + h, height))
            box = {key: f"{min(max(value, 0.0), most):.2f}" for key, value, most in corners}
            SubElement(node, "box", {**name, "occluded": "0", **box, "z_order": "0"})
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, "unicode") + "\n"


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
