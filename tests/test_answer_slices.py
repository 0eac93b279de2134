"""Slices of answers hold data rows, whatever they are said of."""

from __future__ import annotations

import pyarrow as pa
import pytest

from qm_cli.answer_slices import OF_LABELS, slices_of_rows
from qm_cli.errors import UsageError
from qm_cli.slice_language import Wanted

ROWS = {
    "image": pa.table({"id": ["x", "y", "z"], "weather": ["fog", "clear", None]}),
    "label": pa.table({"image_row": pa.array([0, 0, 2], pa.int32()), "category": ["a", "b", "b"]}),
    "prediction": pa.table({"image_row": pa.array([1], pa.int32()), "category": ["b"], "score": [0.5]}),
}


def test_of_data_rows_and_of_labels() -> None:
    slices, notes = slices_of_rows(ROWS, Wanted(None, ("weather",), ("b=category = 'b'",)))
    assert {one.name: one.images.tolist() for one in slices} == {
        "b": [True, False, True],
        "weather=clear": [False, True, False],
        "weather=fog": [True, False, False],
        "weather=(none)": [False, False, True],
    }
    assert notes == (OF_LABELS,)
    assert slices_of_rows(ROWS, Wanted(None, ("weather",)))[1] == ()


def test_of_predictions_alone() -> None:
    with pytest.raises(UsageError, match="slice 'sure': is of predictions, which differ from model to model"):
        slices_of_rows(ROWS, Wanted(None, (), ("sure=score > 0.9",)))
