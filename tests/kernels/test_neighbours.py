from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.kernels.neighbours import nearest

Found = tuple[list[list[int]], list[list[float]]]


def plain(vectors: np.ndarray, count: int) -> Found:
    """Every pair in a loop; distances rounded, so that equal directions are equally near."""
    rows, distances = [], []
    for own, one in enumerate(vectors.astype(np.float64)):
        near = []
        for row, other in enumerate(vectors.astype(np.float64)):
            lengths = np.linalg.norm(one) * np.linalg.norm(other)
            if row != own and np.isfinite(lengths) and lengths > 0:
                near.append((max(round(1 - float(one @ other) / lengths, 9), 0.0), row))
        near = sorted(near)[:count]
        missing = count - len(near)
        rows.append([row for _, row in near] + [-1] * missing)
        distances.append([away for away, _ in near] + [np.nan] * missing)
    return rows, distances


@pytest.mark.parametrize(("rows", "size", "count"), [(40, 3, 4), (200, 16, 9), (12, 2, 20), (60, 8, 1)])
def test_as_in_a_plain_loop(rows: int, size: int, count: int) -> None:
    vectors = np.random.default_rng(rows).normal(size=(rows, size)).astype(np.float32)
    vectors[rows // 2 : rows // 2 + 5] = vectors[0]
    vectors[3], vectors[4] = np.nan, 0
    found = nearest(vectors, count)
    expected, distances = plain(vectors, count)
    assert found.row.tolist() == expected
    np.testing.assert_allclose(found.distance, distances, atol=1e-9)
    assert found.recall == 1


@pytest.mark.parametrize("size", [1e38, 1e-40])
def test_numbers_near_the_ends_of_single_precision(size: float) -> None:
    """Their lengths are beyond it."""
    vectors = (np.random.default_rng(5).uniform(-3, 3, (100, 16)) * size).astype(np.float32)
    assert nearest(vectors, 5).row.tolist() == plain(vectors, 5)[0]


@given(st.lists(st.tuples(*[st.integers(-1, 1)] * 3), max_size=40), st.integers(1, 5))
def test_many_equal_vectors_and_directions(vectors: list[tuple[int, int, int]], count: int) -> None:
    rows = np.array(vectors, np.float32).reshape(-1, 3)
    found = nearest(rows, count)
    expected, distances = plain(rows, count)
    np.testing.assert_allclose(found.distance, np.reshape(distances, (-1, count)), atol=1e-7)
    for own, (row, other) in enumerate(zip(found.row.tolist(), expected, strict=True)):
        assert len({one for one in row if one >= 0}) == sum(one >= 0 for one in other)
        assert own not in row


def test_equally_near_ones_stand_by_row_however_many_there_are() -> None:
    vectors = np.zeros((90, 90), np.float32)
    np.fill_diagonal(vectors, 1)
    assert nearest(vectors, 3).row[50].tolist() == [0, 1, 2]
    assert nearest(vectors, 3).row[1].tolist() == [0, 2, 3]
    same = np.ones((90, 2), np.float32)
    assert nearest(same, 2).row[[0, 1, 5, 89]].tolist() == [[1, 2], [0, 2], [0, 1], [0, 1]]


def test_an_approximate_search_says_how_much_it_finds() -> None:
    random = np.random.default_rng(1)
    vectors = (random.normal(size=(40, 16))[random.integers(0, 40, 3000)] * 3 + random.normal(size=(3000, 16))).astype(
        np.float32
    )
    exact, close = nearest(vectors, 5), nearest(vectors, 5, exact_up_to=1000)
    share = np.mean([len(np.intersect1d(*pair)) for pair in zip(exact.row, close.row, strict=True)]) / 5
    assert 0.9 < close.recall <= 1
    assert share == pytest.approx(close.recall, abs=0.03)
    assert np.array_equal(close.row, nearest(vectors, 5, exact_up_to=1000).row)


def test_nothing() -> None:
    assert nearest(np.zeros((0, 4), np.float32), 3).row.shape == (0, 3)
    assert nearest(np.zeros((4, 0), np.float32), 3).row.tolist() == [[-1] * 3] * 4
