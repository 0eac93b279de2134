"""Counts, rows and the most regressed images, by hand."""

from __future__ import annotations

from qm_cli.analysis.changes import changes
from qm_cli.change_report import change_counts, change_rows, regressed_images
from qm_cli.evaluation import evaluate_tables
from qm_cli.settings import Settings
from tests import builders

BOX, BIG = [0, 0, 20, 20], [0, 0, 100, 100]
LABELS = {
    "images": [{"id": f"i{one}", "file_name": f"{one}.jpg", "width": 200, "height": 100} for one in (1, 2, 3)],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    "annotations": [
        {"id": one, "image_id": f"i{one}", "category_id": 1, "bbox": BOX, "area": 400, "iscrowd": 0} for one in (1, 2)
    ],
}


def test_by_hand() -> None:
    first = [{"image_id": f"i{one}", "category_id": 1, "bbox": BOX, "score": 0.9} for one in (1, 3)]
    second = [
        {"image_id": "i2", "category_id": 1, "bbox": BOX, "score": 0.8},
        {"image_id": "i1", "category_id": 2, "bbox": BIG, "score": 0.7},
    ]
    a, b = (evaluate_tables(builders.tables(LABELS, rows), Settings()) for rows in (first, second))
    found = changes(a.tables, b.tables, a.outcomes, b.outcomes, Settings())
    counts = change_counts(a, b, found)
    assert counts["labels"]["total"] == {"still_found": 0, "fixed": 1, "broken": 1, "still_missed": 0}
    assert counts["detections"]["total"] == {
        "kept": 1,
        "flipped_category": 0,
        "new_false_positive": 1,
        "gone_false_positive": 1,
    }
    sizes = {row["name"]: row["new_false_positive"] for row in counts["detections"]["by_size"]}
    assert sizes == {"small": 0, "medium": 0, "large": 1}
    assert regressed_images(a, b, found) == [
        {
            "id": "i1",
            "file_name": "1.jpg",
            "errors_a": 0,
            "errors_b": 2,
            "broken": 1,
            "fixed": 0,
            "new_false_positives": 1,
        }
    ]
    rows = change_rows(a, b, found).to_pylist()
    assert [
        (row["object"], row["change"], row["image_id"], row["prediction_a"], row["prediction_b"]) for row in rows
    ] == [
        ("label", "broken", "i1", 0, None),
        ("label", "fixed", "i2", None, 0),
        ("detection", "new_false_positive", "i1", None, 1),
        ("detection", "kept", "i2", None, 0),
        ("detection", "gone_false_positive", "i3", 1, None),
    ]
    assert rows[2]["category_b"] == "dog"
    assert rows[2]["size"] == "large"


def test_nothing_at_all() -> None:
    nothing = evaluate_tables(builders.tables({**LABELS, "annotations": []}, []), Settings())
    found = changes(nothing.tables, nothing.tables, nothing.outcomes, nothing.outcomes, Settings())
    assert change_rows(nothing, nothing, found).num_rows == 0
    assert regressed_images(nothing, nothing, found) == []
