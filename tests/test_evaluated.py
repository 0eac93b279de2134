"""What an evaluation holds, and what it refuses."""

from __future__ import annotations

import pytest

from qm_cli.errors import UsageError
from tests.conventions.comparing import evaluated
from tests.input_files import document, prediction


def test_coco_arrays_are_refused_where_there_are_none() -> None:
    evaluation = evaluated(document(), [prediction()], "encord")
    for name in ("matches", "average_precision"):
        with pytest.raises(UsageError, match="convention encord has no COCO curves"):
            getattr(evaluation, name)


def test_coco_arrays() -> None:
    evaluation = evaluated(document(), [prediction()], "coco")
    assert evaluation.matches.order.tolist() == [0]
    assert evaluation.average_precision.precision.shape[1:] == (101, 2)
