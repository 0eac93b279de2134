"""A result appears whole or not at all; lists of names are read as people write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qm_cli.errors import InputError
from qm_cli.output import deliver, named_lines, write_whole
from qm_cli.render.as_json import as_json


def test_a_file_is_replaced_whole_with_the_usual_permissions(tmp_path: Path) -> None:
    place = tmp_path / "ids.txt"
    place.write_text("old")
    plain = tmp_path / "plain.txt"
    plain.write_text("")
    deliver("é\n", place)
    assert place.read_bytes() == "é\n".encode()
    assert place.stat().st_mode == plain.stat().st_mode
    assert sorted(tmp_path.iterdir()) == [place, plain]


def test_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    deliver("text\n", None)
    deliver("more\n", Path("-"))
    assert capsys.readouterr().out == "text\nmore\n"


@pytest.mark.parametrize("name", [".", "missing/ids.txt"])
def test_a_place_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="name a"):
        write_whole("x", tmp_path / name)


def test_names(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_bytes(b"\xef\xbb\xbf7\r\n\n  a b.jpg \n7\n")
    assert named_lines(file) == ("7", "a b.jpg")
    assert named_lines(None) == ()
    file.write_bytes(b"\xff\xfe7")
    with pytest.raises(InputError, match="UTF-8"):
        named_lines(file)
    with pytest.raises(InputError, match="cannot be read"):
        named_lines(tmp_path / "missing")


def test_bytes_of_a_name_that_are_no_text_are_told_as_on_the_screen(tmp_path: Path) -> None:
    place = tmp_path / "facts.json"
    for content in (as_json({"path": "p\udcff.json"}), iter(['{"path": "p\udcff.json"}'])):
        write_whole(content, place)
        assert b"p\\udcff.json" in place.read_bytes()
        assert json.loads(place.read_text())["path"] == "p\udcff.json"
