"""Images of a folder, sorted by their path below it."""

from __future__ import annotations

from pathlib import Path

import pytest

from qm_cli.errors import InputError
from qm_cli.ingest import image_folder
from tests.input_files import write


def test_read(tmp_path: Path) -> None:
    for name in ("b.JPG", "a/c.png", "notes.txt", ".hidden.jpg", ".cache/x.jpg"):
        write(tmp_path / name, b"")
    raw = image_folder.read(tmp_path)
    assert raw.image["id"].to_pylist() == ["a/c.png", "b.JPG"]
    assert raw.image["width"].to_pylist() == [None, None]
    assert raw.label == {}


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no image files"):
        image_folder.read(tmp_path)
    with pytest.raises(InputError, match="no such folder of images"):
        image_folder.read(tmp_path / "none")


def test_whether_there_is_any_image(tmp_path: Path) -> None:
    assert not image_folder.holds_images(tmp_path)
    (tmp_path / "deep" / "down").mkdir(parents=True)
    (tmp_path / "deep" / ".hidden.jpg").touch()
    (tmp_path / "labels.json").touch()
    assert not image_folder.holds_images(tmp_path)
    (tmp_path / "deep" / "down" / "a.JPG").touch()
    assert image_folder.holds_images(tmp_path)
