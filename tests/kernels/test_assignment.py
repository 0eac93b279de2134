"""One-to-one assignment against trying the pairs one after the other."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.kernels.assignment import greedy_one_to_one


def one_after_the_other(pairs: list[tuple[int, int]]) -> list[bool]:
    lefts: set[int] = set()
    rights: set[int] = set()
    taken = []
    for left, right in pairs:
        taken.append(left not in lefts and right not in rights)
        if taken[-1]:
            lefts.add(left)
            rights.add(right)
    return taken


def found(pairs: list[tuple[int, int]]) -> list[bool]:
    left, right = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    return greedy_one_to_one(left, right).tolist()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=40))
@settings(deadline=None)
def test_equal_to_the_loop(pairs: list[tuple[int, int]]) -> None:
    assert found(pairs) == one_after_the_other(pairs)


@given(st.integers(1, 40), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_chains_where_each_pair_waits_for_the_one_before(length: int, shuffler: Random) -> None:
    chain = [(step // 2, (step + 1) // 2) for step in range(length)]
    assert found(chain) == one_after_the_other(chain)
    shuffler.shuffle(chain)
    assert found(chain) == one_after_the_other(chain)


def test_the_same_number_on_both_sides_is_two_different_ends() -> None:
    assert found([(1, 0), (0, 1), (1, 1)]) == [True, True, False]


def test_rows_far_apart_and_repeated() -> None:
    assert found([(70_000, 5), (70_000, 3), (7, 5), (7, 3), (7, 3)]) == [True, False, False, True, False]


def test_no_pairs() -> None:
    assert found([]) == []
