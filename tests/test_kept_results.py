"""What was measured of an image is taken up again as long as nothing it depends on has changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from qm_cli import run
from qm_cli.errors import InputError, UsageError
from qm_cli.image_task import PIXELS, Call, Function, Objects, ShardResult, Task
from qm_cli.kept_results import Kept, kept_for, parts_of
from qm_cli.work import do
from tests.photo_sets import add_photo, fingerprints, photo_set, write_labels

ROOT = Path(__file__).parents[1]
SLOW = """
import time
from qm_cli.metric import metric

@metric(level="image", kind="data", unit="s", range=(0, 1))
def slow(pixels):
    "One half, in its own time, with a mark for each call."
    time.sleep(0.1)
    with open({log!r}, "a") as log:
        log.write("x")
    return 0.5
"""


def brightness(pixels: object, *, scale: float = 1.0) -> float:
    return float(pixels.rgb.mean()) * scale  # type: ignore[attr-defined]


def task(folder: Path, names: list[str | None], scale: float = 1.0, widths: tuple[int, ...] = (5, 6, 7)) -> Task:
    call = Call("image.brightness", "image", Function(brightness), ("brightness",), (PIXELS,), {"scale": scale}, True)
    boxes = np.array([[0, 0, width, 5.0] for width in widths])
    objects = {"label": Objects(np.array([0, 1, 1, 3]), boxes, None)}
    return Task(str(folder), names, np.full((3, 2), np.nan), (call,), objects)


def test_keys_follow_what_a_result_depends_on(tmp_path: Path) -> None:
    folder = photo_set(tmp_path / "set", 3) / "images"
    names: list[str | None] = ["0000.png", "0001.png", None]
    kept = Kept(tmp_path / "kept")
    keys = kept.keys(task(folder, names))
    assert keys[2] is None
    assert len(set(keys)) == 3
    assert keys == kept.keys(task(folder, names))
    assert not set(keys[:2]) & set(kept.keys(task(folder, names, scale=2.0)))
    other_box = kept.keys(task(folder, names, widths=(9, 6, 7)))
    assert (other_box[0] == keys[0], other_box[1] == keys[1]) == (False, True)
    os.utime(folder / "0001.png", ns=(1, 1))
    touched = kept.keys(task(folder, names))
    assert (touched[0] == keys[0], touched[1] == keys[1]) == (True, False)


def test_results_come_back_equal(tmp_path: Path) -> None:
    vector = np.arange(3, dtype=np.float32)
    columns = {("image", "one"): [0.1], ("image", "all"): [vector], ("label", "two"): [None, "text", True, 3]}
    result = ShardResult(columns, np.array([[8.0, np.nan]]), [(0, "image-unreadable", "why")])
    Kept(tmp_path).keep([(b"a" * 16, result), (None, result)])
    (found, absent) = Kept(tmp_path).found([b"a" * 16, b"b" * 16])
    assert absent is None
    assert found is not None
    assert found.columns["image", "one"] == [0.1]
    assert found.columns["image", "all"][0].tobytes() == vector.tobytes()
    assert found.columns["label", "two"] == [None, "text", True, 3]
    assert found.sizes.tobytes() == result.sizes.tobytes()
    assert found.faults == result.faults


def test_parts_of_a_result_are_those_of_its_images(tmp_path: Path) -> None:
    whole = task(photo_set(tmp_path / "set", 3) / "images", ["0000.png", "none.png", "0002.png"])
    parts = parts_of(whole, do(whole))
    for image, part in enumerate(parts):
        alone = do(whole.part(image, image + 1))
        assert (part.columns, part.sizes.tobytes(), part.faults) == (alone.columns, alone.sizes.tobytes(), alone.faults)


def test_what_other_folders_hold_is_written_to_the_place(tmp_path: Path) -> None:
    result = ShardResult({("image", "one"): [1]}, np.ones((1, 2)), [])
    Kept(tmp_path / "old").keep([(b"a" * 16, result)])
    Kept(tmp_path / "new", [tmp_path / "old"]).found([b"a" * 16])
    assert Kept(tmp_path / "new").found([b"a" * 16])[0] is not None


def test_a_spoilt_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.msgpack").write_bytes(b"\xff")
    with pytest.raises(InputError, match=r"x\.msgpack: cannot be read"):
        Kept(tmp_path)


def test_a_run_in_an_object_store_cannot_be_resumed() -> None:
    assert kept_for(Path("s3://bucket/run"), resume=False) is None
    with pytest.raises(UsageError, match="not on this machine"):
        kept_for(Path("s3://bucket/run"), resume=True)


def test_only_new_images_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = photo_set(tmp_path / "set", 20)
    run.score(folder, workers=1)
    add_photo(folder, 20, np.random.default_rng(1))
    write_labels(folder, 21)
    decoded: list[bytes] = []
    from qm_cli import work

    real = work.pixels_of
    monkeypatch.setattr(work, "pixels_of", lambda content, *rest: decoded.append(content) or real(content, *rest))
    resumed = fingerprints(run.score(folder, workers=1, resume=True))
    assert len(decoded) == 1
    assert resumed == fingerprints(run.score(folder, tmp_path / "fresh", workers=1))
    assert len(decoded) == 1 + 21


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    folder = photo_set(tmp_path / "set", 60)
    plugin = tmp_path / "slow.py"
    log = tmp_path / "log"
    plugin.write_text(SLOW.format(log=str(log)))
    options = [str(folder), "--plugin", str(plugin), "--workers", "1", "--shards", "20", "--quiet"]
    started = subprocess.Popen([sys.executable, "-m", "qm_cli", "score", *options], cwd=ROOT)
    parts = folder / ".qm-run.parts"
    limit = time.monotonic() + 60
    while len(list(parts.glob("*.msgpack"))) < 3 and time.monotonic() < limit:
        time.sleep(0.02)
    started.send_signal(signal.SIGKILL)
    started.wait()
    done = 3 * len(list(parts.glob("*.msgpack")))
    assert 9 <= done < 60
    assert not (folder / "qm-run").exists()
    log.unlink()
    subprocess.run([sys.executable, "-m", "qm_cli", "score", *options, "--resume"], cwd=ROOT, check=True)
    assert len(log.read_bytes()) == 60 - done
    assert not parts.exists()
    fresh = run.score(folder, tmp_path / "fresh", plugins=(plugin,), workers=2)
    assert fingerprints(folder / "qm-run") == fingerprints(fresh)
