"""Nearest by embedding: in the run and from outside, whatever made the vectors; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from qm_cli.embedding import Embedder
from qm_cli.errors import InputError
from qm_cli.run import score
from qm_cli.run_folder import Run
from qm_cli.similarity import cosine_distances, embeddings_of, similar
from tests.onnx_models import write_model
from tests.pictures import IDS, pictures, write_pictures

METRICS = ("image.embedding", "label.embedding")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures") / "set")


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return score(folder, metrics=METRICS)


def test_nearest_of_an_image_by_id_and_by_name(run: Run) -> None:
    found = similar(run, "10", top=3)
    assert [item["id"] for item in found["items"]][:2] == [14, 15]
    assert found["items"][0]["distance"] == pytest.approx(0, abs=1e-7)
    assert 0 < found["items"][1]["distance"] < 0.03 < found["items"][2]["distance"]
    assert found | {"to": ""} == similar(run, "10.png", top=3) | {"to": ""}
    assert (found["in_run"], found["embedder"]) == (True, "descriptor")


def test_a_file_from_outside_finds_itself(run: Run, folder: Path) -> None:
    found = similar(run, str(folder / "images" / "12.png"), top=1)
    assert found["in_run"] is False
    assert found["items"] == [{"place": 1, "id": 12, "file_name": "12.png", "distance": pytest.approx(0, abs=1e-7)}]


def test_vectors_are_those_of_the_pictures(run: Run) -> None:
    expected = np.stack([Embedder().embed(image[..., ::-1].copy()) for image in pictures()])  # type: ignore[arg-type]
    assert np.array_equal(embeddings_of(run, "image"), expected)


def test_labels(run: Run) -> None:
    found = similar(run, "0", "label", top=2)
    assert [item["id"] for item in found["items"]] == [8, 10]
    assert found["items"][0]["category"] == "cat"
    box = Embedder().embed(pictures()[0][20:110, 10:70, ::-1].copy())
    assert np.array_equal(embeddings_of(run, "label")[0], box)


def test_workers_and_shards_change_no_byte(folder: Path, run: Run, tmp_path: Path) -> None:
    again = score(folder, tmp_path / "again", metrics=METRICS, workers=2, shards=4)
    for name in ("embedding.parquet", "label_embedding.parquet"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes()


def test_a_file_of_vectors(folder: Path, tmp_path: Path) -> None:
    vectors = np.eye(len(IDS), 9) + 0.1 * np.arange(len(IDS))[:, None]
    np.save(tmp_path / "e.npy", vectors)
    run = score(folder, tmp_path / "run", metrics=("image.singularity",), embeddings=tmp_path / "e.npy")
    assert run.manifest["embedders"] == {"image": {"name": "file"}}
    assert run.manifest["inputs"]["embeddings"]["sha256"]
    np.testing.assert_allclose(embeddings_of(run, "image"), vectors, rtol=1e-6)
    assert pq.read_schema(run.path / "image.parquet").names[-2:] == ["singularity", "nearest_id"]
    assert similar(run, "16", top=1)["items"][0]["id"] == 15
    with pytest.raises(InputError, match="were read from a file"):
        similar(run, str(folder / "images" / "12.png"))
    assert "embeddings of images: file, 9 numbers each" in run.summary()["notes"]


def test_an_onnx_file(folder: Path, tmp_path: Path) -> None:
    model = write_model(tmp_path / "model.onnx")
    run = score(folder, tmp_path / "run", metrics=("image.singularity",), embedder=f"onnx:{model}", workers=2, shards=3)
    means = np.stack([image[..., ::-1].mean(axis=(0, 1)) for image in pictures()])
    expected = means / np.linalg.norm(means, axis=1)[:, None]
    np.testing.assert_allclose(embeddings_of(run, "image"), expected, atol=5e-3)
    assert similar(run, str(folder / "images" / "12.png"), top=1)["items"][0]["id"] == 12
    write_model(model, axes=(3, 2))
    model.write_bytes(model.read_bytes() + b"\x7a\x00")
    with pytest.raises(InputError, match="has changed since"):
        similar(run, str(folder / "images" / "12.png"))


def test_labels_outside_their_images(folder: Path, tmp_path: Path) -> None:
    """None of them has an embedding; images have theirs."""
    document = json.loads((folder / "labels.json").read_text())
    for one in document["annotations"]:
        one["bbox"] = [500, 500, 20, 20]
    (tmp_path / "labels.json").write_text(json.dumps(document))
    metrics = ("image.embedding", "label.embedding")
    run = score(folder, tmp_path / "run", metrics=metrics, labels=tmp_path / "labels.json")
    notes = [note for note in run.summary()["notes"] if "embeddings of" in note]
    assert [note.partition(": ")[2] for note in notes] == [
        "descriptor, 256 numbers each",
        "none; labels outside of their image, or of one that cannot be read, have none",
    ]
    with pytest.raises(InputError, match="has an embedding of none of its labels"):
        similar(run, "1", level="label")


def test_refusals(folder: Path, run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither one of the run's images nor a file"):
        similar(run, "17")
    bare = score(folder, tmp_path / "bare", metrics=("image.brightness",))
    with pytest.raises(InputError, match="holds no embeddings of images"):
        similar(bare, "10")


def test_distances() -> None:
    rows = np.array([[2, 0], [0, 1], [-1, 0], [np.nan, 0], [0, 0]], np.float32)
    found = cosine_distances(rows, np.array([1, 0], np.float32))
    np.testing.assert_allclose(found, [0, 1, 2, np.nan, np.nan])
