"""A task whose worker ends: tried again, then halved, and only the culprits are given up."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from qm_cli.rescue import WorkerLostError, rescued


@dataclass(frozen=True)
class Numbers:
    values: tuple[int, ...]

    def halves(self) -> tuple[Numbers, Numbers] | None:
        middle = len(self.values) // 2
        return (Numbers(self.values[:middle]), Numbers(self.values[middle:])) if len(self.values) > 1 else None

    def joined(self, first: list[int | None], second: list[int | None]) -> list[int | None]:
        return [*first, *second]

    def given_up(self) -> list[int | None]:
        return [None]


class Attempts:
    """Doubles every number; ends at a culprit, as often as it is said to."""

    def __init__(self, culprits: dict[int, int]) -> None:
        self.left = dict(culprits)
        self.tried: list[tuple[int, ...]] = []

    def __call__(self, task: Numbers) -> list[int | None]:
        self.tried.append(task.values)
        for value in task.values:
            if self.left.get(value, 0) > 0:
                self.left[value] -= 1
                raise WorkerLostError
        return [2 * value for value in task.values]


def test_what_ended_by_accident_is_whole() -> None:
    attempts = Attempts({2: 1})
    assert rescued(Numbers((1, 2, 3)), attempts) == [2, 4, 6]
    assert attempts.tried == [(1, 2, 3)] * 2


@pytest.mark.parametrize("culprits", [(1,), (4,), (1, 2), (0, 7), tuple(range(8))])
def test_only_culprits_are_given_up(culprits: tuple[int, ...]) -> None:
    attempts = Attempts(dict.fromkeys(culprits, 1000))
    expected = [None if value in culprits else 2 * value for value in range(8)]
    assert rescued(Numbers(tuple(range(8))), attempts) == expected
    assert attempts.tried.count(tuple(range(8))) == 2


def test_a_single_sample_is_tried_twice() -> None:
    attempts = Attempts({5: 1000})
    assert rescued(Numbers((5,)), attempts, 1) == [None]
    assert len(attempts.tried) == 2
