"""Annotations become the label table; each thing that is wrong gets its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from qm_cli.errors import InputError
from tests.input_files import Row, codes, document, image, label, tables, without

POLYGON = [[10, 10, 30, 10, 30, 30]]
LABEL_FINDINGS: list[tuple[str, Row, list[str]]] = [
    ("image-duplicate-id", document([image(1), image(1, file_name="b.jpg")]), ["1"]),
    ("image-missing-id", document([image(1), image(2), without(image(), "id")]), ["2"]),
    ("image-duplicate-file-name", document([image(1), image(2, file_name="1.jpg")]), ["1.jpg"]),
    ("image-missing-size", document([image(1), without(image(2), "width")]), ["2"]),
    ("image-bad-size", document([image(1), image(2, width=0)]), ["2"]),
    ("image-contradictory-size", document([image(1), image(2), image(3, file_name="1.jpg", width=5)]), ["3"]),
    ("image-outside-folder", document([image(1, file_name="../1.jpg"), image(2)]), ["../1.jpg"]),
    ("category-duplicate-id", document(categories=[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]), ["1"]),
    ("category-missing-id", document(categories=[{"id": 1, "name": "a"}, {"name": "b"}]), ["1"]),
    ("category-duplicate-name", document(categories=[{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]), ["a"]),
    ("label-duplicate-id", document(labels=[label(5), label(5)]), ["5"]),
    ("label-missing-id", document(labels=[label(5), without(label(), "id")]), ["1"]),
    ("label-unknown-image", document(labels=[label(5), label(6, image_id=99)]), ["6"]),
    ("label-unknown-category", document(labels=[label(5), label(6, category_id=99)]), ["6"]),
    ("label-bad-box", document(labels=[label(5), label(6, bbox=[1, 1, -1, 5])]), ["6"]),
    ("label-bad-box", document(labels=[label(5), label(6, bbox=[1, 1])]), ["6"]),
    ("label-bad-box", document(labels=[label(5), label(6, bbox=None)]), ["6"]),
    ("label-zero-area", document(labels=[label(5), label(6, bbox=[1, 1, 0, 5])]), ["6"]),
    ("label-outside-image", document(labels=[label(5), label(6, bbox=[90, 1, 30, 5])]), ["6"]),
    ("label-outside-image", document(labels=[label(5), label(6, bbox=[-5, 1, 30, 5])]), ["6"]),
    ("label-missing-area", document(labels=[label(5), without(label(6), "area")]), ["6"]),
    ("label-bad-area", document(labels=[label(5), label(6, area=-1)]), ["6"]),
    ("label-missing-iscrowd", document(labels=[label(5), without(label(6), "iscrowd")]), ["6"]),
    ("label-bad-polygon", document(labels=[label(5), label(6, segmentation=[[1, 2, 3]])]), ["6"]),
    ("label-bad-polygon", document(labels=[label(5), label(6, segmentation="x")]), ["6"]),
    ("label-bad-polygon", document(labels=[label(5), label(6, segmentation=7)]), ["6"]),
    ("label-bad-polygon", document(labels=[label(5), label(6, segmentation=["x"])]), ["6"]),
    ("label-bad-polygon", document(labels=[label(5), label(6, segmentation=None)]), []),
    ("label-bad-mask", document(labels=[label(5), label(6, segmentation={"size": [1, 2], "counts": "1"})]), ["6"]),
    ("label-empty", document(labels=[label(5), {}]), ["1"]),
    ("label-empty", document(labels=[label(5), None]), ["1"]),  # type: ignore[list-item]
    ("label-without-box", document(labels=[without(label(5), "bbox")]), ["5"]),
    ("ids-differ-in-type", document(labels=[label(5, image_id="1")]), ["labels.json"]),
]


@pytest.mark.parametrize(("code", "labels", "examples"), LABEL_FINDINGS)
def test_label_finding(tmp_path: Path, code: str, labels: Row, examples: list[str]) -> None:
    if not examples:
        assert codes(tables(tmp_path, labels)) == {}
        return
    [found] = [one for one in tables(tmp_path, labels).findings if one.code == code]
    assert found.count == 1
    assert [Path(example).name if code.startswith("ids") else example for example in found.examples] == examples


def test_missing_area_comes_from_polygon_else_box(tmp_path: Path) -> None:
    rows = [without(label(1, segmentation=POLYGON), "area"), without(label(2), "area"), label(3, area=7)]
    assert tables(tmp_path, document(labels=rows)).values("label", "area").tolist() == [200, 400, 7]


def test_polygons_of_two_parts(tmp_path: Path) -> None:
    two = [*POLYGON, [0, 0, 0, 4, 4, 4, 4, 0]]
    rows = [without(label(1, segmentation=two), "area")]
    assert tables(tmp_path, document(labels=rows)).values("label", "area").tolist() == [216]


def test_numbers_beyond_all_measure(tmp_path: Path) -> None:
    """Neither a warning nor a number that is not finite comes of them."""
    huge = [[1e308, 1, 1e308, 1e308, 1, 1e308]]
    rows = [label(1), label(2, bbox=[1e308, 1, 1e308, 1]), without(label(3, segmentation=huge), "area")]
    loaded = tables(tmp_path, document(labels=rows))
    assert codes(loaded) == {"label-bad-box": 1, "label-missing-area": 1}
    assert loaded.values("label", "area").tolist() == [400, 400]


def test_annotations_without_any_image(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no annotation has an image_id"):
        tables(tmp_path, document(labels=[without(label(), "image_id")]))
