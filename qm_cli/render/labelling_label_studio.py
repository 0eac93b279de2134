"""Chosen images → Label Studio tasks, the model's predictions as pre-annotations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qm_cli.kernels.mask_codes import brush_bytes, in_place

IMAGE_TAG = "image"
CONTROLS = {
    "whole": ("class", "choices"),
    "box": ("label", "rectanglelabels"),
    "keypoints": ("label", "rectanglelabels"),
    "rotated": ("label", "rectanglelabels"),
    "mask": ("mask", "brushlabels"),
    "polygon": ("polygon", "polygonlabels"),
    "line": ("line", "vectorlabels"),
    "point": ("point", "keypointlabels"),
}
"""Kind of shape → name and type of the control that draws it."""
DOT = 0.5
"""Size of a point, in percent of the image's width."""


def as_label_studio(chosen: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Tasks in the basic JSON format, in the order they are to be labelled.

    For a labelling configuration with <Image name="image" value="$image"/> and, toName="image", what the task draws:
    <RectangleLabels name="label"/>, <BrushLabels name="mask"/>, <PolygonLabels name="polygon"/>, <VectorLabels
    name="line"/>, <KeyPointLabels name="point"/> or, for classes of whole images, <Choices name="class"/>, where
    they answer named questions a <Choices/> for each of that name. Keypoints of an object, which it has no shape for,
    are its box.
    """
    for image in chosen["images"]:
        named = {"file_name": image["file_name"]} if image.get("file_name") else {}
        data = {"image": image["url"], "id": image["id"], **named}
        results = [
            _result(one, shape, image, number)
            for one in image["predictions"]
            for number, shape in enumerate(one["shapes"])
            if (_answers(one) if shape["kind"] == "whole" else _known(image))
        ]
        task: dict[str, Any] = {"data": data}
        if results:
            score = min(one["score"] for one in results)
            task["predictions"] = [{"model_version": chosen["model"], "score": score, "result": results}]
        yield task


def _answers(one: dict[str, Any]) -> list[dict[str, Any]]:
    """What a class stands for: itself; the first of a checklist all its answers, and the others none."""
    answers: list[dict[str, Any]] = one["answers"] if one.get("several") else [one]
    return answers


def _known(image: dict[str, Any]) -> bool:
    """Shapes are written in percent of the image, so its size must be known."""
    return bool(image.get("width") and image.get("height"))


def _result(one: dict[str, Any], shape: dict[str, Any], image: dict[str, Any], number: int) -> dict[str, Any]:
    control, type = CONTROLS[shape["kind"]]
    part = f"-{number}" if number else ""
    facts = {"id": f"{image['id']}-{one['id']}{part}", "from_name": control, "to_name": IMAGE_TAG, "type": type}
    if shape["kind"] == "whole":
        facts["from_name"] = one.get("question") or control
        answers = _answers(one)
        score = min(each["score"] for each in answers)
        return {**facts, "score": score, "value": {type: [each["category"]["name"] for each in answers]}}
    named = {type: [one["category"]["name"]]}
    width, height = float(image["width"]), float(image["height"])
    known = {"score": one["score"], "image_rotation": 0, "original_width": int(width), "original_height": int(height)}
    return {**facts, **known, "value": {**_value(shape, width, height), **named}}


def _value(shape: dict[str, Any], width: float, height: float) -> dict[str, Any]:
    """Where a shape is, in percent of the image's sides; a box turns about its first corner."""
    kind = shape["kind"]
    if kind == "mask":
        return {"format": "rle", "rle": brush_bytes(in_place(shape["mask"], shape["window"], shape["whole"])).tolist()}
    if kind in ("polygon", "line", "point"):
        points = [[100 * x / width, 100 * y / height] for x, y in shape["points"]]
        if kind == "polygon":
            return {"points": points, "closed": True}
        if kind == "point":
            return {"x": points[0][0], "y": points[0][1], "width": DOT}
        names = [None, *(str(place) for place in range(len(points)))]
        vertices = [
            {"id": names[place + 1], "x": x, "y": y, "isBezier": False, "prevPointId": names[place]}
            for place, (x, y) in enumerate(points)
        ]
        return {"vertices": vertices, "closed": False}
    (x, y, across, down), turned = shape["bbox"], 0.0
    if kind == "rotated":
        (x, y), (across, down), turned = shape["points"][0], shape["size"], shape["angle"]
    place = {"x": 100 * x / width, "y": 100 * y / height}
    size = {"width": 100 * across / width, "height": 100 * down / height}
    return {**place, **size, "rotation": turned}
