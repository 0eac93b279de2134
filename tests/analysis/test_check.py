"""Findings about the files as a whole: box formats, image files, images without labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from qm_cli.analysis.check import SEVERITIES, check
from qm_cli.findings import Finding
from qm_cli.load import load_tables
from qm_cli.whole_images import problems_of
from tests.input_files import Row, document, image, label, prediction, write

SAMPLE = Path(__file__).parents[2] / "sample_data"


def found(
    folder: Path, labels: Row, predictions: list[Row] | None = None, images: Path | None = None
) -> dict[str, Finding]:
    prediction_file = None if predictions is None else write(folder / "p.json", predictions)
    loaded = load_tables(write(folder / "l.json", labels), prediction_file, shapes=True, tolerant=True)
    return {one.code: one for one in check(loaded, images, problems_of)}


BOXES = np.array([[10, 10, 20, 20], [50, 40, 30, 30], [70, 5, 25, 60], [60, 50, 35, 28]], float)
WIDTH, HEIGHT = np.full(4, 100.0), np.full(4, 80.0)
CORNERS = np.hstack([BOXES[:, :2], BOXES[:, :2] + BOXES[:, 2:]])


@pytest.mark.parametrize(("boxes", "code"), [(BOXES / 100, "boxes-normalised"), (CORNERS, "boxes-corners")])
def test_boxes_of_another_format(tmp_path: Path, boxes: Any, code: str) -> None:
    rows = [label(n, bbox=box) for n, box in enumerate(boxes.tolist())]
    assert found(tmp_path, document(labels=rows))[code].examples == ("labels",)
    predictions = [prediction(bbox=box) for box in boxes.tolist()]
    assert found(tmp_path, document(), predictions)[code].examples == ("predictions",)


def test_normalised_boxes_of_images_without_a_size(tmp_path: Path) -> None:
    images = [{"id": 1, "file_name": "1.jpg"}]
    rows = [label(n, bbox=box) for n, box in enumerate((BOXES / 100).tolist())]
    assert "boxes-normalised" in found(tmp_path, document(images, rows))


def test_images_without_labels(tmp_path: Path) -> None:
    one = found(tmp_path, document(labels=[label()]))["image-without-label"]
    assert (one.count, one.examples) == (1, ("2",))
    assert found(tmp_path, document(labels=[]))["image-without-label"].count == 2
    content = document()
    del content["annotations"]
    assert found(tmp_path, content) == {}


def test_other_set_is_a_finding(tmp_path: Path) -> None:
    rows = [prediction(image_id=f"{n}.jpg") for n in (1, 2)]
    one = found(tmp_path, document(), rows)["prediction-other-set"]
    assert one.detail == "0 of its 2 image ids match; --match-by file_name would match 2 of 2"


def picture(path: Path, width: int = 100, height: int = 80, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    Image.fromarray(noise).save(path, **options)
    return path


def with_file(folder: Path, name: str | None = "1.jpg") -> dict[str, Finding]:
    content = document([image(1, file_name=name), image(2)], [label(1), label(2, image_id=2)])
    picture(folder / "2.jpg")
    return found(folder.parent, content, images=folder)


def test_image_files(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    assert with_file(folder)["image-missing-file"].examples == ("1.jpg",)
    assert with_file(folder, None)["image-missing-file-name"].examples == ("1",)
    assert set(with_file(folder, "../1.jpg")) == {"image-outside-folder"}
    assert set(with_file(folder, f"{'x' * 300}.jpg")) == {"image-unreadable"}
    one = with_file(folder, "train/2.jpg")["image-missing-file"]
    assert one.detail == f"1 of them lie in {folder} itself: file_name has a folder too many"
    picture(folder / "1.jpg")
    assert with_file(folder) == {}
    picture(folder / "1.jpg", 80, 100)
    assert with_file(folder)["image-size-differs"].examples == ("1.jpg is 80×100, listed as 100×80",)


def test_rotation_by_exif_is_no_difference(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(tmp_path / "images" / "1.jpg", 80, 100, exif=exif)
    assert with_file(tmp_path / "images") == {}


def test_damaged_image_files(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    whole = picture(folder / "1.jpg").read_bytes()
    write(folder / "1.jpg", whole[: len(whole) // 2])
    assert with_file(folder)["image-truncated"].examples == ("1.jpg",)
    for content in (b"", b"no picture"):
        write(folder / "1.jpg", content)
        assert with_file(folder)["image-unreadable"].examples == ("1.jpg",)
    whole = picture(folder / "x.png").read_bytes()
    write(folder / "1.jpg", whole[:200] + bytes(100) + whole[300:])
    assert with_file(folder)["image-unreadable"].examples == ("1.jpg",)


def test_no_such_image_folder(tmp_path: Path) -> None:
    one = found(tmp_path, document(), images=tmp_path / "none")["image-missing-file"]
    assert (one.count, one.detail) == (2, f"there is no folder {tmp_path / 'none'}")


def test_errors_come_first(tmp_path: Path) -> None:
    content = document(labels=[{"image_id": 1, "category_id": 1, "bbox": [95, 1, 50, 5]}, label(2, image_id=3)])
    severities = [SEVERITIES.index(one.rule.severity) for one in found(tmp_path, content).values()]
    assert severities == sorted(severities)
    assert len(severities) >= 4


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample data is not here")
def test_sample_data() -> None:
    loaded = load_tables(SAMPLE / "labels.json", SAMPLE / "predictions" / "better.json", shapes=True, metadata=True)
    codes = {one.code for one in check(loaded, SAMPLE / "images", problems_of)}
    assert "label-outside-image" in codes
    assert not {code for code in codes if code.startswith(("boxes-", "prediction-", "image-missing"))}
