"""The label reader: columns of a COCO file, and bad files end in one line with the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qm_cli.errors import InputError
from qm_cli.ingest import labels_json
from tests.input_files import document, image, label, without, write

TEXT = json.dumps(document(), separators=(",", ":"))


def test_columns(tmp_path: Path) -> None:
    raw = labels_json.read(write(tmp_path / "l.json", document()), shapes=False)
    assert raw.image["id"].to_pylist() == [1, 2]
    assert raw.image["width"].to_pylist() == [100.0, 100.0]
    assert raw.category["name"].to_pylist() == ["cat", "dog"]
    assert raw.label["bbox"].to_pylist()[0] == [10, 10, 20, 20]
    assert raw.label["iscrowd"].to_pylist() == [False, False]


def test_images_may_be_called_data_rows(tmp_path: Path) -> None:
    content = {"data_rows" if name == "images" else name: value for name, value in document().items()}
    for shapes in (False, True):
        raw = labels_json.read(write(tmp_path / "l.json", content), shapes=shapes, fields=("segmentation",))
        assert raw.image["id"].to_pylist() == [1, 2]
        assert len(raw.label["bbox"]) == len(document()["annotations"])


def test_what_is_missing_is_null(tmp_path: Path) -> None:
    content = document([{"id": 0}], [{"image_id": 0, "category_id": 1}, label(bbox=[1, 2], area=None)])
    raw = labels_json.read(write(tmp_path / "l.json", content), shapes=False)
    assert raw.image["file_name"].to_pylist() == [None]
    assert raw.label["id"].to_pylist() == [None, 1]
    assert raw.label["area"].to_pylist() == [None, None]
    assert raw.label["bbox"].to_pylist() == [None, [1, 2]]
    assert raw.label["iscrowd"].to_pylist() == [None, False]


def test_shapes_and_metadata(tmp_path: Path) -> None:
    polygon = [[1.0, 1.0, 5.0, 1.0, 5.0, 5.0]]
    rows = [label(segmentation=polygon, annotator="x"), label(2, segmentation={"size": [1, 1], "counts": ""})]
    content = document([image(1, weather="fog", tags=["a"]), image(2, weather=None)], rows)
    raw = labels_json.read(write(tmp_path / "l.json", content), shapes=True)
    assert raw.label["segmentation"].to_pylist() == [polygon, None]
    assert raw.label["annotator"].to_pylist() == ["x", None]
    assert raw.image["weather"].to_pylist() == ["fog", None]
    assert "tags" not in raw.image
    plain = labels_json.read(tmp_path / "l.json", shapes=False)
    assert not {"segmentation", "annotator"} & set(plain.label)


def test_no_annotations_at_all(tmp_path: Path) -> None:
    assert labels_json.read(write(tmp_path / "l.json", without(document(), "annotations")), shapes=True).label == {}


def test_licenses_do_not_make_ids_look_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels_json, "repeated_key", lambda *_: pytest.fail("the slow look for repeated keys"))
    labels_json.read(write(tmp_path / "l.json", {**document(), "licenses": [{"id": 1, "name": "x"}]}), shapes=False)


def test_byte_order_mark(tmp_path: Path) -> None:
    assert labels_json.read(write(tmp_path / "l.json", b"\xef\xbb\xbf" + TEXT.encode()), shapes=False).image


def swapped(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


DEEP = "[" * 10**6 + "]" * 10**6
BAD: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "l.json: the file is empty (expected a COCO label file: images, annotations, categories)"),
    "blank": ("\n", "l.json: the file is empty"),
    "list": ("[]", "l.json: Expected `object`, got `array`"),
    "null": ("null", "l.json: Expected `object`, got `null`"),
    "binary": (bytes(range(256)), "l.json: not valid JSON: JSON is malformed: invalid character (byte 0)"),
    "utf-16": (TEXT.encode("utf-16"), "l.json: the file is UTF-16 text (save it as UTF-8)"),
    "latin-1": (
        TEXT.replace('"cat"', '"é"').encode("latin-1"),
        "l.json: not UTF-8 text: byte 0xe9 at position 148 (save the file as UTF-8)",
    ),
    "cut off": (
        TEXT[:-20],
        "l.json: not valid JSON: Input data was truncated (write the file again; it may be cut off)",
    ),
    "trailing text": (TEXT + "x", "l.json: not valid JSON: JSON is malformed: trailing characters"),
    "deep": (DEEP, "l.json: Expected `object`, got `array`"),
    "deep images": ('{"images":' + DEEP, "l.json: images[0]: expected `object`, got `array`"),
    "deep elsewhere": (swapped('"area":400', f'"x":{DEEP}'), "l.json: nested too deeply to be a COCO label file"),
    "no images": (swapped("images", "pictures"), "l.json: Object missing required field `images`"),
    "no categories": (swapped("categories", "classes"), "l.json: Object missing required field `categories`"),
    "images an object": ('{"images":{},"categories":[]}', "l.json: images: expected `array`, got `object`"),
    "id twice": (
        swapped('"id":1,', '"id":1,"id":3,'),
        'l.json: images[0]: the key "id" stands twice in one object (keep one',
    ),
    "width twice": (
        swapped('"width":100', '"width":1,"width":2'),
        'l.json: images[0]: the key "width" stands twice in one object',
    ),
    "area twice": (
        swapped('"area":400', '"area":1,"area":2'),
        'l.json: annotations[0]: the key "area" stands twice in one object',
    ),
    "images twice": (TEXT[:-1] + ',"images":[]}', 'l.json: the key "images" stands twice in one object'),
    "ids mixed": (
        swapped('"id":2', '"id":"b"'),
        "l.json: images[1]: the id 'b' is not an integer like the other ids",
    ),
    "id too large": (swapped('"id":1', f'"id":{2**63}'), "l.json: images[0]: the id does not fit 64 bits"),
    "id fractional": (swapped('"id":1', '"id":1.5'), "l.json: images[0].id: expected `int | str | null`, got `float`"),
    "id true": (swapped('"id":1', '"id":true'), "l.json: images[0].id: expected `int | str | null`, got `bool`"),
    "NaN": (swapped("400", "NaN"), "l.json: annotations[0].area: expected a finite number, got NaN (JSON has"),
    "Infinity": (swapped("[10", "[-Infinity"), "l.json: annotations[0].bbox[0]: expected a finite number, got -Inf"),
    "1e999": (swapped("400", "1e999"), "l.json: annotations[0].area: number out of range"),
    "box text": (swapped("[10", '["10"'), "l.json: annotations[0].bbox[0]: expected `float | null`, got `str`"),
    "width text": (
        swapped('"width":100', '"width":"1"'),
        "l.json: images[0].width: expected `float | null`, got `str`",
    ),
    "annotation a number": (TEXT[:-2] + ",3]}", "l.json: annotations[2]: expected `object`, got `int`"),
}


@pytest.mark.parametrize("shapes", [False, True])
@pytest.mark.parametrize("name", BAD)
def test_bad_file_ends_in_one_line(tmp_path: Path, name: str, shapes: bool) -> None:
    content, expected = BAD[name]
    with pytest.raises(InputError) as caught:
        labels_json.read(write(tmp_path / "l.json", content), shapes)
    message = str(caught.value).removeprefix(f"{tmp_path}/")
    assert message.startswith(expected)
    assert "\n" not in message
    assert caught.value.hint


def test_metadata_key_twice(tmp_path: Path) -> None:
    path = write(tmp_path / "l.json", swapped('"area"', '"x":1,"x":2,"area"'))
    with pytest.raises(InputError, match='the key "x" stands twice'):
        labels_json.read(path, shapes=True)


def test_only_what_ends_early_may_be_cut_off(tmp_path: Path) -> None:
    for content, cut in ((TEXT[:-20], True), (TEXT + "x", False), (swapped("400", "NaN"), False)):
        with pytest.raises(InputError) as caught:
            labels_json.read(write(tmp_path / "l.json", content), shapes=False)
        assert ("cut off" in caught.value.hint) == cut


def test_null_entries_are_entries_without_anything(tmp_path: Path) -> None:
    content = document([image(1), None], [label(1), None], [{"id": 1, "name": "cat"}, None])  # type: ignore[list-item]
    for shapes in (False, True):
        raw = labels_json.read(write(tmp_path / "l.json", content), shapes)
        assert raw.image["id"].to_pylist() == raw.category["id"].to_pylist() == raw.label["id"].to_pylist() == [1, None]


MASKS: list[tuple[Any, bool]] = [
    ({"size": [80, 100], "counts": "PPYo0"}, False),
    ({"size": [80, 100], "counts": [7000, 1000]}, False),
    ({"size": [100, 80], "counts": "PPYo0"}, True),
    ({"size": [80, 100], "counts": [7000, 999]}, True),
    ({"size": [80, 100], "counts": [9000, -1000]}, True),
    ({"size": [80, 100], "counts": "not ones"}, True),
    ({"size": [80, 100]}, True),
    ({"size": [80], "counts": "PPYo0"}, True),
    ({"size": [-80, -100], "counts": "PPYo0"}, True),
    ({}, True),
]


@pytest.mark.parametrize(("mask", "bad"), MASKS)
def test_masks_are_looked_at(tmp_path: Path, mask: Any, bad: bool) -> None:
    path = write(tmp_path / "l.json", document(labels=[label(5), label(6, segmentation=mask)]))
    found = [(one.code, one.examples) for one in labels_json.read(path, shapes=True).findings]
    assert found == ([("label-bad-mask", ("6",))] if bad else [])
    assert labels_json.read(path, shapes=False).findings == []


@pytest.mark.parametrize("fields", [("segmentation",), ("keypoints",)])
@pytest.mark.parametrize("categories", [7, None, [{"id": 1, "name": 7}], [{"id": []}], [1]])
def test_bad_categories_are_told_the_same_whatever_is_read(
    tmp_path: Path, categories: Any, fields: tuple[str, ...]
) -> None:
    path = write(tmp_path / "l.json", {**document(), "categories": categories})
    with pytest.raises(InputError) as plain:
        labels_json.read(path, shapes=False)
    with pytest.raises(InputError) as shaped:
        labels_json.read(path, shapes=False, fields=fields)
    assert str(shaped.value) == str(plain.value)


def test_masks_alone_and_masks_among_polygons_are_read_alike(tmp_path: Path) -> None:
    masks = [{"size": [2, 3], "counts": text} for text in ("06", "15")]
    rows = [label(number + 1, segmentation=mask) for number, mask in enumerate(masks)]
    alone = labels_json.read(write(tmp_path / "a.json", document(labels=rows)), False, fields=("segmentation",))
    more = [*rows, label(3, segmentation=[[0, 0, 1, 0, 1, 1]])]
    mixed = labels_json.read(write(tmp_path / "m.json", document(labels=more)), False, fields=("segmentation",))
    assert alone.label["shape"].to_pylist() == masks
    assert [json.loads(text) for text in mixed.label["shape"].to_pylist()[:2]] == masks


def test_a_key_twice_in_a_mask_is_refused(tmp_path: Path) -> None:
    rows = [label(1, segmentation={"size": [2, 3], "counts": "06"})]
    path = tmp_path / "l.json"
    path.write_text(json.dumps(document(labels=rows)).replace('"counts": "06"', '"counts": "15", "counts": "06"'))
    with pytest.raises(InputError, match=r'"counts" stands twice'):
        labels_json.read(path, False, fields=("segmentation",))
