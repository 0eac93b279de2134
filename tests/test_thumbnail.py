"""Thumbnails: their size, what a pixel of them is, and the file they are kept in."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from qm_cli import engine, run
from qm_cli.columns import available
from qm_cli.errors import MetricError, UsageError
from qm_cli.metric import described, metric
from qm_cli.pixels import Pixels
from qm_cli.request import Request
from qm_cli.run import scored_rows
from qm_cli.thumbnail import small, thumbnail
from tests.builders import tables, write

IMAGES = 6


@pytest.mark.parametrize(
    ("size", "shrunk"),
    [
        ((480, 640), (120, 160)),
        ((640, 480), (160, 120)),
        ((1, 1), (1, 1)),
        ((160, 90), (160, 90)),
        ((2, 30000), (1, 160)),
    ],
)
def test_size(size: tuple[int, int], shrunk: tuple[int, int]) -> None:
    picture = cv2.imdecode(np.frombuffer(thumbnail(Pixels(np.zeros((*size, 3), np.uint8))), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[:2] == shrunk


def test_a_pixel_is_the_mean_of_those_it_stands_for() -> None:
    image = np.random.default_rng(0).integers(0, 255, (240, 480, 3)).astype(np.uint8)
    mean = image.reshape(80, 3, 160, 3, 3).mean(axis=(1, 3))
    assert np.abs(small(image) - mean).max() <= 0.5 + 1e-6


def test_the_picture_is_near_the_image() -> None:
    image = np.zeros((300, 300, 3), np.uint8)
    image[:, :150] = (250, 60, 10)
    picture = cv2.imdecode(np.frombuffer(thumbnail(Pixels(image)), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(picture[80, 20].astype(int) - (10, 60, 250)).max() < 8
    assert picture[80, 140].max() < 8


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Six pictures of noise, the third of which cannot be read."""
    random = np.random.default_rng(1)
    images = []
    for number in range(IMAGES):
        cv2.imwrite(str(tmp_path / f"{number}.png"), random.integers(0, 255, (200, 170, 3)).astype(np.uint8))
        images.append({"id": f"i{IMAGES - number}", "file_name": f"{number}.png", "width": 170, "height": 200})
    (tmp_path / "2.png").write_bytes(b"no picture")
    write(tmp_path, {"images": images, "categories": [{"id": 1, "name": "one"}], "annotations": []}, [])
    (tmp_path / "predictions.json").unlink()
    return tmp_path


def test_the_file_is_the_same_whatever_shards_and_workers(
    dataset: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("runs")
    found = []
    for name, settings in {"one": {"workers": 1}, "parts": {"workers": 2, "shards": 4}}.items():
        run.score(dataset, place / name, thumbnails=True, metrics=("image.area",), **settings)
        found.append((place / name / "thumbnail.parquet").read_bytes())
    assert found[0] == found[1]
    table = pq.read_table(place / "one" / "thumbnail.parquet")
    assert table["id"].to_pylist() == ["i6", "i5", "i4", "i3", "i2", "i1"]
    pictures = table["thumbnail"].to_pylist()
    assert [place for place, content in enumerate(pictures) if content is None] == [2]
    assert all(content[8:12] == b"WEBP" for content in pictures if content)
    assert table.schema.field("thumbnail").metadata[b"meaning"].startswith(b"The image as WebP of quality 75")
    columns = pq.read_schema(place / "one" / "image.parquet").names
    assert "thumbnail" not in columns


def test_off_by_default(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("runs") / "run"
    run.score(dataset, place, metrics=("image.area",))
    assert not (place / "thumbnail.parquet").exists()


def test_rows_on_stdout_hold_none(dataset: Path) -> None:
    with pytest.raises(UsageError, match="a file of the run folder"):
        scored_rows(Request(dataset, thumbnails=True), "image")


def test_without_images_they_are_skipped_with_a_reason(dataset: Path) -> None:
    for file in dataset.glob("*.png"):
        file.unlink()
    plan = run.plan_score(Request(dataset, thumbnails=True, metrics=("image.area",)))
    assert plan["skipped"] == [{"metric": "image.thumbnail", "reason": "needs images"}]


@metric(level="image", kind="data", unit="", better="neither")
def raw(pixels: Pixels) -> bytes:
    """Bytes that are not said to be."""
    return b"123"


def test_bytes_need_to_be_declared(dataset: Path) -> None:
    document = {"images": [{"id": 1, "file_name": "1.png"}], "categories": [], "annotations": []}
    given, known = tables(document, []), {"image.raw": described(raw, "image")}
    plan = engine.plan(known, known, available(given, images=True))
    with pytest.raises(MetricError, match="gives bytes for one sample"):
        engine.run(given, plan, images=dataset)
