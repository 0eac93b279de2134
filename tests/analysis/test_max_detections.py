"""What max detections leaves out, counted by hand and by a loop."""

from __future__ import annotations

from qm_cli.analysis.max_detections import Cut, cut_by_max_detections
from qm_cli.matching import match_tables
from qm_cli.settings import Settings
from tests import builders
from tests.input_files import document, label, prediction


def cut(labels: list[dict[str, object]], rows: list[dict[str, object]], *limits: int) -> Cut | None:
    chosen = Settings(max_detections=limits)
    tables = builders.tables(document(labels=labels), rows)
    return cut_by_max_detections(tables, match_tables(tables, chosen), chosen)


def test_images_predictions_and_true_positives() -> None:
    far = [prediction(bbox=[60, 60, 9, 9], score=0.9) for _ in range(3)]
    rows = [*far, prediction(score=0.1), prediction(image_id=2), prediction(image_id=2, score=0.2)]
    assert cut([label(1), label(2, image_id=2)], rows, 1, 2) == Cut(2, 1, 1)
    assert cut([label(1), label(2, image_id=2)], rows, 1) == Cut(4, 2, 1)
    assert cut([label(1), label(2, image_id=2)], rows, 4) is None


def test_a_match_with_a_crowd_is_no_true_positive() -> None:
    rows = [prediction(), prediction(score=0.5), prediction(score=0.4)]
    assert cut([label(1, iscrowd=1)], rows, 1) == Cut(2, 1, 0)


def test_limits_count_within_an_image_and_category() -> None:
    rows = [prediction(), prediction(category_id=7), prediction(image_id=2)]
    assert cut([label(1)], rows, 1) is None
