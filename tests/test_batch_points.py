"""Gradients as BADGE takes them, written out; category weights worked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli.arrays import to_arrow
from qm_cli.batch_points import balance_weights, gradient_points, known_rows, vectors_of
from qm_cli.row_fields import Reader
from qm_cli.run_folder import open_run
from tests.embedded_run import VECTORS, write_embedded


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return write_embedded(tmp_path / "run")


def test_vectors_have_length_one(place: Path) -> None:
    found = vectors_of(Reader(open_run(place)), "image")
    np.testing.assert_allclose(found, VECTORS / np.linalg.norm(VECTORS, axis=1)[:, None], rtol=1e-6)
    assert known_rows(found, np.array([3, 1])).tolist() == [1]


def test_gradients_of_scores(place: Path) -> None:
    """Image 0: a cat of .9 and a dog of .2; categories cat, dog, none."""
    reader = Reader(open_run(place))
    residual, _ = gradient_points(reader, np.arange(6), vectors_of(reader, "image")).factors
    np.testing.assert_allclose(residual[0], [-0.1, -0.8, 0.9], atol=1e-6)
    np.testing.assert_allclose(residual[4], [0, -0.3, 0.3], atol=1e-6)
    assert residual[2].tolist() == [0, 0, 0]


def test_gradients_of_probabilities(place: Path) -> None:
    table = pq.read_table(place / "prediction.parquet")
    probs = np.array([[0.7, 0.3], [0.4, 0.6], [0.9, 0.1], [0.2, 0.8], [np.nan, np.nan]])
    pq.write_table(table.append_column("probs", to_arrow(probs)), place / "prediction.parquet")
    reader = Reader(open_run(place))
    residual, _ = gradient_points(reader, np.arange(6), vectors_of(reader, "image")).factors
    np.testing.assert_allclose(residual[0], [-0.3 + 0.4, 0.3 - 0.4, 0], atol=1e-6)
    np.testing.assert_allclose(residual[5], [0, -0.2, 0.2], atol=1e-6)


def test_weights(place: Path) -> None:
    """Three cats and a dog: (4 + 2) / (2 · 4) and (4 + 2) / (2 · 2)."""
    table = pq.read_table(place / "label.parquet")
    at = table.schema.get_field_index("category_row")
    pq.write_table(table.set_column(at, "category_row", pa.array([0, 0, 0, 1], pa.int32())), place / "label.parquet")
    reader = Reader(open_run(place))
    expected = [(0.9 * 0.75 + 0.2 * 1.5) / 1.1, 0.75, 1, 1, 1.5, 1.5]
    np.testing.assert_allclose(balance_weights(reader, "image", np.arange(6)), expected)
    np.testing.assert_allclose(balance_weights(reader, "label", np.arange(4)), [0.75, 0.75, 0.75, 1.5])
