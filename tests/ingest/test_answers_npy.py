"""Class probabilities as a NumPy file: mapped, never unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli.errors import InputError
from qm_cli.ingest.answers_npy import is_npy, read
from tests.input_files import write


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_matrix_is_mapped(dtype: Any, order: Any, tmp_path: Path) -> None:
    values = np.asarray(np.random.default_rng(0).random((5, 3)), dtype, order=order)
    np.save(tmp_path / "p.npy", values)
    found = read(tmp_path / "p.npy", "p.npy")
    assert is_npy(tmp_path / "p.npy")
    assert isinstance(found.base, np.memmap)
    assert found.dtype == dtype
    assert (found == values).all()


@pytest.mark.parametrize(
    "values, words",
    [
        (np.array([[{"a": 1}]], object), "pickled Python objects, which are not loaded"),
        (np.zeros((2, 2), int), "expected float16, float32 or float64, got int64"),
        (np.zeros(3), r"expected 2 dimensions, got 1: shape \(3,\)"),
    ],
)
def test_other_arrays_are_refused(values: Any, words: str, tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", values, allow_pickle=True)
    with pytest.raises(InputError, match=words):
        read(tmp_path / "p.npy", "p.npy")


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.zeros((100, 10)))
    content = (tmp_path / "p.npy").read_bytes()
    for size in (7, 60, 500):
        with pytest.raises(InputError, match="damaged NumPy file"):
            read(write(tmp_path / "cut.npy", content[:size]), "cut.npy")
