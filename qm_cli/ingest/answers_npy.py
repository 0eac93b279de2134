"""Class probabilities as a NumPy file → a memory-mapped matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.errors import InputError

MAGIC = b"\x93NUMPY"
HINT = "np.save a float16, float32 or float64 array of one row a data row, one column a category"


def is_npy(path: Path) -> bool:
    """Whether the first bytes are those of a NumPy file."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read(path: Path, where: str) -> npt.NDArray[Any]:
    """The matrix float[n, K], mapped and not read. Messages call the file `where`.

    Raises InputError for pickled objects (they are never loaded), another dtype or shape, and a cut-off file.
    """
    try:
        matrix = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        if "allow_pickle" in str(error) or "Python objects" in str(error):
            raise InputError(f"{where}: holds pickled Python objects, which are not loaded", HINT) from None
        raise InputError(f"{where}: damaged NumPy file: {' '.join(str(error).split())[:120]}", HINT) from None
    except (OSError, EOFError) as error:
        raise InputError(f"{where}: damaged NumPy file: {' '.join(str(error).split())[:120]}", HINT) from None
    if matrix.dtype.kind != "f" or matrix.dtype.itemsize > 8:
        raise InputError(f"{where}: expected float16, float32 or float64, got {matrix.dtype}", HINT)
    if matrix.ndim != 2:
        raise InputError(f"{where}: expected 2 dimensions, got {matrix.ndim}: shape {matrix.shape}", HINT)
    return np.asarray(matrix)
