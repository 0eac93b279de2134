"""Record what labelling tools' own importers read: `python -m tests.oracles.record_importers`, where datumaro,
label-studio-sdk, labelbox and pycocotools are installed."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.oracles.importer_sets import CATEGORIES, FORMATS, KINDS, NAMES, SIZES, case, identity, written

PLACE = Path(__file__).with_name("importers.json")
Images = list[dict[str, Any]]


def _folder_of_images(folder: Path, names: list[str]) -> None:
    from PIL import Image

    for name, size in zip(names, SIZES, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", size).save(folder / name)


def read_coco(text: str) -> Images:
    """pycocotools, and datumaro's importer of COCO files, which must agree with it on names, boxes and categories."""
    from pycocotools.coco import COCO

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "annotations" / "instances_batch.json"
        file.parent.mkdir()
        file.write_text(text)
        coco = COCO(str(file))
        found = []
        for image in coco.dataset["images"]:
            rows = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
            found.append({"name": image["file_name"], "objects": [_coco_object(coco, row) for row in rows]})
        _folder_of_images(Path(folder) / "images" / "batch", [image["name"] for image in found])
        _agree_with_datumaro(folder, found)
    return found


def _coco_object(coco: Any, row: dict[str, Any]) -> dict[str, Any]:
    (category,) = coco.loadCats([row["category_id"]])
    facts = {"category": category["name"], "crowd": bool(row["iscrowd"]), "area": row["area"]}
    facts |= {name: row[name] for name in ("bbox", "keypoints") if name in row}
    outline = row.get("segmentation")
    if isinstance(outline, dict):
        facts["mask"] = _runs(coco.annToMask(row))
    elif outline:
        assert coco.annToMask(row).any()
        facts["points"] = _pairs(outline[0])
    return facts


def _agree_with_datumaro(folder: str, found: Images) -> None:
    """Its coordinates are rounded to .01 px; of whole images it has an importer of their own."""
    from datumaro import Dataset
    from datumaro.components.annotation import AnnotationType

    boxed = any("bbox" in one for image in found for one in image["objects"])
    if not boxed:
        (file,) = (Path(folder) / "annotations").iterdir()
        file.rename(file.with_name("labels_batch.json"))
    dataset = Dataset.import_from(folder, "coco_instances" if boxed else "coco_labels")
    names = [label.name for label in dataset.categories()[AnnotationType.label]]
    items = {Path(item.media.path).relative_to(Path(folder) / "images" / "batch").as_posix(): item for item in dataset}
    assert set(items) == {image["name"] for image in found}
    for image in found:
        every = sorted(items[image["name"]].annotations, key=lambda one: one.id)
        kinds = {kind: [one for one in every if one.type == AnnotationType[kind]] for kind in ("label", "bbox", "mask")}
        whole, boxes, masks = kinds["label"], kinds["bbox"], kinds["mask"]
        objects = image["objects"]
        for one, other in zip(objects, boxes if boxed else whole, strict=True):
            assert names[other.label] == one["category"]
            assert not boxed or _near(other.get_bbox(), one["bbox"])
        for one, mask in zip([one for one in objects if "mask" in one], masks, strict=True):
            assert (names[mask.label], _runs(mask.image)) == (one["category"], one["mask"])


def _near(found: Any, expected: list[float]) -> bool:
    return all(abs(float(a) - b) <= 0.011 for a, b in zip(found, expected, strict=True))


def read_cvat(text: str) -> Images:
    """datumaro, which CVAT converts with, as its importer reads annotations "CVAT for images 1.1"."""
    from datumaro import Dataset

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "annotations.xml").write_text(text, encoding="utf-8")
        _folder_of_images(Path(folder) / "images", list(NAMES))
        dataset = Dataset.import_from(folder, "cvat")
        items = sorted(dataset, key=lambda item: item.attributes["frame"])
        return [
            {
                "name": Path(item.media.path).relative_to(Path(folder) / "images").as_posix(),
                "objects": [_datumaro_object(dataset, one) for one in item.annotations],
            }
            for item in items
        ]


def _datumaro_object(dataset: Any, one: Any) -> dict[str, Any]:
    from datumaro.components.annotation import AnnotationType

    label = dataset.categories()[AnnotationType.label][one.label].name
    facts: dict[str, Any] = {"category": label, "score": float(one.attributes["score"])}
    if one.type == AnnotationType.mask:
        return {**facts, "mask": _runs(one.image)}
    if one.type == AnnotationType.rotated_bbox:
        middle, turn = [one.cx, one.cy], math.radians(one.r)
        return {**facts, "points": _corners(middle, (-one.w / 2, -one.h / 2), one.w, one.h, turn)}
    if one.type == AnnotationType.bbox:
        return {**facts, "bbox": [float(value) for value in one.get_bbox()]}
    return facts if one.type == AnnotationType.label else {**facts, "points": _pairs(one.points)}


def _corners(
    origin: list[float], first: tuple[float, float], across: float, down: float, turn: float
) -> list[list[float]]:
    """Corners of a box turned clockwise about `origin`; first: its top left, as seen from there, before the turn."""
    places = [(0.0, 0.0), (across, 0.0), (across, down), (0.0, down)]
    cosine, sine = math.cos(turn), math.sin(turn)
    seen = [(first[0] + x, first[1] + y) for x, y in places]
    return [[origin[0] + x * cosine - y * sine, origin[1] + x * sine + y * cosine] for x, y in seen]


CONFIGURATION = """<View><Image name="image" value="$image"/>
<RectangleLabels name="label" toName="image">{labels}</RectangleLabels>
<BrushLabels name="mask" toName="image">{labels}</BrushLabels>
<PolygonLabels name="polygon" toName="image">{labels}</PolygonLabels>
<VectorLabels name="line" toName="image">{labels}</VectorLabels>
<KeyPointLabels name="point" toName="image">{labels}</KeyPointLabels>
<Choices name="class" toName="image">{choices}</Choices>
</View>"""


def read_label_studio(text: str) -> Images:
    """LabelInterface holds tasks and predictions against a labelling configuration; its converter reads boxes, its
    brush decoder masks, and pydantic models of the controls everything else."""
    from html import escape

    from label_studio_sdk.label_interface import LabelInterface

    names = [escape(str(category["name"])) for category in CATEGORIES]
    labels = "".join(f'<Label value="{name}"/>' for name in names)
    configuration = CONFIGURATION.format(labels=labels, choices=labels.replace("<Label", "<Choice"))
    interface = LabelInterface(configuration)
    interface.validate()
    tasks = json.loads(text)
    found = []
    for task in tasks:
        assert interface.validate_task({"data": task["data"]})
        results = []
        for prediction in task.get("predictions", []):
            assert interface.validate_prediction(prediction, return_errors=True) == []
            results += prediction["result"]
        found.append(
            {
                "name": task["data"]["file_name"],
                "objects": [_label_studio_object(interface, result) for result in results],
            }
        )
    boxes = "".join(line for line in configuration.splitlines() if "View" in line or "Rectangle" in line)
    _agree_with_converter(boxes, tasks, found)
    return found


def _label_studio_object(interface: Any, result: dict[str, Any]) -> dict[str, Any]:
    from label_studio_sdk.converter.brush import decode_rle

    control = interface.get_control(result["from_name"])
    value = control._value_class(**result["value"])
    (name,) = getattr(value, control._label_attr_name)
    facts = {"category": name, "score": result["score"]}
    if result["type"] == "choices":
        return facts
    width, height = result["original_width"], result["original_height"]

    def pixel(x: float, y: float) -> list[float]:
        return [x * width / 100, y * height / 100]

    if result["type"] == "brushlabels":
        return {**facts, "mask": _runs(decode_rle(value.rle).reshape(height, width, 4)[:, :, 3])}
    if result["type"] == "polygonlabels":
        return {**facts, "points": [pixel(x, y) for x, y in value.points]}
    if result["type"] == "vectorlabels":
        return {**facts, "points": [pixel(vertex.x, vertex.y) for vertex in value.vertices]}
    first = pixel(value.x, value.y)
    if result["type"] == "keypointlabels":
        return {**facts, "points": [first]}
    across, down = pixel(value.width, value.height)
    if value.rotation:
        return {**facts, "points": _corners(first, (0, 0), across, down, math.radians(value.rotation))}
    return {**facts, "bbox": [*first, across, down]}


def _agree_with_converter(configuration: str, tasks: list[dict[str, Any]], found: Images) -> None:
    """Upright boxes as Label Studio's own converter to COCO has them."""
    from label_studio_sdk.converter import Converter

    kept = []
    for number, task in enumerate(tasks):
        results = [one for p in task.get("predictions", []) for one in p["result"] if "width" in one["value"]]
        upright = [one for one in results if one["type"] == "rectanglelabels" and not one["value"]["rotation"]]
        annotation = {"id": number, "completed_by": 1, "result": upright}
        kept.append({"id": number, "data": {"image": task["data"]["file_name"]}, "annotations": [annotation]})
    with tempfile.TemporaryDirectory() as folder:
        _folder_of_images(Path(folder), list(NAMES))
        for task in kept:
            task["data"]["image"] = str(Path(folder) / task["data"]["image"])
        (Path(folder) / "tasks.json").write_text(json.dumps(kept))
        converter = Converter(configuration, folder, download_resources=False)
        converter.convert_to_coco(str(Path(folder) / "tasks.json"), folder + "/out", is_dir=False)
        made = json.loads((Path(folder) / "out" / "result.json").read_text())
    names = {row["id"]: row["name"] for row in made["categories"]}
    boxes = [(one["category"], one["bbox"]) for image in found for one in image["objects"] if "bbox" in one]
    for row, (name, box) in zip(made["annotations"], boxes, strict=True):
        assert names[row["category_id"]] == name
        assert all(math.isclose(a, b, abs_tol=1e-9) for a, b in zip(row["bbox"], box, strict=True))


def read_labelbox(text: str) -> Images:
    """The package's own preparation of data rows, which refuses unknown keys; it talks to no server for these."""
    from labelbox.schema.internal.data_row_upsert_item import DataRowCreateItem
    from labelbox.schema.internal.descriptor_file_creator import DescriptorFileCreator

    items = DataRowCreateItem.build("dataset", json.loads(text))
    assert not any(item.is_empty() for item in items)
    rows = DescriptorFileCreator(None)._prepare_items_for_upload(items)
    payloads = {row["payload"]["global_key"]: row["payload"] for row in rows}
    return [{"name": payloads[item.payload["global_key"]]["row_data"], "objects": []} for item in items]


def read_labelbox_predictions(text: str) -> Images:
    """The models of the package's NDJSON: each line must be one of them, and is read to an annotation."""
    from labelbox.data.serialization.ndjson import classification, objects

    kinds = {
        "bbox": objects.NDRectangle,
        "mask": objects.NDMask,
        "polygon": objects.NDPolygon,
        "line": objects.NDLine,
        "point": objects.NDPoint,
        "answer": classification.NDRadio,
    }
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES}
    seen = set()
    for line in text.splitlines():
        row = json.loads(line)
        (kind,) = set(kinds) & set(row)
        model = kinds[kind](**row)
        seen.add(model.uuid)
        name = model.answer.name if kind == "answer" else model.name
        facts = {"category": name, "score": model.confidence}
        found[model.data_row.global_key].append({**facts, **_labelbox_place(kind, model)})
    assert len(seen) == len(text.splitlines())
    return [{"name": name, "objects": rows} for name, rows in found.items()]


def _labelbox_place(kind: str, model: Any) -> dict[str, Any]:
    """Of a polygon without the last point, with which the package closes it."""
    if kind == "answer":
        return {}
    shape = model.to_common()
    if kind == "bbox":
        return {"bbox": [shape.start.x, shape.start.y, shape.end.x - shape.start.x, shape.end.y - shape.start.y]}
    if kind == "mask":
        return {"mask": _runs(shape.mask.value[:, :, 0])}
    points = [shape] if kind == "point" else shape.points[:-1] if kind == "polygon" else shape.points
    return {"points": [[point.x, point.y] for point in points]}


def _runs(mask: Any) -> list[int]:
    """Lengths of background and object in turn, row by row."""
    runs, current = [0], False
    for value in mask.ravel().astype(bool).tolist():
        if value != current:
            runs.append(0)
            current = value
        runs[-1] += 1
    return runs


def _pairs(flat: Any) -> list[list[float]]:
    values = [float(value) for value in flat]
    return [values[n : n + 2] for n in range(0, len(values), 2)]


READERS: dict[str, Callable[[str], Images]] = {
    "coco": read_coco,
    "cvat": read_cvat,
    "label-studio": read_label_studio,
    "labelbox": read_labelbox,
    "labelbox-predictions": read_labelbox_predictions,
}
PACKAGES = {
    "coco": ("pycocotools", "datumaro"),
    "cvat": ("datumaro",),
    "label-studio": ("label_studio_sdk",),
    "labelbox": ("labelbox",),
    "labelbox-predictions": ("labelbox",),
}


def recorded(kind: str, format: str) -> dict[str, Any]:
    text = written(case(kind), format)
    return {"file": identity(text), "read": READERS[format](text)}


if __name__ == "__main__":
    every = {kind: {format: recorded(kind, format) for format in FORMATS} for kind in KINDS}
    PLACE.write_text(json.dumps(every) + "\n")
