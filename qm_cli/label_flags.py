"""Flags of labels (`ignore`, `difficult`) that some conventions honour, from the label table's own columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.arrays import one_chunk, to_numpy
from qm_cli.errors import InputError
from qm_cli.tables import Tables

BoolArray = npt.NDArray[np.bool_]


def label_flag(tables: Tables, name: str) -> BoolArray:
    """Whether a label has the flag: bool[labels]; all False where no label has such a field, or it is null.

    Raises InputError where the field holds text.
    """
    if name not in tables.label.column_names:
        return np.zeros(tables.count("label"), bool)
    column = one_chunk(tables.label[name])
    if not (pa.types.is_boolean(column.type) or pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise InputError(f"annotations: {name} holds text", "write 0 or 1")
    if pa.types.is_boolean(column.type):
        column = column.fill_null(False)
    return np.asarray(np.nan_to_num(np.asarray(to_numpy(column), np.float64)) != 0)


def posed_labels(tables: Tables, task: str) -> BoolArray:
    """Labels that are no crowd and, of keypoints, have one that is visible: bool[labels]."""
    real: BoolArray = ~tables.values("label", "iscrowd")
    if task == "keypoints" and len(real):
        real &= tables.values("label", "num_keypoints") > 0
    return real


def labels_that_count(tables: Tables, *flags: str) -> BoolArray:
    """Labels that are no crowd and have none of the flags: bool[labels]."""
    skipped = tables.values("label", "iscrowd").copy()
    for name in flags:
        skipped |= label_flag(tables, name)
    return ~skipped
