"""Manifests of slices: every form gives the same slices, and what is none is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qm_cli.errors import InputError
from qm_cli.slice_manifest import Definition, read_manifest

ROWS = [{"key": 1, "weather": "fog", "time": "day"}, {"key": 2, "weather": "sun"}, {"key": 3, "weather": "fog"}]


def written(folder: Path, content: object, name: str = "slices.json") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def test_names_of_images_and_conditions(tmp_path: Path) -> None:
    found = read_manifest(written(tmp_path, {"night": [1, "b.jpg"], "dark": "brightness < 0.2"}))
    assert found == [Definition("night", images=("1", "b.jpg")), Definition("dark", "brightness < 0.2")]
    assert [one.text for one in found] == ["images by name", "brightness < 0.2"]


def test_a_table_of_attributes(tmp_path: Path) -> None:
    as_json = read_manifest(written(tmp_path, {"manifest_version": "1", "key_kind": "image_id", "rows": ROWS}))
    as_csv = read_manifest(written(tmp_path, "key,weather,time\n1,fog,day\n2,sun,\n3,fog,\n", "slices.csv"))
    assert as_json == as_csv
    assert [(one.name, one.images, one.rest) for one in as_json] == [
        ("time=day", ("1",), False),
        ("time=(none)", ("1",), True),
        ("weather=fog", ("1", "3"), False),
        ("weather=sun", ("2",), False),
        ("weather=(none)", ("1", "2", "3"), True),
    ]


def test_a_list_of_members(tmp_path: Path) -> None:
    found = read_manifest(written(tmp_path, "\ufeffimage,slice\na.jpg,night\nb.jpg,rain\n2,night\n", "slices.CSV"))
    assert found == [Definition("night", images=("a.jpg", "2")), Definition("rain", images=("b.jpg",))]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("{", "a.json", "is no JSON"),
        ("[]", "a.json", "holds no object"),
        ("{}", "a.json", "names no slice"),
        ({"a": 3}, "a.json", "neither a list of images nor a condition"),
        ({"a": [True]}, "a.json", "neither a list"),
        ({"a": " "}, "a.json", "empty condition"),
        ('{"a": [1], "a": [2]}', "a.json", "'a' is there twice"),
        ({"key_kind": "result", "rows": []}, "a.json", "key_kind is 'result'"),
        ({"key_kind": "image_id", "rows": [{"weather": "fog"}]}, "a.json", r"rows\[0\] has no `key`"),
        ({"key_kind": "image_id", "rows": [ROWS[0], ROWS[0]]}, "a.json", "the key 1 is there twice"),
        ("", "a.csv", "names no slice and image"),
        ("slcie,image\na,b\n", "a.csv", "did you mean slice"),
        ("slice,image\na\n", "a.csv", "row 1 has 1 cells, the header 2"),
        ("slice,image\n", "a.csv", "names no slice"),
    ],
)
def test_what_is_no_manifest(tmp_path: Path, content: object, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as refused:
        read_manifest(written(tmp_path, content, name))
    assert str(tmp_path / name) in str(refused.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_manifest(tmp_path / "none.json")
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="cannot be read"):
        read_manifest(tmp_path / "a.json")
