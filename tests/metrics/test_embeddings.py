from __future__ import annotations

import numpy as np
import pytest

from qm_cli.embedding import Embedder
from qm_cli.errors import UsageError
from qm_cli.metrics import embeddings
from qm_cli.pixels import Pixels, crop

PICTURE = np.random.default_rng(0).integers(0, 255, (50, 70, 3)).astype(np.uint8)


def test_image_and_object() -> None:
    whole = embeddings.embedding(Pixels(PICTURE))
    assert whole is not None
    assert np.array_equal(whole, Embedder().embed(PICTURE))
    part = crop(Pixels(PICTURE), [10, 20, 30, 20])
    assert part is not None
    assert np.array_equal(embeddings.embedding(part), Embedder().embed(PICTURE[20:40, 10:40]))


def test_unknown_embedder() -> None:
    with pytest.raises(UsageError, match="no embedder is called 'clip'"):
        embeddings.embedding(Pixels(PICTURE), embedder="clip")
