"""The pass over the files: a worker that is killed, whatever backend, and the same bytes from all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from qm_cli import run
from qm_cli.run_folder import Run
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
    import numpy as np
    from PIL import Image

    folder = photo_set(tmp_path / "set", 24)
    place = folder / "images" / "0010.png"
    pixels = np.array(Image.open(place))
    pixels[0, 0] = (1, 2, 3)
    Image.fromarray(pixels).save(place)
    plugin = tmp_path / "killer.py"
    plugin.write_text(KILLER.format(count=str(tmp_path / "count")))
    return folder, plugin


def scored(given: tuple[Path, Path], kills: int, name: str) -> Run:
    folder, plugin = given
    (folder.parent / "count").write_text(str(kills))
    return run.score(folder, folder.parent / name, plugins=(plugin,), workers=2, shards=6)


def test_a_worker_killed_once_changes_nothing(deadly: tuple[Path, Path]) -> None:
    killed = scored(deadly, 1, "killed")
    assert (deadly[0].parent / "count").read_text() == "0"
    assert fingerprints(killed) == fingerprints(scored(deadly, 0, "whole"))


def test_an_image_that_kills_every_worker_is_found(deadly: tuple[Path, Path]) -> None:
    run_ = scored(deadly, 1000, "killed")
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
