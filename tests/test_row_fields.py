"""Columns of a source: each read once; fields of parents; images with labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qm_cli.errors import UsageError
from qm_cli.row_fields import Reader, fields_of, image_rows, labeled_images, values_of
from qm_cli.run_folder import open_run
from tests.made_run import write_run


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(open_run(write_run(tmp_path / "run")))


def test_a_column_is_read_once(reader: Reader) -> None:
    assert reader.column("image", "id") is reader.column("image", "id")


def test_usual_and_named_fields(reader: Reader) -> None:
    assert fields_of(reader, "image", (), "entropy") == ("id", "file_name", "entropy")
    assert fields_of(reader, "prediction", ("weather", "id", "weather"), None) == ("weather", "id")
    with pytest.raises(UsageError, match="did you mean weather"):
        fields_of(reader, "image", ("wether",), None)


def test_values_of_parents(reader: Reader) -> None:
    assert values_of(reader, "prediction", "weather", np.array([2, 3])).to_pylist() == ["sun", "fog"]
    assert values_of(reader, "prediction", "image_id", np.array([4])).to_pylist() == [1]


def test_images(reader: Reader) -> None:
    assert image_rows(reader, "label", 0).tolist() == [0, 0, 1, 5]
    assert labeled_images(reader, 6).tolist() == [True, True, False, False, False, True]
