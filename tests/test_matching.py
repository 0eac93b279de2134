"""Who matches whom, in any stretches, against COCO's loop cell by cell; orders and limits against plain loops."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from qm_cli import matching
from qm_cli.arrays import to_arrow
from qm_cli.matching import Matches, image_rank, match_tables, score_order, within_max_detections
from qm_cli.settings import AREA_RANGES, IOU_THRESHOLDS, Settings
from qm_cli.tables import Tables
from tests import builders
from tests.input_files import document, image, label, prediction
from tests.oracles import coco_loop
from tests.strategies import DetectionSet, detection_sets

Row = dict[str, Any]


def rows(tables: Tables, level: str) -> list[Row]:
    """The labels or predictions as the loop takes them."""
    names = ("image_row", "category_row", "bbox", "score", "area", "iscrowd")
    table = tables.table(level)
    found: list[Row] = table.select([name for name in names if name in table.column_names]).to_pylist()
    return found


def one_by_one(tables: Tables, chosen: Settings) -> tuple[dict[int, int], dict[tuple[float, int], dict[int, int]]]:
    """The place of each prediction in its cell, and the label row it takes for each (threshold, area)."""
    labels, predictions = rows(tables, "label"), rows(tables, "prediction")
    place: dict[int, int] = {}
    taken: dict[tuple[float, int], dict[int, int]] = {}
    for cell in {(row["image_row"], row["category_row"]) for row in predictions}:
        own, other = (
            [n for n, row in enumerate(side) if (row["image_row"], row["category_row"]) == cell]
            for side in (predictions, labels)
        )
        own = [own[i] for i in coco_loop.by_score([predictions[n] for n in own])]
        place |= {row: n for n, row in enumerate(own)}
        for area, limits in enumerate(chosen.area_ranges):
            ignored = [
                labels[n]["iscrowd"] or not coco_loop.in_range(labels[n]["area"], limits.low, limits.high)
                for n in other
            ]
            for threshold in chosen.match_thresholds() if area == 0 else chosen.iou_thresholds:
                found = coco_loop.match_cell(
                    [predictions[n] for n in own], [labels[n] for n in other], ignored, threshold
                )
                lane = taken.setdefault((threshold, area), {})
                lane |= {row: -1 if match is None else other[match] for row, match in zip(own, found, strict=True)}
    return place, taken


def as_lists(matches: Matches) -> dict[str, Any]:
    return {name: getattr(matches, name).tolist() for name in Matches.__struct_fields__}


@given(detection_sets(), st.sampled_from([0.5, 0.3, 0.62, 1.0]))
@settings(max_examples=40, deadline=None)
def test_equal_to_cocos_loop(data: DetectionSet, iou: float) -> None:
    chosen = Settings(iou=iou)
    tables = builders.tables(*data)
    matches = match_tables(tables, chosen)
    place, taken = one_by_one(tables, chosen)
    row = matches.row.tolist()
    assert matches.place.tolist() == [place[one] for one in row]
    for lane, (threshold, area) in enumerate(zip(matches.threshold.tolist(), matches.area.tolist(), strict=True)):
        expected = taken.get((threshold, area), {})
        assert matches.label[lane].tolist() == [expected[one] for one in row]
        assert {one for one, match in expected.items() if match >= 0} <= set(row)


@given(detection_sets(max_images=8), st.sampled_from([1, 2, 3, 7]), st.sampled_from([1, 2, 5, 1 << 22]))
@settings(max_examples=40, deadline=None)
def test_any_stretches_give_the_same(data: DetectionSet, predictions: int, cells: int) -> None:
    tables = builders.tables(*data)
    whole = as_lists(match_tables(tables, Settings()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "MOST_PREDICTIONS", predictions)
        patch.setattr(matching, "LEAST_PREDICTIONS", 1)
        patch.setattr(matching, "CELLS_AT_ONCE", cells)
        assert as_lists(match_tables(tables, Settings())) == whole


@given(st.lists(st.integers(0, 4), max_size=12), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_stretches_cover_every_image_once_and_are_bounded(counts: list[int], predictions: int, cells: int) -> None:
    images = [image(number) for number in range(1, len(counts) + 1)]
    tables = _made(images, [1 + row for row, count in enumerate(counts) for _ in range(count)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "MOST_PREDICTIONS", predictions)
        patch.setattr(matching, "LEAST_PREDICTIONS", 1)
        patch.setattr(matching, "CELLS_AT_ONCE", cells)
        stretches = matching._stretches(tables)
    assert [one for begin, end in stretches for one in range(begin, end)] == list(range(len(counts)))
    for begin, end in stretches:
        alone = end - begin <= 1
        assert alone or sum(counts[begin : end - 1]) < predictions
        assert alone or (end - begin) * tables.count("category") <= cells


def _made(images: list[Row], image_ids: list[Any], scores: list[float] | None = None) -> Tables:
    """Tables of these images with a prediction for each of the image ids, two categories in turn; no labels."""
    scores = scores or [0.5] * len(image_ids)
    given_rows = [
        prediction(image_id=one, category_id=(1, 7)[n % 2], score=score)
        for n, (one, score) in enumerate(zip(image_ids, scores, strict=True))
    ]
    if not images:
        empty = builders.tables(document(labels=[]), [])
        none = {level: empty.table(level).slice(0, 0) for level in ("image", "label", "prediction")}
        return replace(empty, **none, _views={})
    return builders.tables(document(images, labels=[]), given_rows)


def test_lanes_are_thresholds_by_area_and_the_chosen_iou_over_all_areas() -> None:
    matches = match_tables(builders.tables(document(), [prediction()]), Settings(iou=0.3))
    lanes = list(zip(matches.threshold.tolist(), matches.area.tolist(), strict=True))
    everywhere = [(threshold, 0) for threshold in (*IOU_THRESHOLDS, 0.3)]
    assert lanes == everywhere + [(t, area) for area in (1, 2, 3) for t in IOU_THRESHOLDS]
    assert (matches.lane(0.3), matches.lane(0.5), matches.lane(0.5, 2)) == (10, 0, 21)


@pytest.mark.parametrize(
    ("ids", "rank"),
    [
        ([100, 9, 10, 0], [3, 1, 2, 0]),
        ([-3, 2**53 + 1, 2**53, 7], [0, 3, 2, 1]),
        (["100", "9", "10", "b", "B", ""], [2, 3, 1, 5, 4, 0]),
        (["img10", "img9", "ä"], [0, 1, 2]),
    ],
)
def test_images_rank_by_number_or_text(ids: list[Any], rank: list[int]) -> None:
    assert image_rank(_made([image(one) for one in ids], [])).tolist() == rank


@given(st.data(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_score_order(data: st.DataObject, text: bool) -> None:
    numbers = data.draw(st.lists(st.integers(0, 200), min_size=1, max_size=6, unique=True))
    ids: list[Any] = [str(number) for number in numbers] if text else numbers
    pairs = st.tuples(st.sampled_from(ids), st.sampled_from([0.0, 0.5, np.nextafter(0.5, 1).item(), 1.0]))
    drawn = data.draw(st.lists(pairs, max_size=20))
    tables = _made([image(one) for one in ids], [one for one, _ in drawn], [score for _, score in drawn])
    sources = tables.values("prediction", "source_row").tolist()
    categories = tables.values("prediction", "category_row").tolist()
    expected = sorted(
        range(len(drawn)), key=lambda row: (categories[row], -drawn[sources[row]][1], drawn[sources[row]][0], row)
    )
    assert score_order(tables).tolist() == expected


@given(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from([0.1, 0.5, 0.9])), max_size=25), st.sampled_from([1, 2, 5])
)
@settings(max_examples=40, deadline=None)
def test_within_max_detections(drawn: list[tuple[int, float]], limit: int) -> None:
    tables = _made([image(1), image(2), image(3)], [one for one, _ in drawn], [score for _, score in drawn])
    order = score_order(tables)
    image_row, category_row = (tables.values("prediction", name) for name in ("image_row", "category_row"))
    seen: Counter[tuple[int, int]] = Counter()
    expected = [True] * len(drawn)
    for row in order.tolist():
        cell = (int(image_row[row]), int(category_row[row]))
        expected[row] = seen[cell] < limit
        seen[cell] += 1
    kept = within_max_detections(tables, order, limit)
    assert (kept is None and all(expected)) or (kept is not None and kept.tolist() == expected)


def test_all_detections_of_a_small_image_are_within_the_limit() -> None:
    tables = _made([image(1), image(2)], [1, 1, 2, 2])
    assert within_max_detections(tables, score_order(tables), 2) is None


def test_ignored_labels_are_crowds_and_those_out_of_range() -> None:
    areas = [0, 1023.9, 1024, 1024.1, 9216, 9216.1, 1e10]
    labels = [label(number, area=area) for number, area in enumerate(areas)]
    tables = builders.tables(document(labels=[*labels, label(99, iscrowd=1, area=10)]), [])
    counted = (~matching.ignored_labels(tables, AREA_RANGES)).astype(int).tolist()
    assert counted == [
        [1, 1, 1, 1, 1, 1, 1, 0],
        [1, 1, 1, 0, 0, 0, 0, 0],
        [0, 0, 1, 1, 1, 0, 0, 0],
        [0, 0, 0, 0, 1, 1, 1, 0],
    ]


def without_boxes(tables: Tables, level: str, rows_without: list[int]) -> Tables:
    boxes = tables.values(level, "bbox").copy()
    boxes[rows_without] = np.nan
    table = tables.table(level)
    place = table.schema.get_field_index("bbox")
    return replace(tables, **{level: table.set_column(place, "bbox", to_arrow(boxes))}, _views={})


def test_what_has_no_box_matches_nothing() -> None:
    tables = builders.tables(document(), [prediction(), prediction(score=0.8), prediction(image_id=2)])
    matches = match_tables(without_boxes(without_boxes(tables, "prediction", [0]), "label", [1]), Settings())
    assert (matches.row.tolist(), matches.place.tolist()) == ([1], [1])
    assert set(matches.label[:10].ravel().tolist()) == {0}


@pytest.mark.parametrize("level", ["label", "prediction"])
def test_a_level_without_rows(level: str) -> None:
    tables = builders.tables(document(), [prediction()])
    tables = replace(tables, **{level: tables.table(level).slice(0, 0)}, _views={})
    matches = match_tables(tables, Settings())
    assert matches.label.shape == (40, 0)
    assert matches.order.tolist() == list(range(tables.count("prediction")))


def test_no_images_at_all() -> None:
    matches = match_tables(_made([], []), Settings())
    assert (matches.label.shape, matches.order.shape, matches.ignored.shape) == ((40, 0), (0,), (4, 0))


def test_the_order_of_the_files_rows_changes_only_ties() -> None:
    labels = [label(number, image_id=1 + number % 2, bbox=[number * 5, 0, 20, 20]) for number in range(8)]
    given_rows = [prediction(image_id=1 + n % 2, bbox=[n * 4, 1, 20, 20], score=n / 40) for n in range(40)]
    shuffled = random.Random(1).sample(given_rows, len(given_rows))
    found = []
    for order in (given_rows, shuffled):
        tables = builders.tables(document(labels=labels), order)
        matches = match_tables(tables, Settings())
        score = tables.values("prediction", "score")[matches.row]
        found.append(sorted(zip(score.tolist(), matches.place.tolist(), *matches.label.tolist(), strict=True)))
    assert found[0] == found[1]


def test_at_iou_0_any_overlap_matches_and_touching_does_not() -> None:
    rows = [prediction(bbox=[29.9, 29.9, 20, 20]), prediction(image_id=2, bbox=[30, 10, 20, 20])]
    matches = match_tables(builders.tables(document(), rows), Settings(iou=0.0))
    assert matches.row.tolist() == [0]
    assert matches.label[matches.lane(0.0)].tolist() == [0]
    assert (matches.label[matches.lane(0.5)] == -1).all()
