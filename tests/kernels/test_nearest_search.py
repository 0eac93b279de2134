from __future__ import annotations

import numpy as np
import pytest

from qm_cli.kernels import nearest_search
from qm_cli.kernels.nearest_search import nearest_points, points_of

ALL = 1 << 30


def clustered(rows: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = random.normal(size=(20, 12)) * 3
    vectors: np.ndarray = (centres[random.integers(0, 20, rows)] + random.normal(size=(rows, 12))).astype(np.float32)
    return vectors


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    points = points_of(clustered(700), np.arange(0, 700, 2))
    whole = nearest_points(points, np.arange(350), 5, ALL)
    monkeypatch.setattr(nearest_search, "QUERIES_AT_ONCE", 40)
    monkeypatch.setattr(nearest_search, "OTHERS_AT_ONCE", 30)
    monkeypatch.setattr(nearest_search, "VALUES_AT_ONCE", 1000)
    cut = nearest_points(points, np.arange(350), 5, ALL)
    assert np.array_equal(whole.place, cut.place)
    assert np.array_equal(whole.distance, cut.distance)


@pytest.mark.parametrize("exact_up_to", [ALL, 100])
def test_those_that_ask_find_what_all_find(exact_up_to: int) -> None:
    points = points_of(clustered(900), np.arange(900))
    asking = np.arange(5, 900, 7)
    whole = nearest_points(points, np.arange(900), 4, exact_up_to)
    some = nearest_points(points, asking, 4, exact_up_to)
    assert np.array_equal(whole.place[asking], some.place)
    assert np.array_equal(whole.distance[asking], some.distance)
    assert whole.recall == some.recall


def test_lists_find_the_share_they_tell() -> None:
    """Measured on all points, against all compared with all."""
    points = points_of(clustered(4000), np.arange(4000))
    exact = nearest_points(points, np.arange(4000), 6, ALL)
    listed = nearest_points(points, np.arange(4000), 6, 1000)
    share = np.mean([len(np.intersect1d(*pair)) for pair in zip(exact.place, listed.place, strict=True)]) / 6
    assert nearest_search.RECALL_WANTED <= listed.recall <= 1
    assert share == pytest.approx(listed.recall, abs=0.01)


def test_a_list_of_few_has_fewer_neighbours() -> None:
    """Two places far from each other, each with three points: a list around itself alone gives two, and none twice."""
    vectors = np.array([[1, 0], [1, 0.01], [1, 0.02], [0, 1], [0.01, 1], [0.02, 1]], np.float32)
    points = points_of(vectors, np.arange(6))
    place, distance = nearest_search._ranked(points, np.array([0, 1]), np.array([0, 1, 2]), 4)
    assert place.tolist() == [[1, 2, -1, -1], [2, 0, -1, -1]]
    assert np.isnan(distance[:, 2:]).all()
    assert (distance[:, :2] > 0).all()
