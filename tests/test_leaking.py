"""What two sets share: planted copies, near copies and frames of one recording, and the numbers without them."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from qm_cli import main, run
from qm_cli.errors import InputError, UsageError
from qm_cli.leaking import _equal, leakage
from tests.photo_sets import photo_set, write_labels

SIDE = 64


@pytest.fixture
def sets(tmp_path: Path) -> tuple[Path, Path]:
    """Ten images of training; of six of validation one is a copy, one nearly a copy, two of a recording in training."""
    train = photo_set(tmp_path / "train", 10, SIDE)
    validation = photo_set(tmp_path / "val", 6, SIDE)
    coarse = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8))
    blobs = coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    blobs.save(train / "images" / "0004.png")
    shutil.copy(train / "images" / "0007.png", validation / "images" / "0001.png")
    blobs.point(lambda value: int(value * 0.97)).save(validation / "images" / "0002.png")
    videos = {"train": {3: "drive"}, "val": {4: "drive", 5: "drive", 0: "walk"}}
    for folder in (train, validation):
        labels = json.loads((folder / "labels.json").read_text())
        for image in labels["images"]:
            image["video_id"] = videos[folder.name].get(image["id"], f"{folder.name}{image['id']}")
        (folder / "labels.json").write_text(json.dumps(labels))
    found = json.loads((validation / "labels.json").read_text())["annotations"]
    hits = [{key: one[key] for key in ("image_id", "category_id", "bbox")} | {"score": 0.9} for one in found]
    missed = [{**one, "bbox": [40, 40, 9, 9]} if one["image_id"] in (0, 3) else one for one in hits]
    (validation / "predictions.json").write_text(json.dumps(missed))
    return train, validation


def kinds(report: dict) -> dict[int, tuple[str, int]]:
    return {row["id"]: (row["kind"], row["train_id"]) for row in report["images"]}


EXPECTED = {1: ("exact", 7), 2: ("near", 4), 4: ("recording", 3), 5: ("recording", 3)}


def test_what_was_planted_is_found(sets: tuple[Path, Path]) -> None:
    report = leakage(*sets)
    assert kinds(report) == EXPECTED
    assert report["counts"] == {"exact": 1, "near": 1, "recording": 2}
    assert (report["leaked"], report["share"], report["evaluation"]) == (4, 4 / 6, None)


def test_a_run_is_evaluated_without_what_leaks(sets: tuple[Path, Path]) -> None:
    for folder in sets:
        run.score(folder, workers=1)
    report = leakage(*sets)
    assert kinds(report) == EXPECTED
    assert report["evaluation"]["all"]["recall"] == 4 / 6
    assert report["evaluation"]["without_leaked"]["recall"] == 0
    assert report["evaluation"]["without_leaked"]["images"] == 2


def test_recordings_by_file_name(sets: tuple[Path, Path]) -> None:
    report = leakage(*sets, recording=r"^(\d\d\d[0-2])")
    assert {row["id"]: row["kind"] for row in report["images"]} == {0: "recording", 1: "exact", 2: "near"}
    with pytest.raises(UsageError, match="fits no file name"):
        leakage(*sets, recording="frame_")
    with pytest.raises(UsageError, match="--recording"):
        leakage(*sets, recording="(")


def test_nothing_shared(tmp_path: Path) -> None:
    report = leakage(photo_set(tmp_path / "a", 3), photo_set(tmp_path / "b", 4))
    assert (report["leaked"], report["images"], report["recording"]) == (0, [], None)


def test_images_that_are_not_there_cannot_be_compared(tmp_path: Path) -> None:
    folder = photo_set(tmp_path / "a", 3)
    shutil.rmtree(folder / "images")
    write_labels(folder, 3)
    with pytest.raises((InputError, UsageError)):
        leakage(folder, folder)


def test_the_way_to_hashes_works(sets: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """The command of the hint, as it stands, makes a run that can be compared."""
    train, validation = sets
    run.score(validation, metrics=("image.area",))
    for target in (validation, validation / "qm-run"):
        with pytest.raises(InputError, match="have no pixel_hash") as caught:
            leakage(train, target)
        command = shlex.split(caught.value.hint.partition("qm ")[2])
        assert main.run([*command, "--quiet"]) == 0
        capsys.readouterr()
        report = leakage(train, Path(command[-1]))
        assert kinds(report) == EXPECTED
        assert report["evaluation"] is not None
    elsewhere = run.score(validation, validation.parent / "elsewhere", metrics=("image.area",))
    with pytest.raises(InputError, match=r"qm score DATASET --metrics image\.pixel_hash,image\.perceptual_hash -o NEW"):
        leakage(train, elsewhere.path)
    shutil.rmtree(validation / "images")
    bare = run.score(validation, validation.parent / "bare", metrics=("image.area", "image.pixel_hash"))
    with pytest.raises(InputError, match="its image files were not there"):
        leakage(train, bare.path)


def with_videos(folder: Path, videos: list[int | str | None]) -> Path:
    """A set of photographs, one of each recording."""
    photo_set(folder, len(videos), SIDE)
    labels = json.loads((folder / "labels.json").read_text())
    for image, video in zip(labels["images"], videos, strict=True):
        if video is not None:
            image["video_id"] = video
    (folder / "labels.json").write_text(json.dumps(labels))
    return folder


@pytest.mark.parametrize(
    ("known", "held", "expected"),
    [
        ([7, 3, 3, None, 9], [3, 5, None, 7], {0: ("recording", 1), 3: ("recording", 0)}),
        (["7", "3", "3"], ["3", None], {0: ("recording", 1)}),
        ([7, 3, 3, 3], ["3", "7"], {}),
        ([1.5, 3.0, 3.0], [3, 5], {0: ("recording", 1)}),
        ([None, None, None], [3, 5], {}),
    ],
)
def test_recordings_are_known_by_their_first_image(
    tmp_path: Path, known: list, held: list, expected: dict[int, tuple[str, int]]
) -> None:
    report = leakage(with_videos(tmp_path / "a", known), with_videos(tmp_path / "b", held))
    assert kinds(report) == expected


@pytest.mark.parametrize("form", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
def test_texts_are_equal_in_whatever_form_they_are(form: pa.DataType) -> None:
    """Two runs may keep a column of the user's in two forms."""
    plain = pa.array(["a", None, "b"])
    other = pa.array(["b", None, "c"]).cast(form)
    assert _equal(plain, other).tolist() == [-1, -1, 0]
    assert _equal(other, plain).tolist() == [2, -1, -1]
