"""What an evaluation holds, and what it refuses."""

from __future__ import annotations

import pytest

from qm_cli.errors import UsageError
from tests.conventions.comparing import evaluated
from tests.input_files import document, prediction
from tests.oracles.random_sets import random_set


def test_coco_arrays_are_refused_where_there_are_none() -> None:
    evaluation = evaluated(document(), [prediction()], "encord")
    for name, words in (("matches", "matches"), ("average_precision", "curves")):
        with pytest.raises(UsageError, match=f"convention encord has no COCO {words}"):
            getattr(evaluation, name)


def test_lvis_has_curves_and_no_matches_of_the_whole_tables() -> None:
    evaluation = evaluated(*random_set(1), "lvis")
    assert evaluation.average_precision.precision.shape[1:] == (101, 4)
    with pytest.raises(UsageError, match="convention lvis has no COCO matches"):
        _ = evaluation.matches


def test_coco_arrays() -> None:
    evaluation = evaluated(document(), [prediction()], "coco")
    assert evaluation.matches.order.tolist() == [0]
    assert evaluation.average_precision.precision.shape[1:] == (101, 2)
