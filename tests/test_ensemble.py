"""Disagreement of the models of a run: detectors by what is in an image, classifiers by their probabilities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli.arrays import to_arrow
from qm_cli.ensemble import with_disagreement
from qm_cli.errors import UsageError
from qm_cli.run_folder import Run, open_run
from tests.embedded_run import write_embedded

NAMES = ("a", "b", "c")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return open_run(write_embedded(tmp_path / "run", NAMES))


def column(run: Run, measure: str, names: tuple[str, ...] = ("all",)) -> list[float | None]:
    found: list[float | None] = (
        with_disagreement(run, names, measure).table("image", ["id", measure])[measure].to_pylist()
    )
    return found


def rewrite(run: Run, model: str, **columns: pa.Array) -> None:
    file = run.path / model / "prediction.parquet"
    table = pq.read_table(file)
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        table = table.append_column(name, values) if place < 0 else table.set_column(place, name, values)
    pq.write_table(table, file)


def test_members_that_agree(run: Run) -> None:
    assert column(run, "bald") == pytest.approx([0.0] * 6, abs=1e-12)
    assert column(run, "variation_ratio") == [0.0] * 6


def test_detectors(run: Run) -> None:
    """One of three is sure that the dog of image 7 (.7) is not there, and of nothing else."""
    rewrite(run, "b", score=pa.array([0.9, 0.2, 0.8, 0.0, 0.8]))
    mean = 1.4 / 3

    def entropy(p: float) -> float:
        return float(-p * np.log2(p) - (1 - p) * np.log2(1 - p))

    expected = entropy(mean) - 2 / 3 * entropy(0.7)
    assert column(run, "bald") == pytest.approx([0, 0, 0, 0, expected, 0], abs=1e-12)
    assert column(run, "variation_ratio") == pytest.approx([0, 0, 0, 0, 1 / 3, 0])
    assert column(run, "variation_ratio", ("a", "c")) == [0.0] * 6


def test_classifiers(run: Run) -> None:
    for model, dog in zip(NAMES, (0.1, 0.8, 0.9), strict=True):
        probs = np.tile([1 - dog, dog], (5, 1))
        boxes = pa.nulls(5, pa.list_(pa.float64(), 4))
        rewrite(run, model, probs=to_arrow(probs), bbox=boxes)
    found = column(run, "variation_ratio")
    assert found == pytest.approx([1 / 3, 1 / 3, None, None, 1 / 3, 1 / 3])


def test_the_column_is_worst_first(run: Run) -> None:
    source = with_disagreement(run, ("all",), "bald")
    assert source.columns("image")["bald"].metadata[b"better"] == b"lower"
    assert source.table("image", ["bald"]).column_names == ["bald"]
    assert source.table("category").equals(run.table("category"))


def test_refusals(run: Run) -> None:
    with pytest.raises(UsageError, match="no model 'd'"):
        with_disagreement(run, ("a", "d"), "bald")
    with pytest.raises(UsageError, match="two models or more"):
        with_disagreement(run, ("a",), "bald")
