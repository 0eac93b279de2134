"""Every built-in metric keeps the contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from qm_cli import catalog, engine
from qm_cli.arrays import to_arrow
from qm_cli.columns import available
from qm_cli.engine import Scores
from qm_cli.metric import LEVELS, Metric
from qm_cli.tables import Tables
from tests.builders import tables

CATALOG = catalog.load(entry_points=False)
CATEGORIES = 3
IMAGES = 7
SIDE = 24


def labels_and_predictions() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Seven images, the last with nothing on it; boxes, polygons, a crowd; probabilities of every prediction."""
    random = np.random.default_rng(5)
    images = [
        {"id": 10 - n, "file_name": f"{n}.png", "width": SIDE, "height": SIDE, "video_id": 1, "frame": n}
        for n in range(IMAGES)
    ]
    annotations, predictions = [], []
    for number in range(42):
        x, y, w, h = (float(value) for value in random.integers(1, 10, 4))
        image, category = 10 - number % (IMAGES - 1), 1 + number % CATEGORIES
        box = {"image_id": image, "category_id": category, "bbox": [x, y, w, h]}
        polygon = [[x, y, x + w, y, x + w, y + h]]
        shape = {"segmentation": polygon} if number % 2 else {}
        facts = {"track_id": number // (IMAGES - 1), "confidence": 0.5, "iscrowd": int(number == 4), "area": w * h}
        annotations.append({"id": number, **box, **shape, **facts})
        probs = random.dirichlet(np.ones(CATEGORIES))
        predictions.append({**box, "score": float(probs.max()), "probs": probs.tolist()})
    categories = [{"id": n + 1, "name": f"c{n}"} for n in range(CATEGORIES)]
    return {"images": images, "categories": categories, "annotations": annotations}, predictions


def with_classes(given: Tables) -> Tables:
    """The same tables with every tenth label a class of its image: without a box."""
    boxes = given.values("label", "bbox").copy()
    boxes[::10] = np.nan
    place = given.label.schema.get_field_index("bbox")
    return replace(given, label=given.label.set_column(place, "bbox", to_arrow(boxes)), _views={})


def emptied(given: Tables) -> Tables:
    """The same columns without a row."""
    return Tables(*(given.table(level).slice(0, 0) for level in ("image", "category", "label", "prediction")))


def sources_of(given: Tables) -> dict[tuple[str, str], Any]:
    """What an evaluation adds: here every second label is matched by the prediction of its row."""
    labels, predictions = given.count("label"), given.count("prediction")
    matched_label = np.where(np.arange(predictions) % 2 == 0, np.arange(predictions), -1)
    matched_prediction = np.where(np.arange(labels) % 2 == 0, np.arange(labels), -1)
    iou = np.where(matched_label >= 0, 0.75, np.nan)
    counted, counts = np.arange(predictions) % 7 > 0, np.arange(labels) % 5 > 0
    return {
        ("label", "matched_prediction_row"): matched_prediction,
        ("label", "counts"): counts,
        ("label", "false_negative"): counts & (matched_prediction < 0),
        ("label", "error_code"): np.where(matched_prediction >= 0, -1, 5).astype(np.int8),
        ("prediction", "matched_label_row"): matched_label,
        ("prediction", "matched_iou"): iou,
        ("prediction", "best_iou"): iou,
        ("prediction", "counted"): counted,
        ("prediction", "true_positive"): counted & (matched_label >= 0),
        ("prediction", "false_positive"): counted & (matched_label < 0),
        ("label", "whole_image"): np.isnan(given.values("label", "bbox")).any(axis=1),
        ("label", "issue_code"): (np.arange(labels) % 3 - 1).astype(np.int8),
        ("prediction", "issue_code"): np.where(np.arange(predictions) % 8, -1, 2).astype(np.int8),
        ("label", "located_similarity"): np.where(matched_prediction >= 0, 0.75, np.nan),
        ("label", "swapped_similarity"): np.where(matched_prediction >= 0, np.nan, 0.5),
        ("label", "conflicting"): np.arange(labels) % 9 == 1,
        ("label", "least_similarity"): np.full(labels, 0.01),
        ("label", "witness_score"): np.where(matched_prediction >= 0, 0.75, np.nan),
        ("label", "witness_iou"): np.where(matched_prediction >= 0, 0.75, np.nan),
        ("label", "witness_agrees"): matched_prediction >= 0,
        ("label", "own_probability"): np.where(matched_prediction >= 0, 0.75, np.nan),
        ("label", "other_probability"): np.where(matched_prediction >= 0, 0.25, np.nan),
        ("prediction", "overlooked_similarity"): np.where(matched_label >= 0, np.nan, 0.02),
        ("prediction", "least_similarity"): np.full(predictions, 0.01),
        ("prediction", "error_code"): (np.arange(predictions) % 6 - 1).astype(np.int8),
        ("prediction", "reason_code"): (np.arange(predictions) % 4 - 1).astype(np.int8),
    }


def run(given: Tables, folder: Path, shards: int = 1) -> Scores:
    sources = sources_of(given)
    plan = engine.plan(CATALOG, CATALOG, available(given, sources, images=True))
    return engine.run(given, plan, sources, folder, shards=shards)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(6)
    for number in range(IMAGES):
        Image.fromarray(random.integers(0, 255, (SIDE, SIDE, 3)).astype(np.uint8)).save(place / f"{number}.png")
    (place / "3.png").write_bytes((place / "1.png").read_bytes())
    return place


@pytest.fixture(scope="module")
def given() -> Tables:
    return with_classes(tables(*labels_and_predictions()))


@pytest.fixture(scope="module")
def scores(given: Tables, folder: Path) -> Scores:
    return run(given, folder)


@pytest.fixture(scope="module")
def sharded(given: Tables, folder: Path) -> Scores:
    return run(given, folder, shards=4)


@pytest.fixture(scope="module")
def empty(given: Tables, folder: Path) -> Scores:
    return run(emptied(given), folder)


def rows(given: Tables, scores: Scores) -> dict[str, int]:
    counted = {level: given.count(level) for level in ("image", "category", "label", "prediction")}
    return {**counted, "image_category": len(scores.image_row), "dataset": 1}


def column_of(scores: Scores, one: Metric, name: str) -> Any:
    return scores.vectors[one.level, name] if one.vector else np.asarray(scores.columns[one.level][name])


def in_range(values: Any, low: float | None, high: float | None) -> bool:
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    return bool(((known >= (-np.inf if low is None else low)) & (known <= (np.inf if high is None else high))).all())


parametrised = pytest.mark.parametrize("one", CATALOG.values(), ids=list(CATALOG))


@parametrised
def test_facts(one: Metric) -> None:
    assert one.level in LEVELS
    assert one.meaning.endswith((".", "?")) or len(one.meaning) > 10


@parametrised
def test_column(one: Metric, given: Tables, scores: Scores) -> None:
    if one.id in {skipped.metric for skipped in scores.skipped}:
        pytest.fail(f"{one.id} is skipped on a dataset that has everything")
    for name in one.outputs:
        column = column_of(scores, one, name)
        if one.vector:
            assert column.dtype == np.float32
            assert column.ndim == 2
            assert len(column) == rows(given, scores)[one.level]
            continue
        assert column.shape == (rows(given, scores)[one.level],)
        assert column.dtype.kind in "biufO"
        assert column.dtype.kind != "f" or column.dtype == np.float64
        assert column.dtype.kind != "O" or all(value is None or isinstance(value, str | int) for value in column)
    if one.note.range is not None:
        assert in_range(scores.columns[one.level][one.outputs[0]], *one.note.range)


@parametrised
def test_something_is_defined(one: Metric, scores: Scores) -> None:
    column = column_of(scores, one, one.outputs[0])
    assert any(value is not None and value == value for value in column.ravel().tolist())


@parametrised
def test_empty_dataset(one: Metric, empty: Scores, scores: Scores) -> None:
    for name in one.outputs:
        column = column_of(empty, one, name)
        assert len(column) == (1 if one.level == "dataset" else 0)
        assert column.dtype.kind == column_of(scores, one, name).dtype.kind or column.dtype.kind == "O"


@parametrised
def test_shards_change_nothing(one: Metric, scores: Scores, sharded: Scores) -> None:
    for name in one.outputs:
        first, second = column_of(scores, one, name), column_of(sharded, one, name)
        assert first.dtype == second.dtype
        np.testing.assert_array_equal(first, second)


def test_inputs_are_untouched(folder: Path) -> None:
    given, fresh = (with_classes(tables(*labels_and_predictions())) for _ in range(2))
    run(given, folder)
    for level in ("image", "category", "label", "prediction"):
        assert given.table(level).equals(fresh.table(level))
        for name in given.table(level).column_names:
            got, expected = given.values(level, name), fresh.values(level, name)
            assert got.dtype == expected.dtype
            assert got.tolist() == expected.tolist() or np.array_equal(got, expected, equal_nan=True)
