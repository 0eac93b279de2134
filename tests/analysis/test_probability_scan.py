"""The pass over probabilities against plain loops, for every dtype and everything that can be wrong with a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from qm_cli.analysis import probability_scan
from qm_cli.analysis.probability_scan import Scan, scan

VALUES = st.sampled_from([0.0, -0.0, 0.25, 0.5, 0.5, 1.0, 2.0, -0.5, np.nan, np.inf, -np.inf])


def looped(row: npt.NDArray[Any], true: int) -> tuple[int, int, bool]:
    """Best column, columns before the true one, and whether the row is odd."""
    numbers = [float(value) for value in row]
    if not all(np.isfinite(numbers)):
        return -1, -1, False
    best = max(range(len(numbers)), key=lambda place: (numbers[place], -place))
    above = sum(
        value > numbers[true] or (value == numbers[true] and place < true) for place, value in enumerate(numbers)
    )
    odd = abs(sum(numbers) - 1) > 1e-3 or min(numbers) < 0 or max(numbers) > 1
    return best, above, odd


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@given(data=st.data())
def test_rows_are_what_a_loop_says(dtype: Any, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 9))
    values = data.draw(arrays.arrays(np.float64, (data.draw(st.integers(1, 12)), width), elements=VALUES)).astype(dtype)
    true = np.array(data.draw(st.lists(st.integers(0, width - 1), min_size=len(values), max_size=len(values))))
    found = scan(values, np.arange(len(values)), true, width)
    for place, row in enumerate(values):
        best, above, odd = looped(row, int(true[place]))
        assert found.best[place] == best
        assert found.missing[place] == (best < 0)
        assert found.odd[place] == odd
        if best >= 0:
            assert found.above[place] == above
            assert found.top[place] == row[best]
            assert found.of_true[place] == row[true[place]]
        else:
            assert np.isnan(found.of_true[place])


@pytest.mark.parametrize("width", [1, 3, 8, 1000, 2500])
def test_wide_and_long_matrices(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probability_scan, "STRETCH_ROWS", 50)
    monkeypatch.setattr(probability_scan, "BLOCK_BYTES", 4 * width * 7)
    random = np.random.default_rng(width)
    values = random.random((230, width)).round(2).astype(np.float32)
    rows, true = random.permutation(230)[:201], random.integers(-1, width, 201)
    found = scan(values, rows, true, width)
    chosen = values[rows]
    assert (found.best == chosen.argmax(1)).all()
    known = true >= 0
    own = chosen[np.arange(201), true][:, None]
    before = np.arange(width) < true[:, None]
    above = ((chosen > own) | ((chosen == own) & before)).sum(1)
    assert (found.above[known] == above[known]).all()
    assert np.isnan(found.of_true[~known]).all()


def test_beyond_the_limit_only_that_it_is_beyond_is_told() -> None:
    values = np.array([[0.4, 0.4, 0.1, 0.1]])
    assert scan(values, np.array([0]), np.array([3]), 4).above.tolist() == [3]
    assert scan(values, np.array([0]), np.array([3]), 2).above[0] >= 2
    assert scan(values, np.array([0]), np.array([1]), 2).above.tolist() == [1]


def test_no_rows_and_no_columns() -> None:
    assert len(scan(np.zeros((3, 2)), np.zeros(0, np.int64), np.zeros(0, np.int64)).best) == 0
    assert scan(np.zeros((2, 0)), np.arange(2), np.full(2, -1)).best.tolist() == [-1, -1]


def test_rounding_of_half_precision_is_no_fault() -> None:
    values = np.full((1, 7), 1 / 7).astype(np.float16)
    assert not scan(values, np.array([0]), np.array([0])).odd[0]


@pytest.mark.skipif(not Path("/proc/self/smaps").is_file(), reason="Linux alone tells what is in memory")
def test_a_mapped_file_does_not_stay_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probability_scan, "STRETCHES_KEPT", 1)
    rows, columns = 20_000, 500
    values = np.random.default_rng(5).random((rows, columns), np.float32)
    np.save(tmp_path / "p.npy", values)
    mapped = np.asarray(np.load(tmp_path / "p.npy", mmap_mode="r"))
    every, true = np.arange(rows), np.arange(rows) % columns
    assert_same(scan(mapped, every, true, 3), scan(values, every, true, 3))
    assert resident(tmp_path / "p.npy") < values.nbytes / 10
    assert_same(scan(mapped, every[::-1], true, 3), scan(values, every[::-1], true, 3))


def assert_same(one: Scan, other: Scan) -> None:
    for name in Scan.__struct_fields__:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def resident(file: Path) -> int:
    """Bytes of a mapped file that are in this process's memory."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.endswith(str(file)))
    told = next(line for line in lines[begin:] if line.startswith("Rss:"))
    return int(told.split()[1]) * 1024
