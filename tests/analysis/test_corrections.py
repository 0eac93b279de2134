"""Holm's correction against its definition."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.analysis.corrections import holm


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=12))
def test_against_the_definition(p: list[float | None]) -> None:
    tests = sorted(value for value in p if value is not None)
    found = holm(p)
    for value, own in zip(p, found, strict=True):
        if value is None:
            assert own is None
            continue
        steps = [min(1.0, (len(tests) - rank) * one) for rank, one in enumerate(tests) if one <= value]
        assert own == max(steps)


def test_family_of_true_hypotheses() -> None:
    random = np.random.default_rng(3)
    wrong = sum(min(one for one in holm(random.random(10).tolist()) if one is not None) <= 0.05 for _ in range(2000))
    assert wrong / 2000 < 0.065
