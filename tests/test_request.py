from __future__ import annotations

import json
from pathlib import Path

import pytest

from qm_cli.errors import InputError, UsageError
from qm_cli.request import Request


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "labels.json").write_text(json.dumps({"images": [], "annotations": [], "categories": []}))
    (tmp_path / "predictions").mkdir()
    for name in ("old", "new"):
        (tmp_path / "predictions" / f"{name}.json").write_text("[]")
    (tmp_path / "embeddings.npy").write_bytes(b"")
    return tmp_path


def test_the_files_of_one_model_or_of_all(folder: Path) -> None:
    assert list(Request(folder).files().predictions) == ["new", "old"]
    assert list(Request(folder, model="old").files().predictions) == ["old"]
    with pytest.raises(InputError, match="no model 'odl'") as raised:
        Request(folder, model="odl").files()
    assert "old" in str(raised.value.hint)


def test_an_embedder_stands_instead_of_given_embeddings(folder: Path) -> None:
    assert Request(folder).files().embeddings == folder / "embeddings.npy"
    assert Request(folder, embedder="descriptor").files().embeddings is None
    with pytest.raises(UsageError, match="exclude each other"):
        Request(folder, embedder="descriptor", embeddings=folder / "embeddings.npy").files()


def test_options_of_metrics_and_the_embedder_are_one_selection(folder: Path) -> None:
    chosen = Request(folder, embedder="descriptor", set=("random.seed=3",)).selection()
    assert chosen.options["embedding"] == {"embedder": "descriptor"}
    assert chosen.options["random"] == {"seed": 3}
