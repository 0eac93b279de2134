"""Members go where the rows of their tables go, and are read back from there."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from qm_cli.analysis.slices import Matched
from qm_cli.evaluation import evaluate_tables
from qm_cli.settings import Settings
from qm_cli.slice_comparing import compared_slices, slice_members, with_members
from qm_cli.slice_language import IMAGE, OBJECT, Slice
from qm_cli.subset import only_categories
from tests.simulated_sets import simulated_sets


def test_members_follow_their_rows() -> None:
    (tables,) = simulated_sets(np.random.default_rng(1), 30, 3, (1.0,))
    score = tables.values("prediction", "score")
    labels = tables.values("label", "area") > 900
    images = np.arange(30) < 10
    slices = [
        Slice("first", "", IMAGE, images, None, None),
        Slice("sure", "", OBJECT, images, None, score > 0.5),
        Slice("large", "", OBJECT, images, labels, score > 0.7),
    ]
    moved = only_categories(with_members(tables, slices), ("category 1",))
    found = evaluate_tables(moved, Settings())
    side = Matched(found.tables, found.matches, found.outcomes, found.settings)
    (_, (first,)), (_, (sure,)), (_, (large,)) = slice_members(slices, [side])
    assert (first.whole, first.labels, first.predictions) == (True, None, None)
    assert sure.labels is None
    assert sure.predictions is not None
    assert sure.predictions.tolist() == (moved.values("prediction", "score") > 0.5).tolist()
    assert large.labels is not None
    assert large.labels.tolist() == (moved.values("label", "area") > 900).tolist()
    assert isinstance(moved.label, pa.Table)


def test_a_model_against_itself_differs_nowhere() -> None:
    (tables,) = simulated_sets(np.random.default_rng(2), 60, 2, (1.0,))
    found = evaluate_tables(tables, Settings())
    side = Matched(found.tables, found.matches, found.outcomes, found.settings)
    slices = [Slice("half", "id < 30", IMAGE, np.arange(60) < 30, None, None)]
    whole = side.weighable()
    (row,) = compared_slices(slices, [side, side], [whole, whole], np.arange(60), 40, 0)
    assert (row["name"], row["images"], row["units"]) == ("half", 30, 30)
    assert {one["difference"] for one in row["metrics"]} == {0.0}
    assert {one["p_corrected"] for one in row["metrics"]} == {1.0}
