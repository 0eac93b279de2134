"""One-to-one assignment by preference while one side arrives bit by bit: what each arrival changes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.segments import place_in_run

RowArray = npt.NDArray[np.int64]


class Changes(NamedTuple):
    """Pairs that are taken (sign 1) or given up (−1), and whose arrival it was: int64[changes] each."""

    pair: RowArray
    cause: RowArray
    sign: RowArray


def taken_on_arrival(left: RowArray, right: RowArray, group: RowArray) -> Changes:
    """The changes in what `greedy_one_to_one` takes of the pairs of all that have arrived, arrival after arrival.

    left, right: ends of the pairs, the best pair first, numbers from 0: int64[pairs]. group: of each left end,
    ascending: int64[lefts]; inside a group they arrive in their order, and pairs of different groups share no end. A
    newcomer takes its best pair whose right end is free or held by a worse pair; who held it goes on with its own next
    best (Gale and Shapley 1962: both sides rank pairs alike, so there is one stable assignment, the greedy one).

    >>> [part.tolist() for part in taken_on_arrival(np.array([1, 0, 0]), np.array([0, 0, 1]), np.array([0, 0]))]
    [[1, 0, 1, 2], [0, 1, 1, 1], [1, 1, -1, 1]]
    """
    own = np.argsort(left, kind="stable")
    ends = np.cumsum(np.bincount(left, minlength=len(group)))
    following = np.append(0, ends[:-1]) if len(ends) else ends
    held = np.full(int(right.max(initial=-1)) + 1, len(left))
    place = place_in_run(group)
    by_place = np.argsort(place, kind="stable")
    found: list[Changes] = []
    for arrived in np.split(by_place, np.cumsum(np.bincount(place))[:-1]) if len(group) else []:
        waiting = cause = arrived
        while len(waiting):
            there = following[waiting] < ends[waiting]
            waiting, cause = waiting[there], cause[there]
            pair = own[following[waiting]]
            following[waiting] += 1
            before = held[right[pair]]
            wins = pair < before
            held[right[pair[wins]]] = pair[wins]
            found.append(Changes(pair[wins], cause[wins], np.ones(np.count_nonzero(wins), np.int64)))
            loses = wins & (before < len(left))
            found.append(Changes(before[loses], cause[loses], np.full(np.count_nonzero(loses), -1)))
            waiting = np.concatenate([waiting[~wins], left[before[loses]]])
            cause = np.concatenate([cause[~wins], cause[loses]])
    none = np.zeros(0, np.int64)
    return Changes(*(np.concatenate(column) for column in zip((none, none, none), *found, strict=True)))
