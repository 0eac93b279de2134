"""Average precision against a plain loop: blocks, steps on the recall grid, scores, limits, and what is undefined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from qm_cli.analysis import average_precision as analysis
from qm_cli.analysis.average_precision import AveragePrecision, average_precision, category_means
from qm_cli.matching import match_tables
from qm_cli.settings import RECALL_GRID, AreaRange, Settings
from qm_cli.tables import Tables
from tests import builders
from tests.input_files import document, image, label, prediction
from tests.oracles import coco_loop, pycocotools_reference
from tests.strategies import DetectionSet, detection_sets

Row = dict[str, Any]
CATEGORIES = [{"id": number, "name": name} for number, name in ((1, "cat"), (7, "dog"), (3, "cow"))]


def curves_of(tables: Tables, chosen: Settings | None = None) -> AveragePrecision:
    chosen = chosen or Settings()
    return average_precision(tables, match_tables(tables, chosen), chosen)


def as_bytes(curves: AveragePrecision) -> dict[str, tuple[tuple[int, ...], bytes]]:
    values = {name: getattr(curves, name) for name in AveragePrecision.__struct_fields__}
    return {name: (value.shape, np.ascontiguousarray(value).tobytes()) for name, value in values.items()}


def by_area(curves: AveragePrecision, values: np.ndarray) -> np.ndarray:
    """[lanes, …] → [thresholds, …, areas] with −1 for undefined, as pycocotools lays them out."""
    laid = np.stack([values[curves.area == area] for area in range(4)], axis=-1)
    return np.where(np.isnan(laid), -1, laid)


@given(detection_sets(), st.sampled_from([1, 30]), st.sampled_from([0.5, 0.3]))
@settings(max_examples=40, deadline=None)
def test_blocks_of_any_size_give_the_same(data: DetectionSet, block: int, iou: float) -> None:
    tables = builders.tables(*data)
    whole = as_bytes(curves_of(tables, Settings(iou=iou)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analysis, "BLOCK_VALUES", block)
        assert as_bytes(curves_of(tables, Settings(iou=iou))) == whole


def test_a_block_holds_lanes_of_one_area_range_side_by_side() -> None:
    area = np.repeat([0, 1, 2], [3, 2, 2])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analysis, "BLOCK_VALUES", 20)
        blocks = [block.tolist() for block in analysis._lane_blocks(area, 10)]
    assert blocks == [[0, 1], [2], [3, 4], [5, 6]]


@given(detection_sets(comparable=True))
@settings(max_examples=40, deadline=None)
def test_scores_are_pycocotools(data: DetectionSet) -> None:
    pytest.importorskip("pycocotools")
    curves = curves_of(builders.tables(*data))
    theirs = pycocotools_reference.with_pycocotools(*data)["scores"][..., -1]
    order = np.argsort([category["id"] for category in data[0]["categories"]], kind="stable")
    np.testing.assert_array_equal(by_area(curves, curves.score)[:, :, order], theirs)


def test_a_large_random_set_equals_pycocotools() -> None:
    pytest.importorskip("pycocotools")
    random = np.random.default_rng(3)
    images = [image(int(number)) for number in random.permutation(60)]
    labels = [
        label(n + 1, image_id=int(random.integers(60)), category_id=int(random.choice([1, 7, 3])), bbox=box, **facts)
        for n, box in enumerate(random.integers(1, 130, (500, 4)).tolist())
        for facts in [{"area": box[2] * box[3], "iscrowd": int(n % 20 == 0)}]
    ]
    given_rows = [
        prediction(
            image_id=one["image_id"],
            category_id=one["category_id"] if random.random() < 0.8 else 3,
            bbox=(np.array(one["bbox"]) + random.integers(0, 4, 4)).tolist(),
            score=round(float(random.random()), 2),
        )
        for one in labels * 6
    ]
    found = document(images, labels, CATEGORIES)
    reference = pycocotools_reference.with_pycocotools(found, given_rows)
    curves = curves_of(builders.tables(found, given_rows))
    order = np.argsort([category["id"] for category in CATEGORIES])
    for name in ("precision", "score"):
        mine = by_area(curves, getattr(curves, name))[:, :, order]
        np.testing.assert_array_equal(mine, reference["scores" if name == "score" else name][..., -1])
    recalls = np.stack([by_area(curves, recall)[:, order] for recall in curves.recall], axis=-1)
    np.testing.assert_array_equal(recalls, reference["recall"])


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=4))
@example(list(range(1, 400)))
@settings(max_examples=30, deadline=None)
def test_steps_on_the_recall_grid_are_those_of_searchsorted(counts: list[int]) -> None:
    found = analysis.recall_steps(np.array(counts))
    for count, steps in zip(counts, found, strict=True):
        recalls = np.arange(1, count + 1) / count
        np.testing.assert_array_equal(steps, np.searchsorted(recalls, RECALL_GRID, side="left"))


DRAWN = st.tuples(*[st.integers(1, 2), st.sampled_from([1, 7]), st.integers(1, 2), st.integers(0, 3), st.booleans()])


@given(st.lists(DRAWN, max_size=14))
@settings(max_examples=40, deadline=None)
def test_any_limits_and_any_areas(drawn: list[tuple[int, int, int, int, bool]]) -> None:
    labels = [
        label(n, image_id=1 + n % 2, category_id=(1, 7)[n // 2 % 2], bbox=[n % 4 * 10, 0, 10, 10], area=100 + n % 2)
        for n in range(8)
    ]
    given_rows = [
        prediction(image_id=one, category_id=category, bbox=[place * 10, 0, 10, 10 if exact else 7], score=score / 2)
        for one, category, score, place, exact in drawn
    ]
    chosen = Settings(max_detections=(1, 2), area_ranges=(AreaRange("all", 0, 1e10), AreaRange("low", 0, 100)))
    curves = curves_of(builders.tables(document(labels=labels), given_rows), chosen)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coco_loop, "MAX_DETECTIONS", [1, 2, 2])
        patch.setattr(coco_loop, "AREAS", [("all", 0, 1e10), ("low", 0, 100)] + [("none", -2, -1)] * 2)
        expected = coco_loop.evaluate(document(labels=labels), given_rows)
    for area in (0, 1):
        lanes = curves.area == area
        recall = [[[expected["recall"][t][k][area][m] for k in (0, 1)] for t in range(10)] for m in (0, 1)]
        assert curves.recall[:, lanes].tolist() == recall
        grid = [[[expected["precision"][t][r][k][area] for k in (0, 1)] for r in range(101)] for t in range(10)]
        assert curves.precision[lanes].tolist() == grid


def test_categories_without_labels_are_undefined_and_those_without_predictions_zero() -> None:
    labels = [label(1), label(2, category_id=7)]
    tables = builders.tables(document(labels=labels, categories=CATEGORIES), [prediction(), prediction(category_id=3)])
    curves = curves_of(tables)
    overall = curves.area == 0
    for values in (curves.precision[overall], curves.score[overall]):
        assert np.isnan(values[..., 2]).all()
        assert (values[..., 1] == 0).all()
        assert (values[..., 0] > 0).all()
    assert curves.recall[:, overall].reshape(-1, 3)[:, :2].tolist() == [[1.0, 0.0]] * 30
    assert np.isnan(curves.recall[:, overall, 2]).all()
    assert np.isnan(curves.precision[curves.area == 3]).all()


def test_a_perfect_detector_of_one_category() -> None:
    labels = [label(number, bbox=[number * 20, 0, 10, 10], area=100) for number in range(3)]
    given_rows = [prediction(bbox=row["bbox"], score=0.5 + row["id"] / 10) for row in labels]
    tables = builders.tables(document(labels=labels, categories=CATEGORIES[:1]), given_rows)
    curves = curves_of(tables, Settings(iou=1.0))
    overall = curves.area == 0
    np.testing.assert_allclose(curves.precision[overall], 1.0, rtol=1e-15)
    assert curves.recall[:, overall, 0].tolist() == [[1 / 3] * 11, [1.0] * 11, [1.0] * 11]
    assert sorted(set(curves.score[overall].ravel().tolist())) == [0.5, 0.6, 0.7]


@pytest.mark.parametrize("given_rows", [[], [prediction()]])
@pytest.mark.parametrize("labels", [[], [label()]])
def test_shapes_of_small_tables(labels: list[Row], given_rows: list[Row]) -> None:
    curves = curves_of(builders.tables(document(labels=labels), given_rows), Settings(iou=0.3))
    assert curves.precision.shape == curves.score.shape == (41, 101, 2)
    assert (curves.recall.shape, curves.threshold.shape, curves.area.shape) == ((3, 41, 2), (41,), (41,))


def test_no_categories_at_all() -> None:
    tables = builders.tables(document(labels=[], categories=[]), [])
    curves = curves_of(tables)
    assert (curves.precision.shape, curves.recall.shape) == ((40, 101, 0), (3, 40, 0))


def test_no_images_at_all() -> None:
    tables = builders.tables(document(labels=[]), [])
    none = {level: tables.table(level).slice(0, 0) for level in ("image", "label", "prediction")}
    curves = curves_of(replace(tables, **none, _views={}))
    assert np.isnan(curves.precision).all()
    assert curves.precision.shape == (40, 101, 2)


def test_means_of_categories_leave_out_what_is_undefined() -> None:
    values = np.array([[1.0, np.nan], [0.0, np.nan]])
    np.testing.assert_array_equal(category_means(values), [0.5, np.nan])
    assert np.isnan(category_means(values[:0])).all()
