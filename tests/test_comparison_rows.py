"""Numbers of two models as rows: undefined is null."""

from __future__ import annotations

import numpy as np

from qm_cli.analysis.bootstrap import METRICS
from qm_cli.analysis.comparison import Compared
from qm_cli.analysis.intervals import Interval
from qm_cli.comparison_rows import comparison_rows, named_rows
from qm_cli.settings import Settings


def test_rows() -> None:
    first, second = np.full(len(METRICS), 0.25), np.full(len(METRICS), 0.5)
    second[0] = np.nan
    around = Interval(first - 0.125, first + 0.125, first)
    compared = Compared(first, second, around, around, around, first, second)
    rows = comparison_rows(compared, Settings())
    assert [row["metric"] for row in rows] == list(METRICS)
    assert (rows[0]["a"], rows[0]["b"], rows[0]["difference"], rows[0]["smallest_difference"]) == (
        0.25,
        None,
        None,
        None,
    )
    assert (rows[1]["difference"], rows[1]["low"], rows[1]["high"], rows[1]["p"]) == (0.25, 0.125, 0.375, 0.25)


def test_of_one_category() -> None:
    values = np.arange(2.0 * len(METRICS)).reshape(len(METRICS), 2)
    around = Interval(values, values, values)
    rows = named_rows(Compared(values, values, around, around, around, values, values), METRICS, 1)
    assert [row["a"] for row in rows] == values[:, 1].tolist()


def test_average_recall_is_named_after_its_limit() -> None:
    values = np.zeros(len(METRICS))
    compared = Compared(values, values, *[Interval(values, values, values)] * 3, values, values)
    assert comparison_rows(compared, Settings(max_detections=(1, 300)))[3]["metric"] == "AR300"
    assert comparison_rows(compared, Settings(task="keypoints", max_detections=(20,)))[3]["metric"] == "AR"
