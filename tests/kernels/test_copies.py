from __future__ import annotations

import numpy as np
import pytest

from qm_cli.kernels.copies import apart_from_copies


def plain(vectors: np.ndarray, near: float) -> tuple[list[int], list[float]]:
    """Copies by repeated linking, then the nearest row of another group, every pair in a loop."""
    count = len(vectors)
    unit = vectors.astype(np.float64) / np.linalg.norm(vectors.astype(np.float64), axis=1)[:, None]
    away = np.array([[max(1 - float(a @ b), 0.0) for b in unit] for a in unit])
    root = list(range(count))
    for _ in range(count):
        for i in range(count):
            for j in range(count):
                if away[i, j] < near:
                    root[i] = root[j] = min(root[i], root[j])
    rows, distances = [], []
    for i in range(count):
        others = [(away[i, j], j) for j in range(count) if root[j] != root[i]]
        nearest = min(others, default=(1.0, -1))
        rows.append(root[i] if root[i] != i else nearest[1])
        distances.append(0.0 if root[i] != i else nearest[0])
    return rows, distances


@pytest.mark.parametrize("seed", range(4))
def test_as_in_a_plain_loop(seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(30, 3)).astype(np.float32)
    vectors[20:26] = vectors[:6]
    vectors[26:] = vectors[5] * (1 + random.normal(size=(4, 3)) * 1e-4).astype(np.float32)
    found = apart_from_copies(vectors, 1e-5)
    rows, distances = plain(vectors, 1e-5)
    np.testing.assert_allclose(found.distance, distances, atol=1e-9)
    assert [row for row, away in zip(found.row.tolist(), distances, strict=True) if away == 0] == [
        row for row, away in zip(rows, distances, strict=True) if away == 0
    ]


def test_a_chain_longer_than_the_first_look() -> None:
    """Each is a copy of the next only; the one far away is the nearest of the first."""
    turns = np.append(np.arange(60) * 0.004, 1.5)
    vectors = np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)
    found = apart_from_copies(vectors, 1e-5)
    assert found.row[0] == 60
    assert found.row[1:60].tolist() == [0] * 59
    assert found.distance[60] == pytest.approx(1 - np.cos(1.5 - 59 * 0.004), abs=1e-6)


def test_alone() -> None:
    assert apart_from_copies(np.ones((1, 2), np.float32), 1e-5).distance.tolist() == [1.0]
    assert apart_from_copies(np.ones((3, 2), np.float32), 1e-5).distance.tolist() == [1.0, 0.0, 0.0]
    nothing = apart_from_copies(np.full((2, 2), np.nan, np.float32), 1e-5)
    assert np.isnan(nothing.distance).all()
    assert nothing.row.tolist() == [-1, -1]
