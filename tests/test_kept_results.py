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
from qm_cli.run_folder import open_run
from qm_cli.work import do
from tests.photo_sets import add_photo, fingerprints, photo_set, write_labels

KEY = b"a" * 16
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
    result = ShardResult(columns, np.array([[8.0, np.nan]]), [(0, "image-size-differs", "why")])
    Kept(tmp_path).keep([KEY], [result])
    kept = Kept(tmp_path)
    assert kept.known([KEY, b"b" * 16, None]) == [True, False, False]
    found = kept.result(KEY)
    assert found.columns["image", "one"] == [0.1]
    assert found.columns["image", "all"][0].tobytes() == vector.tobytes()
    assert found.columns["label", "two"] == [None, "text", True, 3]
    assert found.sizes.tobytes() == result.sizes.tobytes()
    assert found.faults == result.faults


@pytest.mark.parametrize("code", ["image-missing-file", "image-unreadable", "image-ends-worker"])
def test_what_may_be_otherwise_next_time_is_for_this_pass_only(tmp_path: Path, code: str) -> None:
    kept = Kept(tmp_path)
    result = ShardResult({("image", "one"): [None]}, np.full((1, 2), np.nan), [(0, code, "")])
    first, second = (kept.keep([key], [result])[0] for key in (KEY, None))
    assert first != second
    assert kept.result(first).faults == kept.result(second).faults == [(0, code, "")]
    assert kept.known([KEY]) == Kept(tmp_path).known([KEY]) == Kept(tmp_path).known([first]) == [False]


def test_parts_of_a_result_are_those_of_its_images(tmp_path: Path) -> None:
    whole = task(photo_set(tmp_path / "set", 3) / "images", ["0000.png", "none.png", "0002.png"])
    parts = parts_of(whole, do(whole))
    for image, part in enumerate(parts):
        alone = do(whole.part(image, image + 1))
        assert (part.columns, part.sizes.tobytes(), part.faults) == (alone.columns, alone.sizes.tobytes(), alone.faults)


def test_what_other_folders_hold_is_written_to_the_place(tmp_path: Path) -> None:
    result = ShardResult({("image", "one"): [1]}, np.ones((1, 2)), [])
    Kept(tmp_path / "old").keep([KEY, b"b" * 16], [result, result])
    assert Kept(tmp_path / "new", [tmp_path / "old"]).known([KEY]) == [True]
    assert Kept(tmp_path / "new").known([KEY, b"b" * 16]) == [True, False]


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
    run.score(folder, workers=0)
    add_photo(folder, 20, np.random.default_rng(1))
    write_labels(folder, 21)
    decoded: list[bytes] = []
    from qm_cli import work

    real = work.pixels_of
    monkeypatch.setattr(work, "pixels_of", lambda content, *rest: decoded.append(content) or real(content, *rest))
    resumed = fingerprints(run.score(folder, workers=0, resume=True))
    assert len(decoded) == 1
    assert resumed == fingerprints(run.score(folder, tmp_path / "fresh", workers=0))
    assert len(decoded) == 1 + 21


def test_a_file_that_comes_back_is_measured(tmp_path: Path) -> None:
    """Moved away and back it is the same by size and time; what was missing then is not missing now."""
    folder = photo_set(tmp_path / "set", 3)
    fresh = fingerprints(run.score(folder, tmp_path / "fresh", workers=1))
    (folder / "images" / "0001.png").rename(tmp_path / "away.png")
    run.score(folder, workers=1)
    (tmp_path / "away.png").rename(folder / "images" / "0001.png")
    assert fingerprints(run.score(folder, workers=1, resume=True)) == fresh


def test_a_changed_plugin_is_called_again(tmp_path: Path) -> None:
    """Its whole file counts: with another helper in it, a metric may give something else."""
    folder = photo_set(tmp_path / "set", 3)
    plugin = tmp_path / "mine.py"
    text = (
        "from qm_cli.metric import metric\nVALUE = 1.0\n\n"
        "@metric(level='image', kind='data', unit='px')\ndef mine(pixels):\n    'A value.'\n    return VALUE\n"
    )
    for value in ("1.0", "2.0"):
        plugin.write_text(text.replace("1.0", value))
        code = f"import sys; from qm_cli import main; sys.exit(main.run(['score', {str(folder)!r}, '--plugin', "
        code += f"{str(plugin)!r}, '--workers', '1', '-q', '--resume']))"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
        found = open_run(folder).table("image", ["mine"])["mine"].to_pylist()
        assert found == [float(value)] * 3


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
