"""Files that end in the middle are told; one that ends the process which decodes it is, too, and the check goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from qm_cli.rescue import WorkerLostError, rescued
from qm_cli.whole_images import Files, decoded, problems_of

DEADLY = """
import os
from PIL import JpegImagePlugin
decode = JpegImagePlugin.JpegImageFile.load
def load(self):
    if self.size[0] == 33:
        os._exit(3)
    return decode(self)
JpegImagePlugin.JpegImageFile.load = load
"""
"""Stands for a decoder that crashes: it ends its process at images 33 pixels wide."""


def jpeg(path: Path, width: int = 64, part: float = 1.0) -> None:
    from PIL import Image

    noise = np.random.default_rng(width).integers(0, 255, (48, width, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, quality=90)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])


def test_truncated_or_whole(tmp_path: Path) -> None:
    jpeg(tmp_path / "whole.jpg")
    jpeg(tmp_path / "cut.jpg", part=0.5)
    (tmp_path / "text.jpg").write_text("no image")
    names = ["whole.jpg", "cut.jpg", "text.jpg", "none.jpg"]
    expected = ["", *["image-truncated"] * 3]
    assert decoded(Files(str(tmp_path), tuple(names))) == expected
    assert problems_of(str(tmp_path), names * 9) == expected * 9
    assert problems_of(str(tmp_path), []) == []


def test_the_culprit_is_found() -> None:
    files = Files("folder", tuple(f"{n}.jpg" for n in range(11)))

    def attempt(part: Files) -> list[str]:
        if "7.jpg" in part.names:
            raise WorkerLostError
        return ["" for _ in part.names]

    assert rescued(files, attempt) == ["image-ends-worker" if n == 7 else "" for n in range(11)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forked processes here")
def test_a_decoder_that_crashes_does_not_end_the_check(tmp_path: Path) -> None:
    folder = tmp_path / "set" / "images"
    folder.mkdir(parents=True)
    jpeg(folder / "1.jpg", part=0.6)
    jpeg(folder / "2.jpg", width=33, part=0.6)
    jpeg(folder / "3.jpg")
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 33 if n == 2 else 64, "height": 48} for n in (1, 2, 3)]
    labels = {"images": images, "categories": [{"id": 1, "name": "a"}], "annotations": []}
    (tmp_path / "set" / "labels.json").write_text(json.dumps(labels))
    (tmp_path / "sitecustomize.py").write_text(DEADLY)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).parents[1])])}
    command = [sys.executable, "-m", "qm_cli", "check", str(tmp_path / "set"), "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    found = {one["code"]: one["examples"] for one in json.loads(done.stdout)["findings"]["data"]}
    assert (found["image-truncated"], found["image-ends-worker"]) == (["1.jpg"], ["2.jpg"])
