"""What a check is about once its thresholds are settled; scopes that a metric does not have are refused."""

from __future__ import annotations

import pytest

from qm_cli.analysis.gate_checks import Check, Scope
from qm_cli.analysis.gate_quantities import Population, Quantity, quantity_of
from qm_cli.errors import UsageError
from qm_cli.settings import AREA_RANGES, IOU_THRESHOLDS, AreaRange, Measure, Settings

ALL, SMALL, MEDIUM, LARGE = AREA_RANGES


def of(metric: str, category: int | None = None, **scope: object) -> Quantity | None:
    return quantity_of(Check("min", metric, 0.5, Scope(**scope), where="check 1"), Settings(), category)  # type: ignore[arg-type]


def test_thresholds_and_sizes() -> None:
    assert of("recall") == Quantity("recall", Population(ALL))
    assert of("recall", 3, iou=0.75, confidence=0.1) == Quantity("recall", Population(ALL), 3, (), 0.75, 0.1)
    assert of("AP") == Quantity("AP", Population(ALL), None, IOU_THRESHOLDS)
    assert of("APs") == of("AP", size="small") == Quantity("AP", Population(SMALL), None, IOU_THRESHOLDS)
    assert of("AP", iou=0.6) == of("AP_at_iou", iou=0.6) == Quantity("AP", Population(ALL), None, (0.6,))
    assert of("AP50", size="large", slice="night") == Quantity("AP", Population(LARGE, "night"), None, (0.5,))
    own = AreaRange("area 0–9", 0, 9)
    assert of("labels", size=own) == Quantity("labels", Population(own))
    assert of("calibration.ece") is of("AR10") is of("crowd") is None


def test_the_names_of_the_report() -> None:
    """Keypoints have AR, AR50 and AR75 and no small ones; other areas and limits give their numbers other names."""

    def told(metric: str, settings: Settings, **scope: object) -> Quantity | None:
        return quantity_of(Check("min", metric, 0.5, Scope(**scope), where="check 1"), settings, None)  # type: ignore[arg-type]

    keypoints = Settings().of(Measure("keypoints"))
    assert told("AR", keypoints) == Quantity("AR", Population(ALL), None, IOU_THRESHOLDS)
    assert told("AR75", keypoints, slice="night") == Quantity("AR", Population(ALL, "night"), None, (0.75,))
    assert told("ARm", keypoints) == Quantity("AR", Population(MEDIUM), None, IOU_THRESHOLDS)
    assert told("AR100", keypoints) is told("APs", keypoints) is None
    with pytest.raises(UsageError, match=r"AR50 is at IoU 0\.5"):
        told("AR50", keypoints, iou=0.6)
    tiny = AreaRange("tiny", 0, 100)
    other = Settings(area_ranges=(ALL, tiny), max_detections=(1, 300))
    assert told("AP_tiny", other) == Quantity("AP", Population(tiny), None, IOU_THRESHOLDS)
    assert told("AR300", other, iou=0.5) == Quantity("AR", Population(ALL), None, (0.5,))
    assert told("AR1", other) is told("AR100", other) is told("APs", other) is None


@pytest.mark.parametrize(
    ("metric", "scope", "told"),
    [
        ("AP", {"confidence": 0.5}, "all confidences"),
        ("AP50", {"iou": 0.6}, "is at IoU 0.5"),
        ("APs", {"size": "large"}, "has a size"),
        ("recall", {"size": "smal"}, "did you mean small"),
        ("recall", {"size": "tiny"}, "[low, high]"),
        ("crowd", {"size": "small"}, "slice or size"),
        ("AR10", {"slice": "night"}, "did you mean AR100"),
    ],
)
def test_scopes_that_a_metric_does_not_have(metric: str, scope: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        of(metric, **scope)
    assert told in str(caught.value)
    assert "check 1" in str(caught.value)


def test_a_mean_over_categories_is_not_of_one() -> None:
    with pytest.raises(UsageError, match="write recall"):
        of("recall_macro", 1)
