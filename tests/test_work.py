"""Tasks: what is opened, what is found, what travels."""

from __future__ import annotations

import pickle
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from qm_cli import catalog
from qm_cli.errors import MetricError
from qm_cli.image_task import PIXELS, Call, Function, Objects, Task
from qm_cli.metric import described, metric
from qm_cli.pixels import Pixels, pixels_of
from qm_cli.work import call_of, do

UNKNOWN = (np.nan, np.nan)


class Ends(NamedTuple):
    low: Any
    high: Any


@metric(level="image", kind="data", unit="level")
def ends(pixels: Pixels, factor: float, *, shift: int = 0) -> Ends:
    return Ends(pixels.rgb.min() * factor + shift, str(pixels.rgb.max()))


@metric(level="label", kind="data", unit="px")
def covered(pixels: Pixels) -> int:
    assert pixels.mask is not None
    return int(pixels.mask.sum())


@metric(level="image", kind="data", unit="px")
def broken(pixels: Pixels) -> float:
    return pixels.width / 0


@metric(level="image", kind="data", unit="px")
def noisy(pixels: Pixels) -> Any:
    print("hello")
    warnings.warn("careful", stacklevel=1)
    return np.array(np.float32(2))


@metric(level="image", kind="data", unit="px")
def greedy(pixels: Pixels) -> float:
    return float(np.empty(1 << 58)[0]) if pixels.rgb[0, 0, 0] == 20 else 1.0


@metric(level="image", kind="data", unit="px")
def whole(pixels: Pixels) -> Any:
    return pixels.rgb


def call(function: Any, *inputs: Any, level: str = "image", **options: Any) -> Call:
    one = described(function, level)
    return call_of(one, inputs or (PIXELS,), {**one.options, **options})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    images = tmp_path / "images"
    images.mkdir()
    for name, value in (("a.png", 10), ("b.png", 20)):
        Image.new("RGB", (8, 6), (value, value, value + 1)).save(images / name)
    (images / "bad.png").write_bytes(b"no image")
    Image.new("RGB", (8, 6)).save(tmp_path / "outside.png")
    return images


def task(folder: Path, names: list[str | None], *calls: Call, sizes: Any = UNKNOWN, **objects: Objects) -> Task:
    return Task(str(folder), names, np.broadcast_to(np.array(sizes, float), (len(names), 2)), calls, objects)


def test_values_in_order_null_where_there_are_no_pixels(folder: Path) -> None:
    given = task(folder, ["a.png", "bad.png", "b.png"], call(ends, PIXELS, np.array([1.0, 2.0, 3.0]), shift=1))
    for one in (given, pickle.loads(pickle.dumps(given))):
        result = do(one)
        assert result.columns == {("image", "low"): [11, None, 61], ("image", "high"): ["11", None, "21"]}
        assert all(type(value) in (float, type(None)) for value in result.columns["image", "low"])
        assert result.sizes.tolist()[0] == [8, 6]
        assert np.isnan(result.sizes[1]).all()


def test_faults(folder: Path) -> None:
    names = ["../outside.png", "none.png", "bad.png", None, "/etc/passwd", "sub/../a.png", str(folder / "b.png"), "x\0"]
    result = do(task(folder, names, call(ends, PIXELS, 1.0)))
    assert [(image, code) for image, code, _ in result.faults] == [
        (0, "image-outside-folder"),
        (1, "image-missing-file"),
        (2, "image-unreadable"),
        (3, "image-missing-file"),
        (4, "image-outside-folder"),
        (7, "image-outside-folder"),
    ]
    assert str(folder) not in "".join(detail for _, _, detail in result.faults)


def test_size_that_differs(folder: Path) -> None:
    result = do(task(folder, ["a.png"], call(ends, PIXELS, 1.0), sizes=(9, 6)))
    assert result.faults == [(0, "image-size-differs", "9 × 6 in the labels, 8 × 6 in the file")]
    assert do(task(folder, ["a.png"], call(ends, PIXELS, 1.0), sizes=(8, 6))).faults == []


def test_without_calls_only_sizes_are_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qm_cli.work.pixels_of", None)
    result = do(task(folder, ["a.png", "bad.png"], sizes=UNKNOWN))
    assert result.sizes.tolist()[0] == [8, 6]
    assert result.columns == {}


def test_objects(folder: Path) -> None:
    boxes = np.array([[0, 0, 2, 2], [0, 0, 4, 4], [7, 0, 9, 9], [50, 50, 1, 1.0], [0, 0, 1, 1]])
    polygons = [None, [[0, 0, 4, 0, 4, 2, 0, 2]], None, None, None]
    objects = Objects(np.array([0, 2, 2, 4, 5]), boxes, polygons)
    names = ["a.png", "none.png", "b.png", "bad.png"]
    result = do(task(folder, names, call(covered, level="label"), label=objects))
    assert result.columns == {("label", "covered"): [4, 8, 6, None, None]}
    assert [fault[0] for fault in result.faults] == [3], "an image without objects is not opened"


def test_each_file_is_decoded_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[bytes] = []

    def counting(content: bytes, size: Any, limit: int) -> Pixels:
        opened.append(content)
        return pixels_of(content, size, limit)

    monkeypatch.setattr("qm_cli.work.pixels_of", counting)
    objects = Objects(np.array([0, 2]), np.zeros((2, 4)), None)
    do(task(folder, ["a.png"], call(ends, PIXELS, 1.0), call(noisy), call(covered, level="label"), label=objects))
    assert len(opened) == 1


def test_a_users_failure_is_told_with_its_line(folder: Path) -> None:
    with pytest.raises(MetricError) as raised:
        do(task(folder, ["a.png"], call(broken)))
    line = broken.__code__.co_firstlineno + 2
    expected = f"metric image.broken failed on a.png: test_work.py, line {line}: ZeroDivisionError: division by zero"
    assert raised.value.message == expected


def test_an_image_too_large_for_memory_ends_nothing(folder: Path) -> None:
    result = do(task(folder, ["a.png", "b.png", "a.png"], call(greedy), call(ends, PIXELS, 1.0)))
    assert result.columns["image", "greedy"] == [1.0, None, 1.0]
    assert result.columns["image", "low"] == [10, 20, 10]
    assert result.faults == [(1, "image-unreadable", "not enough memory for image.greedy")]


def test_a_user_prints_and_warns_beside_the_results(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert do(task(folder, ["a.png"], call(noisy))).columns["image", "noisy"] == [2.0]
    assert capsys.readouterr() == ("", "hello\n")


def test_one_value_for_one_sample(folder: Path) -> None:
    with pytest.raises(MetricError, match=r"gives a ndarray of shape \(6, 8, 3\) for one sample"):
        do(task(folder, ["a.png"], call(whole)))


def test_a_plugins_function_travels_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from qm_cli.metric import metric\n@metric(level='image', kind='data', unit='px')\ndef two(pixels): return 2\n"
    )
    function = catalog.load([path])["image.two"].function
    sent = pickle.dumps(Function(function))
    del sys.modules[function.__module__]
    assert pickle.loads(sent).call(None) == 2


def test_a_function_that_cannot_travel() -> None:
    sent = pickle.dumps(Function(ends)).replace(b"ends", b"endz")
    with pytest.raises(MetricError, match="endz cannot be found in a worker process"):
        pickle.loads(sent)


@metric(level="image", kind="data", unit="vector")
def odd_vector(pixels: Pixels, *, kind: str = "good") -> Any:
    made = {"good": np.ones(2, np.float32), "wide": np.ones((2, 2), np.float32), "nan": np.full(2, np.nan, np.float32)}
    return made.get(kind)


def test_vectors(folder: Path) -> None:
    assert do(task(folder, ["a.png"], call(odd_vector))).columns["image", "odd_vector"][0].tolist() == [1, 1]
    assert do(task(folder, ["a.png"], call(odd_vector, kind="none"))).columns["image", "odd_vector"] == [None]
    for kind, words in (("wide", r"float32 of shape \(2, 2\)"), ("nan", "return finite numbers")):
        with pytest.raises(MetricError, match=words):
            do(task(folder, ["a.png"], call(odd_vector, kind=kind)))
