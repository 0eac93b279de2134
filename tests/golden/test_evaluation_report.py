"""The numbers of one small set, worked through by hand once, stay as they are."""

from __future__ import annotations

from typing import Any

from qm_cli.report import report_of
from qm_cli.settings import Settings
from tests import builders
from tests.golden.test_golden import as_text, hold
from tests.input_files import document, image, label, prediction

CATEGORIES = [
    {"id": 7, "name": "dog"},
    {"id": 1, "name": "cat"},
    {"id": 3, "name": "nothing but labels"},
    {"id": 4, "name": "nothing"},
]
LABELS = [
    label(1, bbox=[0, 0, 40, 40], area=1600),
    label(2, bbox=[50, 0, 20, 20], category_id=7),
    label(3, image_id=2, bbox=[0, 0, 100, 80], area=8000, iscrowd=1),
    label(4, image_id=2, bbox=[10, 10, 20, 20]),
    label(5, image_id=2, bbox=[60, 40, 30, 30], area=900, category_id=3),
    label(6, image_id=9, bbox=[0, 0, 96, 96], area=9216, category_id=7),
]
PREDICTIONS = [
    prediction(bbox=[0, 0, 40, 30], score=0.9),
    prediction(bbox=[50, 0, 20, 19], score=0.8),
    prediction(bbox=[50, 0, 20, 20], score=0.3, category_id=7),
    prediction(image_id=2, bbox=[40, 40, 10, 10], score=0.95),
    prediction(image_id=2, bbox=[10, 10, 20, 20], score=0.6),
    prediction(image_id=9, bbox=[0, 0, 96, 96], score=0.5, category_id=7),
    prediction(image_id=9, bbox=[0, 0, 96, 96], score=0.7, category_id=7),
    prediction(image_id=77, score=0.99),
]


def rounded(value: Any) -> Any:
    """Floats to 9 decimals: the last bits are the processor's."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return round(value, 9) if isinstance(value, float) else value


def test_report_of_a_small_set() -> None:
    images = [image(9, height=100), image(1), image(2)]
    tables = builders.tables(document(images, LABELS, CATEGORIES), PREDICTIONS)
    report = report_of(tables, Settings(iou=0.6))
    hold("evaluation_report.json", as_text(rounded(report)))
