"""What is shown first, of every convention."""

from __future__ import annotations

import pytest

from qm_cli.headlines import headline, own_numbers
from tests.conventions.comparing import reported
from tests.oracles.random_sets import random_set

RATES = ("precision", "recall", "f1")
USUAL = ("AP", "AP50", "AP75", "AR100", *RATES)
SHOWN = {
    "coco": (USUAL, USUAL),
    "labelbox": (RATES, RATES),
    "labelbox-sdk": (("iou", *RATES), ("iou", *RATES)),
    "voc12": (("mAP", *RATES), ("AP", *RATES)),
    "encord": (("mAP", "mAR", "f1_encord", *RATES), ("AP", "AR", "f1_encord", *RATES)),
    "ultralytics": (
        ("AP50", "AP75", "AP50-95", "P", "R", "F1", "best_f1_confidence", *RATES),
        ("AP50", "AP75", "AP50-95", "P", "R", "F1", *RATES),
    ),
}


@pytest.mark.parametrize("convention", SHOWN)
def test_headlines(convention: str) -> None:
    found = reported(*random_set(1), convention, beta=2.0)
    assert headline(found, found["metrics"]) == SHOWN[convention][0]
    assert headline(found, found["categories"][0]) == SHOWN[convention][1]
    assert set(found["metrics"]) <= set(found["definitions"])
    assert set(headline(found, found["categories"][0])) <= set(found["categories"][0])


def test_own_numbers_are_those_that_not_every_convention_has() -> None:
    assert own_numbers(reported(*random_set(1), "labelbox", beta=2.0)) == ("true_negatives",)
