from __future__ import annotations

import numpy as np

from qm_cli.kernels.clusters import dealt_round, k_means


def test_clusters_are_found_and_the_same_every_time() -> None:
    random = np.random.default_rng(0)
    kind = np.repeat(np.arange(4), 25)
    vectors = (np.eye(4)[kind] * 50 + random.normal(size=(100, 4))).astype(np.float32)
    vectors[7] = np.nan
    group, distance, known = k_means(vectors, 4, 3)
    assert known.tolist() == [row for row in range(100) if row != 7]
    assert len({(one, other) for one, other in zip(group, kind[known], strict=True)}) == 4
    for one in range(4):
        rows = vectors[known[group == one]].astype(np.float64)
        np.testing.assert_allclose(distance[group == one], ((rows - rows.mean(axis=0)) ** 2).sum(axis=1), atol=1e-6)
    again = k_means(vectors, 4, 3)
    assert all(np.array_equal(one, other) for one, other in zip((group, distance, known), again, strict=True))


def test_fewer_vectors_than_clusters() -> None:
    group, distance, _ = k_means(np.ones((3, 2), np.float32), 10, 0)
    assert set(group.tolist()) == {0}
    assert distance.tolist() == [0.0] * 3
    assert len(k_means(np.zeros((0, 2), np.float32), 10, 0)[0]) == 0


def test_turns_are_dealt_as_in_a_loop() -> None:
    random = np.random.default_rng(1)
    group, distance = random.integers(0, 5, 60), random.integers(0, 9, 60).astype(float)
    hands = {one: sorted(np.flatnonzero(group == one), key=lambda row: (distance[row], row)) for one in set(group)}
    turns = sorted(hands, key=lambda one: (-len(hands[one]), np.flatnonzero(group == one)[0]))
    dealt: list[int] = []
    while len(dealt) < 60:
        dealt += [hands[one].pop(0) for one in turns if hands[one]]
    assert np.argsort(dealt_round(group, distance)).tolist() == [int(row) for row in dealt]
