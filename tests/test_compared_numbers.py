"""Two evaluations under any convention beside each other."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from qm_cli.alignment import aligned
from qm_cli.analysis.changes import changes
from qm_cli.analysis.counts import category_counts
from qm_cli.change_report import change_counts
from qm_cli.compared_numbers import compared_numbers
from qm_cli.errors import UsageError
from qm_cli.evaluation import evaluate_tables
from qm_cli.settings import settings_at
from qm_cli.slice_language import Slice
from qm_cli.subset import only_images
from qm_cli.tables import Tables
from tests.simulated_sets import simulated_sets

UNIT = np.arange(40)


def sides() -> list[Tables]:
    return simulated_sets(np.random.default_rng(0), 40, 3, [0.2, 1.4])


@pytest.mark.parametrize("convention", ["coco", "voc12", "encord", "ultralytics", "labelbox", "labelbox-sdk"])
def test_sides_are_their_own_evaluations(convention: str) -> None:
    settings = settings_at(convention)
    a, b = sides()
    first, second = evaluate_tables(a, settings), evaluate_tables(aligned(a, b), settings)
    found = compared_numbers(first, second, (), UNIT, 100, 0)
    for row in found.metrics:
        for side, evaluation in (("a", first), ("b", second)):
            own = evaluation.numbers.overall.get(row["metric"])
            assert own is None or row[side] == pytest.approx(own, abs=1e-12)
    recall = next(row for row in found.metrics if row["metric"] == "recall")
    assert recall["p"] < 0.01
    assert recall["low"] < recall["difference"] < recall["high"]
    assert (found.units, len(found.categories)) == (40, 3)
    again = compared_numbers(first, second, (), UNIT, 100, 0)
    assert again.metrics == found.metrics


@pytest.mark.parametrize("convention", ["voc12", "encord", "ultralytics", "labelbox", "labelbox-sdk"])
def test_slices_are_evaluations_of_their_images(convention: str) -> None:
    settings = settings_at(convention)
    a, b = sides()
    first, second = evaluate_tables(a, settings), evaluate_tables(aligned(a, b), settings)
    kept = np.arange(40) % 3 > 0
    found = compared_numbers(first, second, (Slice("some", "id % 3 > 0", "image", kept, None, None),), UNIT, 100, 0)
    [row] = found.slices
    assert (row["name"], row["images"], row["units"]) == ("some", 26, 26)
    assert [cell["metric"] for cell in row["metrics"]] == [cell["metric"] for cell in found.metrics]
    for side, tables in (("a", first.tables), ("b", second.tables)):
        alone = evaluate_tables(only_images(tables, kept), settings)
        total = category_counts(alone.tables, alone.outcomes).total()
        known = {**alone.numbers.overall, "precision": total.precision[0], "recall": total.recall[0]}
        for cell in row["metrics"]:
            if cell["metric"] in known:
                assert cell[side] == pytest.approx(known[cell["metric"]], abs=1e-12)
    counts = change_counts(first, second, changes(a, b, first.outcomes, second.outcomes, settings), found.members)
    assert counts["labels"]["by_slice"][0]["name"] == "some"
    whole = counts["labels"]["total"]
    assert 0 < sum(counts["labels"]["by_slice"][0][word] for word in whole) < sum(whole.values())


def test_slices_of_objects_are_resampled_under_coco_alone() -> None:
    a, _ = sides()
    found = evaluate_tables(a, settings_at("voc12"))
    one = Slice("some", "score < 9", "object", np.arange(40) < 9, None, None)
    with pytest.raises(UsageError, match="convention voc12 compares on whole images"):
        compared_numbers(found, replace(found), (one,), UNIT, 100, 0)
