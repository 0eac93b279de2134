from __future__ import annotations

import numpy as np

from qm_cli.kernels import hashing


def test_splitmix64_equals_the_reference() -> None:
    step = 0x9E3779B97F4A7C15
    states = np.array([1234567, (1234567 + step) % 2**64], np.uint64)
    assert hashing.splitmix64(states).tolist() == [6457827717110365317, 3203168211198807973]


def test_text_is_hashed_as_fnv_1a() -> None:
    assert hashing.hashed(np.array(["", "a", "foobar"], object)).tolist() == [
        0xCBF29CE484222325,
        0xAF63DC4C8601EC8C,
        0x85944171F73967E8,
    ]


def test_odd_identifiers() -> None:
    found = hashing.uniform(np.array([0, -1, 2**63 - 1, -(2**63)]), seed=-5)
    assert len(set(found.tolist())) == 4
    assert len(set(hashing.uniform(np.array(["", "ä", "日本", "x" * 300], object), seed=2**70).tolist())) == 4
    assert hashing.uniform(np.zeros(0, object), 0).shape == (0,)
    assert hashing.uniform(np.array([""], object), 0).shape == (1,)


def test_a_longer_neighbour_changes_nothing() -> None:
    alone, beside = np.array(["a"], object), np.array(["a", "a much longer one"], object)
    assert hashing.uniform(alone, 1)[0] == hashing.uniform(beside, 1)[0]
