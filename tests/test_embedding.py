"""The embedders: the descriptor at any size of image; what is refused before any work."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from qm_cli.embedding import Embedder, reduced
from qm_cli.errors import UsageError
from tests.onnx_models import write_model


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (31, 33), (128, 128), (129, 400), (700, 300)])
def test_every_size_has_a_vector(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, (*size, 3)).astype(np.uint8)
    assert reduced(image).shape == (32, 32, 3)
    vector = Embedder().embed(image)
    assert vector is not None
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_a_large_image_is_near_its_reduction() -> None:
    small = np.random.default_rng(1).integers(0, 255, (9, 12, 3)).astype(np.uint8)
    large = cv2.resize(small, (900, 700), interpolation=cv2.INTER_CUBIC)
    one, other = (
        Embedder().embed(image) for image in (large, cv2.resize(large, (120, 90), interpolation=cv2.INTER_AREA))
    )
    assert one is not None
    assert other is not None
    assert 1 - one @ other < 0.01


def test_facts(tmp_path: Path) -> None:
    assert Embedder().facts() == {"name": "descriptor"}
    file = write_model(tmp_path / "model.onnx")
    facts = Embedder(f"onnx:{file}").facts()
    assert facts["name"] == f"onnx:{file.resolve()}"
    assert facts["image_size"] == 8
    assert len(facts["sha256"]) == 64


@pytest.mark.parametrize(
    ("embedder", "words"),
    [
        (Embedder("resnet"), "no embedder is called 'resnet' .use descriptor, or onnx:FILE."),
        (Embedder("descriptor", image_size=9), "the descriptor takes no size"),
    ],
)
def test_refusals(embedder: Embedder, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        embedder.ready()
