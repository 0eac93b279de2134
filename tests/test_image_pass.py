"""The pass over the files: a worker that is killed, whatever backend, and the same bytes from all of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qm_cli import run
from qm_cli.image_task import Task
from qm_cli.run_folder import Run
from qm_cli.work import do
from tests.photo_sets import fingerprints, photo_set

KILLER = """
import os, signal
from qm_cli.metric import metric

@metric(level="image", kind="data", unit="share", range=(0, 1))
def deadly(pixels):
    "Ends the process at images whose first pixel is marked, as often as the file says."
    if tuple(pixels.rgb[0, 0]) == (1, 2, 3):
        left = int(open({count!r}).read())
        if left:
            open({count!r}, "w").write(str(left - 1))
            os.kill(os.getpid(), signal.SIGKILL)
    return pixels.rgb.mean() / 255
"""


@pytest.fixture
def deadly(tmp_path: Path) -> tuple[Path, Path]:
    """A set of 24 images, the eleventh of which is marked, and the plugin."""
    folder = photo_set(tmp_path / "set", 24)
    place = folder / "images" / "0010.png"
    pixels = np.array(Image.open(place))
    pixels[0, 0] = (1, 2, 3)
    Image.fromarray(pixels).save(place)
    plugin = tmp_path / "killer.py"
    plugin.write_text(KILLER.format(count=str(tmp_path / "count")))
    return folder, plugin


def scored(given: tuple[Path, Path], kills: int, name: str, workers: int = 2, shards: int | None = 6) -> Run:
    folder, plugin = given
    (folder.parent / "count").write_text(str(kills))
    return run.score(folder, folder.parent / name, plugins=(plugin,), workers=workers, shards=shards)


WAYS = pytest.mark.parametrize(("workers", "shards"), [(2, 6), (1, 6), (1, None)])
"""shards None: the images are so few that they make one task."""


@WAYS
def test_a_worker_killed_once_changes_nothing(deadly: tuple[Path, Path], workers: int, shards: int | None) -> None:
    killed = scored(deadly, 1, "killed", workers, shards)
    assert (deadly[0].parent / "count").read_text() == "0"
    assert fingerprints(killed) == fingerprints(scored(deadly, 0, "whole"))


@WAYS
def test_an_image_that_kills_every_worker_is_found(deadly: tuple[Path, Path], workers: int, shards: int | None) -> None:
    run_ = scored(deadly, 1000, "killed", workers, shards)
    values = run_.table("image", ["file_name", "deadly", "brightness"]).to_pylist()
    assert [one["file_name"] for one in values if one["deadly"] is None or one["brightness"] is None] == ["0010.png"]
    found = {finding["code"]: finding for finding in run_.summary()["findings"]}
    assert found["image-ends-worker"]["examples"] == ["0010.png"]


def test_files_outside_need_leave(tmp_path: Path) -> None:
    folder = photo_set(tmp_path / "set", 3)
    secret = tmp_path / "secret.png"
    (folder / "images" / "0001.png").rename(secret)
    (folder / "images" / "0001.png").symlink_to(secret)
    refused = run.score(folder, workers=1)
    assert refused.table("image", ["brightness"])["brightness"].null_count == 1
    assert [one["code"] for one in refused.summary()["findings"]] == ["image-outside-folder"]
    assert run.score(folder, workers=1, outside=True).table("image", ["brightness"])["brightness"].null_count == 0


def test_images_with_too_many_pixels_are_left(tmp_path: Path) -> None:
    folder = photo_set(tmp_path / "set", 2)
    found = run.score(folder, workers=1, pixel_limit=48 * 48 - 1)
    assert found.table("image", ["brightness"])["brightness"].null_count == 2
    (finding,) = found.summary()["findings"]
    assert (finding["code"], finding["detail"]) == ("image-unreadable", "48 × 48 is more than 2303 pixels")


def test_no_file_ends_the_run(tmp_path: Path) -> None:
    """What a folder may hold in place of images: each is a finding of its row, with null metrics."""
    folder = photo_set(tmp_path / "set", 2)
    images = folder / "images"
    photo = (images / "0000.png").read_bytes()
    contents = {"empty.png": b"", "cut.png": photo[:500], "text.jpg": b"not an image at all", "good.jpg": photo}
    contents |= {"new\nline.png": photo}
    for name, content in contents.items():
        (images / name).write_bytes(content)
    Image.new("1", (3000, 3000)).save(images / "bomb.png")
    for name, size in (("one.png", (1, 1)), ("wide.png", (30_000, 2)), ("tall.png", (2, 30_000))):
        Image.new("RGB", size, (1, 2, 3)).save(images / name)
    os.mkfifo(images / "pipe.jpg")
    (images / "folder.jpg").mkdir()
    (images / "loop.jpg").symlink_to("loop.jpg")
    (folder / "secret.png").write_bytes(photo)
    expected = {
        "image-missing-file": ["gone.png", "folder.jpg"],
        "image-unreadable": ["x" * 300, "empty.png", "cut.png", "text.jpg", "bomb.png", "pipe.jpg", "loop.jpg"],
        "image-outside-folder": ["../secret.png", "nul\0.png"],
    }
    fine = ["good.jpg", "new\nline.png", "one.png", "wide.png", "tall.png"]
    names = ["x" * 300, *(name for group in expected.values() for name in group if name != "x" * 300), *fine]
    document = {"images": [{"id": n, "file_name": name} for n, name in enumerate(names)], "annotations": []}
    (folder / "labels.json").write_text(json.dumps({**document, "categories": []}))
    runs = [run.score(folder, tmp_path / str(n), workers=n, shards=4, pixel_limit=1_000_000) for n in (0, 1, 2)]
    assert fingerprints(runs[0]) == fingerprints(runs[1]) == fingerprints(runs[2])
    table = runs[0].table("image", ["file_name", "brightness"]).to_pylist()
    assert [row["file_name"] for row in table if row["brightness"] is not None] == fine
    found = {one["code"]: one for one in runs[0].summary()["findings"] if one["severity"] == "error"}
    assert {code: one["count"] for code, one in found.items()} == {code: len(all_) for code, all_ in expected.items()}
    assert all(one["examples"] == expected[code][:5] for code, one in found.items())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    folder = photo_set(tmp_path / "images", 1) / "images"
    for place in (tmp_path, *tmp_path.parents[:2], folder.parent, folder):
        place.chmod(place.stat().st_mode | 0o111)
    (folder / "0000.png").chmod(0)
    os.seteuid(65534)
    try:
        result = do(Task(str(folder), ["0000.png"], np.full((1, 2), np.nan)))
    finally:
        os.seteuid(0)
    assert result.faults == [(0, "image-unreadable", "Permission denied")]
