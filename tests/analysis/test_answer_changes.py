"""What became of answers, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli.analysis.answer_changes import CHANGES, Cells, changed_answers, changed_ticks, countable


def cells(row: list[int], true: list[int], predicted: list[int]) -> Cells:
    columns = [np.array(one, np.int64) for one in (row, true, predicted)]
    none = np.zeros(10, np.int64)
    return Cells(10, *columns, np.full(len(row), np.nan), (none, none))


def test_each_change() -> None:
    a = cells([0, 1, 2, 3, 4, 5], [0, 0, 0, 0, 0, 0], [0, 1, 0, 1, 1, -1])
    b = cells([0, 1, 2, 3, 4, 5], [0, 0, 0, 0, 0, 0], [0, 0, 2, 1, 2, -1])
    found = changed_answers(a, b)
    assert [CHANGES[code] for code in found.code] == [*CHANGES, "still_wrong"]


def test_what_one_model_did_not_answer_is_wrong_there() -> None:
    found = changed_answers(cells([1, 3], [0, 1], [0, 1]), cells([2, 3], [1, 1], [1, 0]))
    assert [(row, CHANGES[code]) for row, code in zip(found.row, found.code, strict=True)] == [
        (1, "broken"),
        (2, "fixed"),
        (3, "broken"),
    ]


@pytest.mark.parametrize("seed", range(15))
def test_ticks(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth, first, second = (random.random((10, 3)) < 0.4 for _ in range(3))

    def of(ticks: np.ndarray) -> Cells:
        row, category = np.nonzero(truth | ticks)
        true, given = (np.where(one[row, category], category, -1) for one in (truth, ticks))
        return cells(row.tolist(), true.tolist(), given.tolist())

    found = changed_ticks(of(first), of(second))
    wanted = []
    for row in range(10):
        for category in range(3):
            t, a, b = truth[row, category], first[row, category], second[row, category]
            if t or a or b:
                word = ("still_right" if b == t else "broken") if a == t else "fixed" if b == t else "still_wrong"
                wanted.append((row, word))
    assert [(row, CHANGES[code]) for row, code in zip(found.row.tolist(), found.code, strict=True)] == wanted
    counts = countable(of(first), 3)
    sums = [len(part.image) for part in (counts.hit, counts.false, counts.missed)]
    assert sums == [int((truth & first).sum()), int((first & ~truth).sum()), int((truth & ~first).sum())]
