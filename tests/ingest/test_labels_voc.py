"""A folder of VOC XML files, small ones by hand and the real BCCD."""

from __future__ import annotations

from pathlib import Path

import pytest

from qm_cli import dataset
from qm_cli.errors import InputError
from qm_cli.load import load_tables
from qm_cli.tables import Tables

BCCD = Path(__file__).parents[3] / "shared" / "data" / "bccd" / "BCCD"
FILE = """<annotation><filename>{name}.png</filename><size><width>100</width><height>50</height><depth>3</depth></size>
{objects}</annotation>"""
OBJECT = """<object><name>{name}</name><difficult>{difficult}</difficult><pose>Left</pose>
<bndbox><xmin>{box[0]}</xmin><ymin>{box[1]}</ymin><xmax>{box[2]}</xmax><ymax>{box[3]}</ymax></bndbox></object>"""


def folder(place: Path, **files: str) -> Path:
    place.mkdir(parents=True)
    for name, objects in files.items():
        (place / f"{name}.xml").write_text(FILE.format(name=name, objects=objects))
    return place


def thing(name: str, *box: float | str, difficult: int = 0) -> str:
    return OBJECT.format(name=name, box=box, difficult=difficult)


def read(place: Path) -> Tables:
    return load_tables(place, None, metadata=True, shapes=True)


def test_boxes_categories_and_flags(tmp_path: Path) -> None:
    one = thing("dog", 10, 20, 30, 45) + thing("cat", 1.5, 2, 3, 4, difficult=1)
    tables = read(folder(tmp_path / "xml", b=one, a="", c=thing("dog", 5, 5, 5, 9)))
    assert tables.image["id"].to_pylist() == ["a", "b", "c"]
    assert tables.image["file_name"].to_pylist() == ["a.png", "b.png", "c.png"]
    assert tables.category["name"].to_pylist() == ["cat", "dog"]
    assert tables.values("label", "bbox").tolist() == [[10, 20, 20, 25], [1.5, 2, 1.5, 2], [5, 5, 0, 4]]
    assert tables.label["difficult"].to_pylist() == [False, True, False]
    assert tables.label["area"].to_pylist() == [500, 3, 0]
    assert "label-zero-area" in [found.code for found in tables.findings]


def test_a_dataset_folder_is_known_by_its_annotations(tmp_path: Path) -> None:
    place = folder(tmp_path / "set" / "Annotations", a=thing("dog", 1, 2, 3, 4))
    (tmp_path / "set" / "JPEGImages").mkdir()
    files = dataset.find(tmp_path / "set")
    assert (files.labels, files.images) == (place, tmp_path / "set" / "JPEGImages")


def test_objects_without_a_name_or_box(tmp_path: Path) -> None:
    nameless = thing("x", 1, 2, 3, 4).replace("<name>x</name>", "")
    tables = read(folder(tmp_path / "xml", a=nameless + "<object><name>dog</name></object>" + thing("dog", 1, 2, 3, 4)))
    assert tables.count("label") == 1
    dropped = {found.code for found in tables.findings if found.rule.drops}
    assert dropped == {"label-unknown-category", "label-bad-box"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotation>", "a.xml: not valid XML"),
        ("<html/>", "the root is <html>"),
        (
            FILE.format(name="a", objects=thing("dog", 1, 2, 3, 4)).replace("<xmin>1<", "<xmin>one<"),
            "'one' is no number",
        ),
    ],
)
def test_what_is_no_voc_file(tmp_path: Path, text: str, message: str) -> None:
    place = folder(tmp_path / "xml")
    (place / "a.xml").write_text(text)
    with pytest.raises(InputError, match=message):
        read(place)


def test_blanks_around_words_mean_nothing(tmp_path: Path) -> None:
    place = folder(tmp_path / "xml", a=thing("dog", 1, 2, 3, 4) + thing(" dog\n", 1, 2, 3, 4))
    assert read(place).category["name"].to_pylist() == ["dog"]


@pytest.mark.parametrize("encoding", ["shift_jis", "none-such"])
def test_encodings_that_are_not_known(tmp_path: Path, encoding: str) -> None:
    place = folder(tmp_path / "xml")
    (place / "a.xml").write_text(f'<?xml version="1.0" encoding="{encoding}"?><annotation/>')
    with pytest.raises(InputError, match=r"a\.xml: not valid XML"):
        read(place)


def test_a_folder_called_xml(tmp_path: Path) -> None:
    place = folder(tmp_path / "xml")
    (place / "a.xml").mkdir()
    with pytest.raises(InputError, match=r"a\.xml: cannot be read"):
        read(place)


@pytest.mark.skipif(not BCCD.is_dir(), reason="the BCCD dataset is not there")
def test_bccd() -> None:
    files = dataset.find(BCCD)
    tables = read(files.labels or BCCD)
    assert (tables.count("image"), tables.count("label"), tables.count("category")) == (364, 4888, 3)
    found = {finding.code: finding.count for finding in tables.findings}
    assert found["label-zero-area"] == 2
