"""Which predictions count at a confidence: one rule for counting, choosing and telling."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli import convention_grids
from qm_cli.confidence_rules import REACHED, counting, keeping, rule_of, sign, told
from qm_cli.convention_rules import count_rules
from qm_cli.evaluation import evaluate_tables
from qm_cli.settings import CONVENTIONS, Settings, settings_at
from tests import builders
from tests.input_files import document, prediction

SCORES = np.array([0.0, 0.25, np.nextafter(0.25, 1), 1.0])


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_threshold_of_a_score_keeps_it_and_none_below(convention: str) -> None:
    for place, score in enumerate(SCORES.tolist()):
        kept = counting(convention, SCORES, keeping(convention, score))
        assert kept.tolist() == [other >= place for other in range(len(SCORES))]


@pytest.mark.parametrize("convention", [one for one in CONVENTIONS if one != "lvis"])
def test_a_prediction_at_the_confidence(convention: str) -> None:
    """Counted, said and explained by the same sign."""
    chosen = settings_at(convention, 0.5, 0.25)
    found = evaluate_tables(builders.tables(document(), [prediction(score=0.25)]), chosen)
    assert found.outcomes.counted.tolist() == [sign(convention) == REACHED]
    assert told(chosen) in found.counted_at
    assert count_rules(chosen).minimum == (sign(convention), 0.25)


def test_ultralytics_says_so() -> None:
    found = evaluate_tables(builders.tables(document(), [prediction()]), Settings().at("ultralytics"))
    assert any(rule_of("ultralytics") in note for note in found.notes)
    assert rule_of("ultralytics") == "a prediction counts if its score is > the confidence"


def test_the_grid_is_of_conventions_that_count_what_reaches_the_confidence() -> None:
    """Its cells and lanes are told by ≥."""
    assert {sign(name) for name in convention_grids.CONVENTIONS} == {REACHED}
