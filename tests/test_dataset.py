"""A dataset folder is recognised by convention, qm.toml and options; everything else is told."""

from __future__ import annotations

import io
import os
import sys
import threading
from pathlib import Path

import pytest

from qm_cli import dataset
from qm_cli.errors import InputError
from tests.input_files import write


def folder(root: Path, *files: str) -> Path:
    for file in files:
        (root / file).mkdir(parents=True) if file.endswith("/") else write(root / file, "{}")
    return root


def test_convention(tmp_path: Path) -> None:
    folder(tmp_path, "labels.json", "predictions.json", "images/")
    found = dataset.find(tmp_path)
    assert found.labels == tmp_path / "labels.json"
    assert found.predictions == {"predictions": tmp_path / "predictions.json"}
    assert found.images == tmp_path / "images"
    assert found.settings == {}


def test_models_in_natural_order(tmp_path: Path) -> None:
    names = ["epoch10.json.gz", "epoch2.parquet", "a.json.zst", "b.feather", ".hidden.json", "readme.md"]
    folder(tmp_path, "annotations/instances.json.gz", *(f"predictions/{name}" for name in names))
    found = dataset.find(tmp_path)
    assert list(found.predictions) == ["a", "b", "epoch2", "epoch10"]
    assert found.labels == tmp_path / "annotations/instances.json.gz"
    assert found.images == tmp_path


def test_no_labels(tmp_path: Path) -> None:
    assert dataset.find(folder(tmp_path, "images/")).labels is None
    assert dataset.find(folder(tmp_path, "predictions.json")).images == tmp_path / "images"


def test_more_than_one_label_file(tmp_path: Path) -> None:
    folder(tmp_path, "labels.json", "annotations/b.json")
    with pytest.raises(InputError) as caught:
        dataset.find(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: more than one label file: labels.json, annotations/b.json (choose one by --labels or in qm.toml)"
    )
    assert dataset.find(tmp_path, labels=tmp_path / "labels.json").labels == tmp_path / "labels.json"


@pytest.mark.parametrize(
    ("text", "models"),
    [
        ('predictions = "x/p.json"', {"p": "x/p.json"}),
        ('predictions = ["x/p.json", "x/q.json"]', {"p": "x/p.json", "q": "x/q.json"}),
        ('[predictions]\nold = "x/p.json"', {"old": "x/p.json"}),
        ('predictions = "x"', {"p": "x/p.json", "q": "x/q.json"}),
    ],
)
def test_settings_file(tmp_path: Path, text: str, models: dict[str, str]) -> None:
    folder(tmp_path, "x/l.json", "other/p.json", "predictions.json", "pictures/")
    folder(tmp_path / "x" / "..", "x/p.json", "x/q.json")
    (tmp_path / "x" / "l.json").rename(tmp_path / "l.json")
    write(tmp_path / "qm.toml", f'labels = "l.json"\nimages = "pictures"\n{text}')
    found = dataset.find(tmp_path)
    assert found.labels == tmp_path / "l.json"
    assert found.images == tmp_path / "pictures"
    assert found.predictions == {name: tmp_path / path for name, path in models.items()}
    chosen = [tmp_path / "x/p.json", tmp_path / "other/p.json"]
    assert dataset.find(tmp_path, predictions=chosen).predictions == {"p": chosen[0], "other/p": chosen[1]}


def test_a_dataset_without_images(tmp_path: Path) -> None:
    folder(tmp_path, "labels.json", "images/")
    write(tmp_path / "qm.toml", "images = false")
    assert dataset.find(tmp_path).images is None
    assert dataset.find(tmp_path, images=tmp_path / "images").images == tmp_path / "images"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("images = true", 'images: expected a path, got True (images = "…" or false)'),
        ('lables = "x"', "unknown key 'lables' (did you mean labels?)"),
        ("zzz = 1", "unknown key 'zzz' (known keys: labels, predictions, images, prob_categories, embeddings)"),
        ("labels = [", "not valid TOML"),
        ("labels = 3", "labels: expected a path, got 3"),
        ("predictions = 3", "expected a path, a list of paths or a table name → path, got 3"),
        ('labels = "none.json"', "no such file or folder (named by labels in"),
    ],
)
def test_bad_settings_file(tmp_path: Path, text: str, expected: str) -> None:
    write(tmp_path / "qm.toml", text)
    with pytest.raises(InputError) as caught:
        dataset.find(tmp_path)
    assert expected in str(caught.value)


def test_bad_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no labels, predictions or images found"):
        dataset.find(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        dataset.find(tmp_path / "none")
    write(tmp_path / "run" / "run.json", "{}")
    with pytest.raises(InputError, match=r"is a run folder.*name the dataset"):
        dataset.find(tmp_path / "run")
    with pytest.raises(InputError, match="a file, not a dataset folder"):
        dataset.find(write(tmp_path / "labels.json", "{}"))
    with pytest.raises(InputError, match=r"no such file or folder .named by --predictions"):
        dataset.find(tmp_path, predictions=[tmp_path / "none.json"])
    folder(tmp_path, "a/p.json", "b/a/p.json")
    with pytest.raises(InputError, match="the model name 'a/p' is taken by"):
        dataset.find(tmp_path, predictions=[tmp_path / "a/p.json", tmp_path / "a/p.json", tmp_path / "b/a/p.json"])


def test_standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"[]")))
    dataset._spooled.cache_clear()
    found = dataset.find(tmp_path, predictions=[Path("-")])
    assert found.predictions == {"stdin": Path("-")}
    assert dataset.on_disk(Path("-")).read_bytes() == b"[]"
    assert dataset.on_disk(Path("x")) == Path("x")
    dataset._spooled.cache_clear()


def test_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"[1]",))
    writer.start()
    assert dataset.on_disk(pipe).read_bytes() == dataset.on_disk(pipe).read_bytes() == b"[1]"
    writer.join()
    assert [dataset.is_stream(path) for path in (pipe, tmp_path, tmp_path / "none")] == [True, False, False]


def test_embeddings_by_name_setting_and_option(tmp_path: Path) -> None:
    write(tmp_path / "labels.json", "{}")
    assert dataset.find(tmp_path).embeddings is None
    write(tmp_path / "embeddings.npy", "")
    assert dataset.find(tmp_path).embeddings == tmp_path / "embeddings.npy"
    write(tmp_path / "other.parquet", "")
    assert dataset.find(tmp_path, embeddings=tmp_path / "other.parquet").embeddings == tmp_path / "other.parquet"
    write(tmp_path / "embeddings.parquet", "")
    with pytest.raises(InputError, match=r"has embeddings\.npy and embeddings\.parquet"):
        dataset.find(tmp_path)
    write(tmp_path / "qm.toml", 'embeddings = "other.parquet"')
    assert dataset.find(tmp_path).embeddings == tmp_path / "other.parquet"


LABELS = '{"images": [], "annotations": [], "categories": []}'


@pytest.mark.parametrize(
    ("files", "message", "way_out"),
    [
        (
            ["instances_val.json"],
            "no labels: looked for labels.json, annotations/*.json or Annotations/*.xml; "
            "instances_val.json looks like COCO labels",
            "write: qm score FOLDER --labels FOLDER/instances_val.json",
        ),
        (
            ["train/_annotations.coco.json", "valid/_annotations.coco.json"],
            "train/_annotations.coco.json, valid/_annotations.coco.json look like COCO labels",
            "write: qm score FOLDER/train --labels FOLDER/train/_annotations.coco.json",
        ),
        ([f"{n}.json" for n in range(7)], "0.json, 1.json, 2.json, 3.json, 4.json, … look like COCO labels", "0.json"),
    ],
)
def test_files_that_may_be_the_labels_are_named(tmp_path: Path, files: list[str], message: str, way_out: str) -> None:
    for name in files:
        write(tmp_path / name, LABELS)
    write(tmp_path / "info.json", "{}")
    (tmp_path / "empty.json").touch()
    with pytest.raises(InputError) as raised:
        dataset.find(tmp_path)
    assert message in raised.value.message
    assert way_out.replace("FOLDER", str(tmp_path)) in str(raised.value.hint)


def test_other_json_files_are_named(tmp_path: Path) -> None:
    write(tmp_path / "info.json", "{}")
    with pytest.raises(InputError, match=r"images found; no COCO labels are in info\.json"):
        dataset.find(tmp_path)


def test_images_are_worked_on_without_labels_and_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "images").mkdir()
    write(tmp_path / "coco" / "val.json", LABELS)
    write(tmp_path / "predictions.json", LABELS)
    assert dataset.find(tmp_path).labels is None
    said = capsys.readouterr().err
    assert "coco/val.json looks like COCO labels" in said
    assert f"qm score {tmp_path} --labels {tmp_path}/coco/val.json" in said
    assert "predictions.json" not in said


def test_tables_stand_in_where_there_is_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "predictions").mkdir()
    for name in ("labels.csv", "predictions/old.npy", "predictions/new.csv.gz"):
        (tmp_path / name).write_text("x")
    found = dataset.find(tmp_path)
    assert found.labels == tmp_path / "labels.csv"
    assert list(found.predictions) == ["new", "old"]
    for name in ("labels.json", "predictions/old.json"):
        (tmp_path / name).write_text("x")
    found = dataset.find(tmp_path)
    assert (found.labels, list(found.predictions)) == (tmp_path / "labels.json", ["old"])


def test_models_are_called_without_their_format() -> None:
    names = ("a.npy", "b.csv.gz", "c.json.zst", "d", "e.ndjson", "f.v1.parquet")
    assert [dataset.model_name(Path(name)) for name in names] == ["a", "b", "c", "d", "e", "f.v1"]
