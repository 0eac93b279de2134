"""Shapes of every task through the way in, good and bad: what is used, what is counted, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli.errors import InputError
from qm_cli.load import load_tables
from qm_cli.report import report_of
from qm_cli.settings import Measure, Settings
from qm_cli.tables import Tables
from tests.builders import write
from tests.shape_sets import HEIGHT, WIDTH, compressed, uncompressed

Row = dict[str, Any]
SQUARE = np.zeros((HEIGHT, WIDTH), np.uint8)
SQUARE[5:25, 5:25] = 1
MASK = compressed(SQUARE)
CORNERS = [5, 5, 25, 5, 25, 25, 5, 25]
JOINTS = [10, 10, 2] * 17


def loaded(folder: Path, labels: list[Row], predictions: list[Row], **how: Any) -> Tables:
    """Tables of one category and two images; each row is its shape and what else differs from the usual."""
    document = {
        "images": [{"id": number, "width": WIDTH, "height": HEIGHT} for number in (1, 2)],
        "categories": [{"id": 1, "name": "x"}],
        "annotations": [
            {"id": n, "image_id": 1, "category_id": 1, "area": 400, "iscrowd": 0, **row}
            for n, row in enumerate(labels, 1)
        ],
    }
    rows = [{"image_id": 1, "category_id": 1, "score": 0.9, **row} for row in predictions]
    return load_tables(*write(folder, document, rows), **how)


def codes(tables: Tables) -> dict[str, int]:
    return {found.code: found.count for found in tables.findings}


MASKS = {
    "compressed": MASK,
    "uncompressed": uncompressed(SQUARE),
    "polygon": [CORNERS],
    "two parts": [[5, 5, 15, 5, 15, 25, 5, 25], [15, 5, 25, 5, 25, 25, 15, 25]],
}


@pytest.mark.parametrize("label", MASKS)
@pytest.mark.parametrize("prediction", MASKS)
def test_every_form_of_mask(tmp_path: Path, label: str, prediction: str) -> None:
    tables = loaded(tmp_path, [{"segmentation": MASKS[label]}], [{"segmentation": MASKS[prediction]}])
    assert tables.measure == Measure("segm", "the predictions have a segmentation and no box")
    assert tables.values("prediction", "bbox").tolist() == [[5, 5, 20, 20]]
    assert tables.values("prediction", "shape_area").tolist() == [400]
    assert report_of(tables, Settings())["metrics"]["AP"] == pytest.approx(1)
    assert codes(tables) == {}


BROKEN = {
    "another size": {**MASK, "size": [WIDTH, HEIGHT]},
    "a fraction of a pixel": {**MASK, "size": [40.5, 50]},
    "huge": {**MASK, "size": [4_000_000_000, 4_000_000_000]},
    "no alphabet": {**MASK, "counts": "~~~"},
    "cut off": {**MASK, "counts": MASK["counts"][:-2]},
    "never ends": {**MASK, "counts": "o" * 40},
    "empty": {**MASK, "counts": ""},
    "wrong sum": {"size": [HEIGHT, WIDTH], "counts": [1, 2, 3]},
    "negative": {"size": [HEIGHT, WIDTH], "counts": [2005, -5]},
    "two points": [[1, 1, 5, 5]],
    "odd": [[1, 1, 5, 5, 9, 9, 3]],
    "far away": [[1, 1, 1e9, 5, 9, 9]],
    "no part": [],
    "text": "mask",
}


@pytest.mark.parametrize("shape", BROKEN.values(), ids=BROKEN)
def test_broken_masks_are_counted_and_left_out(tmp_path: Path, shape: Any) -> None:
    rows = [{"segmentation": MASK}, {"segmentation": shape}, {"segmentation": [CORNERS]}]
    tables = loaded(tmp_path, rows, rows, task="segm")
    assert codes(tables) == {"label-bad-shape": 1, "prediction-bad-shape": 1}
    assert tables.count("label") == tables.count("prediction") == 2
    assert report_of(tables, Settings())["metrics"]["AP"] == pytest.approx(1)


def test_crossing_polygons_are_painted_and_told(tmp_path: Path) -> None:
    bow = [[5, 5, 25, 25, 25, 5, 5, 25]]
    tables = loaded(tmp_path, [{"segmentation": bow}], [{"segmentation": bow}])
    assert codes(tables) == {"label-crossing-polygon": 1, "prediction-crossing-polygon": 1}
    assert report_of(tables, Settings())["metrics"]["AP"] == pytest.approx(1)


def test_polygons_of_an_image_without_a_size_are_told_so(tmp_path: Path) -> None:
    document = {
        "images": [{"id": 1}],
        "categories": [{"id": 1, "name": "x"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [CORNERS]}],
    }
    rows = [{"image_id": 1, "category_id": 1, "score": 0.9, "segmentation": MASK}]
    with pytest.raises(InputError, match="1 of an image without width and height, which a polygon needs"):
        load_tables(*write(tmp_path, document, rows))


def test_mixed_tasks_in_one_file(tmp_path: Path) -> None:
    rows = [{"segmentation": MASK}, {"bbox": [5, 5, 20, 20]}, {"keypoints": JOINTS}]
    tables = loaded(tmp_path, [{"segmentation": MASK}], rows)
    assert codes(tables) == {"prediction-without-shape": 2}


def test_a_box_is_no_segmentation(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no prediction has `segmentation`, which task segm compares"):
        loaded(tmp_path, [{"segmentation": MASK}], [{"bbox": [5, 5, 20, 20]}], task="segm")
    with pytest.raises(InputError, match="no annotation has `segmentation`"):
        loaded(tmp_path, [{"bbox": [5, 5, 20, 20]}], [{"segmentation": MASK}])


def test_masks_and_boxes_are_boxes_unless_asked(tmp_path: Path) -> None:
    row = {"segmentation": MASK, "bbox": [5, 5, 10, 10]}
    assert loaded(tmp_path, [row], [row]).measure.task == "bbox"
    tables = loaded(tmp_path, [row], [row], task="segm")
    assert tables.values("prediction", "shape_area").tolist() == [400]
    boxed = loaded(tmp_path, [row], [row], task="segm", measure=Measure(pycocotools_area=True))
    assert boxed.values("prediction", "shape_area").tolist() == [100]


def test_missing_areas_are_the_masks(tmp_path: Path) -> None:
    tables = loaded(tmp_path, [{"segmentation": MASK, "area": None}], [{"segmentation": MASK}])
    assert tables.values("label", "area").tolist() == [400]
    assert codes(tables) == {"label-missing-area": 1}


def test_rows_in_any_order_keep_their_masks(tmp_path: Path) -> None:
    other = compressed(1 - SQUARE)
    rows = [{"segmentation": other, "image_id": 2}, {"segmentation": MASK}, {"segmentation": "x"}]
    metrics = report_of(loaded(tmp_path, rows, rows[::-1], task="segm"), Settings())["metrics"]
    assert metrics["AP"] == pytest.approx(1)


@pytest.mark.parametrize("rows", [[], [{"segmentation": MASK}]])
def test_nothing_at_all(tmp_path: Path, rows: list[Row]) -> None:
    for labels, predictions in ((rows, []), ([], rows)):
        report = report_of(loaded(tmp_path, labels, predictions, task="segm"), Settings())
        assert report["metrics"]["AP"] == (0 if labels else None)


def test_keypoints(tmp_path: Path) -> None:
    short = {"keypoints": JOINTS[:-3]}
    tables = loaded(tmp_path, [{"keypoints": JOINTS}, short], [{"keypoints": JOINTS}, short, {"keypoints": ["a"] * 51}])
    assert tables.measure.task == "keypoints"
    assert codes(tables) == {"label-bad-shape": 1, "prediction-bad-shape": 2}
    assert tables.label["num_keypoints"].to_pylist() == [17]
    with pytest.raises(InputError, match="keypoints of 48 numbers, 17 sigmas × 3 are 51"):
        loaded(tmp_path, [short], [short])
    own = loaded(tmp_path, [short], [short], measure=Measure(sigmas=(0.1,) * 16))
    assert report_of(own, Settings())["metrics"]["AP"] == pytest.approx(1)


def test_keypoints_that_not_every_label_has(tmp_path: Path) -> None:
    rows = [{"keypoints": JOINTS, "bbox": [1, 2, 3, 4]}, {"bbox": [1, 2, 3, 4]}]
    tables = loaded(tmp_path, rows, rows[:1])
    assert tables.measure.task == "bbox"
    assert "not every label has keypoints" in tables.measure.found


@pytest.mark.parametrize(
    ("field", "shape"),
    [("bbox", [15, 15, 20, 20, 0]), ("rotated_box", [15, 15, 20, 20, 90]), ("obb", CORNERS), ("rbox", [CORNERS])],
)
def test_rotated_boxes(tmp_path: Path, field: str, shape: list[Any]) -> None:
    tables = loaded(tmp_path, [{"segmentation": [CORNERS]}], [{field: shape}])
    assert tables.measure.task == "obb"
    assert tables.values("prediction", "bbox")[0].tolist() == pytest.approx([5, 5, 20, 20])
    assert report_of(tables, Settings())["metrics"]["AP"] == pytest.approx(1)


def test_bad_rotated_boxes(tmp_path: Path) -> None:
    good = {"rotated_box": [15, 15, 20, 10, 30]}
    bad = [{"rotated_box": shape} for shape in ([15, 15, -1, 10, 30], [1, 2, 3], "x", [0, 0, 9, 9, 9, 0, 0, 9])]
    assert codes(loaded(tmp_path, [good], [good, *bad])) == {"prediction-bad-shape": 4}


POLYGON = [[5, 5, 25, 5, 25, 25, 15, 30, 5, 25]]


@pytest.mark.parametrize("more", [{}, {"segmentation": POLYGON}, {"segmentation": MASK}, {"rotated_box": None}])
def test_plain_boxes_beside_rotated_ones_are_at_angle_0(tmp_path: Path, more: dict[str, Any]) -> None:
    """Also where the labels' segmentation, which may be four corners, is a mask or another polygon."""
    plain = {"bbox": [5, 5, 20, 20], **more}
    tables = loaded(tmp_path, [plain], [{"rotated_box": [15, 15, 20, 20, 0]}])
    assert codes(tables) == {"label-upright-box": 1}
    assert report_of(tables, Settings())["metrics"]["AP"] == pytest.approx(1)
    tables = loaded(tmp_path, [{"rotated_box": [15, 15, 20, 20, 0]}], [plain], task="obb")
    assert codes(tables) == {"prediction-upright-box": 1}
    assert tables.values("prediction", "corners").tolist() == [[5, 5, 25, 5, 25, 25, 5, 25]]


def test_boxes_of_voc_files_beside_rotated_ones(tmp_path: Path) -> None:
    box = "<xmin>6</xmin><ymin>6</ymin><xmax>25</xmax><ymax>25</ymax>"
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
    found = f"<object><name>x</name><bndbox>{box}</bndbox></object>"
    text = f"<annotation><filename>1.jpg</filename>{size}{found}</annotation>"
    (tmp_path / "voc").mkdir()
    (tmp_path / "voc" / "1.xml").write_text(text)
    row = {"file_name": "1.jpg", "category_name": "x", "score": 0.9, "rotated_box": [15, 15, 20, 20, 0]}
    (tmp_path / "predictions.json").write_text(json.dumps([row]))
    tables = load_tables(tmp_path / "voc", tmp_path / "predictions.json", match_by="file_name", map_categories="name")
    assert codes(tables)["label-upright-box"] == 1
    assert tables.measure.task == "obb"


def test_a_malformed_rotated_box_is_not_its_plain_box(tmp_path: Path) -> None:
    rows = [{"rotated_box": [15, 15, 20, 20, 0]}, {"rotated_box": [1, 2, 3], "bbox": [5, 5, 20, 20]}]
    assert codes(loaded(tmp_path, rows, rows)) == {"label-bad-shape": 1, "prediction-bad-shape": 1}


@pytest.mark.parametrize("more", [{}, {"segmentation": POLYGON}])
def test_plain_boxes_alone_are_no_rotated_ones(tmp_path: Path, more: dict[str, Any]) -> None:
    rows = [{"bbox": [5, 5, 20, 20]}]
    with pytest.raises(InputError, match="there is no rotated box, all 1 labels and 1 predictions are plain boxes"):
        loaded(tmp_path, [{**rows[0], **more}], rows, task="obb")


def test_polylines_and_points(tmp_path: Path) -> None:
    lines = [{"polyline": [0, 0, 30, 30]}], [{"polyline": [[0, 0, 30, 30]]}, {"polyline": [1]}, {"polyline": []}]
    tables = loaded(tmp_path, *lines, measure=Measure(buffer=5))
    assert (tables.measure.task, tables.measure.buffer) == ("polyline", 5)
    assert codes(tables) == {"prediction-bad-shape": 2}
    assert report_of(tables, Settings())["buffer"] == 5
    points = loaded(tmp_path, [{"point": [10, 10]}], [{"point": [12, 10]}, {"point": [1]}, {"point": "x"}])
    assert codes(points) == {"prediction-bad-shape": 2}
    assert report_of(points, Settings())["metrics"]["AP75"] == pytest.approx(1)


def test_ids_as_text(tmp_path: Path) -> None:
    rows = [{"segmentation": MASK, "image_id": "1", "category_id": "1"}]
    tables = loaded(tmp_path, [{"segmentation": MASK}], rows)
    assert set(codes(tables)) == {"ids-differ-in-type"}
    assert tables.count("prediction") == 1
