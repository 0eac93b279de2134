from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from qm_cli.kernels.agreement import kind_agreement, presence_agreement


@pytest.mark.parametrize("count", [1, 3, 8, 9])
def test_kinds_as_counted_in_a_loop(count: int) -> None:
    random = np.random.default_rng(count)
    neighbours, kind = random.integers(-1, 50, (50, count)), random.integers(0, 3, 50)
    share, other = kind_agreement(neighbours, kind)
    for row in range(50):
        votes = Counter(kind[one] for one in neighbours[row] if one >= 0)
        total = sum(votes.values())
        assert share[row] == votes[kind[row]] / total if total else np.isnan(share[row])
        won = [one for one, many in votes.items() if one != kind[row] and many > 5 / 9 * total]
        assert other[row] == (won[0] if won else -1)


def test_more_than_five_of_nine() -> None:
    kind = np.array([0, *[1] * 6, *[0] * 4])
    six, five = np.arange(1, 10)[None], np.array([[1, 2, 3, 4, 5, 7, 8, 9, 10]])
    assert kind_agreement(np.repeat(six, 11, 0), kind)[1][0] == 1
    assert kind_agreement(np.repeat(five, 11, 0), kind)[1][0] == -1


def test_several_kinds_as_counted_in_a_loop() -> None:
    random = np.random.default_rng(4)
    neighbours = random.integers(-1, 30, (30, 9))
    pairs = np.unique(np.stack([random.integers(0, 29, 60), random.integers(0, 4, 60)], axis=1), axis=0)
    has = [set(pairs[pairs[:, 0] == row, 1].tolist()) for row in range(30)]
    share, other = presence_agreement(neighbours, pairs[:, 0], pairs[:, 1], 4)
    for row in range(30):
        seen = [has[one] for one in neighbours[row] if one >= 0]
        votes = {kind: sum(kind in one for one in seen) for kind in range(4)}
        own = [votes[kind] / len(seen) for kind in has[row]] if seen else []
        assert share[row] == pytest.approx(np.mean(own)) if own else np.isnan(share[row])
        won = [kind for kind in range(4) if kind not in has[row] and votes[kind] > 5 / 9 * len(seen)]
        best = max(won, key=lambda kind: (votes[kind], -kind), default=-1)
        assert other[row] == best
