"""Settings: the defaults are COCO's, and they come back whole from JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from qm_cli import options
from qm_cli.errors import UsageError
from qm_cli.evaluation import CONVENTIONS as EVALUATED
from qm_cli.settings import (
    AREA_RANGES,
    CONVENTIONS,
    GRID_STEPS,
    IOU_THRESHOLDS,
    OF_CLASSES,
    RECALL_GRID,
    AreaRange,
    Grid,
    Measure,
    Settings,
    settings_at,
)
from tests.oracles import coco_loop

THRESHOLD = st.floats(0.01, 1)


def test_defaults_are_cocos() -> None:
    assert list(IOU_THRESHOLDS) == coco_loop.IOU_THRESHOLDS
    assert RECALL_GRID.tolist() == coco_loop.RECALL_GRID
    assert [(limits.name, limits.low, limits.high) for limits in AREA_RANGES] == coco_loop.AREAS
    chosen = Settings()
    assert (chosen.task, chosen.convention, chosen.iou, chosen.confidence) == ("bbox", "coco", 0.5, 0.5)
    assert list(chosen.max_detections) == coco_loop.MAX_DETECTIONS
    assert (chosen.iou_thresholds, chosen.area_ranges, chosen.categories) == (IOU_THRESHOLDS, AREA_RANGES, ())


def test_defaults_equal_pycocotools() -> None:
    params = pytest.importorskip("pycocotools.cocoeval").Params(iouType="bbox")
    np.testing.assert_array_equal(params.iouThrs, IOU_THRESHOLDS)
    np.testing.assert_array_equal(params.recThrs, RECALL_GRID)
    assert params.areaRng == [[limits.low, limits.high] for limits in AREA_RANGES]
    assert params.areaRngLbl == [limits.name for limits in AREA_RANGES]


@given(
    st.builds(
        Settings,
        iou=THRESHOLD,
        confidence=st.floats(0, 1),
        iou_thresholds=st.lists(THRESHOLD, min_size=1, max_size=4).map(tuple),
        area_ranges=st.lists(
            st.builds(AreaRange, st.text(max_size=4), THRESHOLD, st.floats(1, 1e10)), min_size=1, max_size=3
        ).map(tuple),
        max_detections=st.lists(st.integers(1, 1000), min_size=1, max_size=3).map(tuple),
        categories=st.lists(st.text(max_size=5), max_size=3).map(tuple),
        beta=st.none() | st.floats(0.1, 9),
        grid=st.none() | st.builds(Grid, st.just((0.0, 0.5)), st.lists(THRESHOLD).map(tuple), st.booleans()),
    )
)
@settings(deadline=None)
def test_back_from_json(chosen: Settings) -> None:
    assert Settings.from_dict(json.loads(json.dumps(chosen.as_dict()))) == chosen


def test_what_an_older_or_newer_file_says_is_read_as_far_as_it_is_known() -> None:
    assert Settings.from_dict({}) == Settings()
    assert Settings.from_dict({"iou": 0.75, "of_later": [1, 2]}) == Settings(iou=0.75)


def test_the_chosen_iou_is_matched_once() -> None:
    assert Settings(iou=0.5).match_thresholds() == IOU_THRESHOLDS
    assert Settings(iou=IOU_THRESHOLDS[3]).match_thresholds() == IOU_THRESHOLDS
    assert Settings(iou=0.3).match_thresholds() == (*IOU_THRESHOLDS, 0.3)


def test_settings_stay_as_they_are() -> None:
    chosen = Settings()
    with pytest.raises(AttributeError):
        chosen.iou = 0.3  # type: ignore[misc]
    assert hash(replace(chosen, iou=0.3)) != hash(chosen)


def test_the_grids_thresholds_are_matched_once_each() -> None:
    assert GRID_STEPS == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    found = Settings(iou=0.3, grid=Grid()).match_thresholds()
    assert len(found) == len(set(found))
    assert found[: len(IOU_THRESHOLDS) + 1] == (*IOU_THRESHOLDS, 0.3)
    assert set(found) == {*IOU_THRESHOLDS, *GRID_STEPS}


def test_conventions_are_the_same_everywhere() -> None:
    assert tuple(EVALUATED) == CONVENTIONS
    assert (*CONVENTIONS, *OF_CLASSES) == tuple(one.value for one in options.ConventionName)


def test_an_unknown_convention_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"there is no 'voc2012' \(did you mean voc12"):
        Settings(convention="voc2012")


def test_thresholds_follow_the_convention_unless_given() -> None:
    own = settings_at("ultralytics")
    assert (own.iou, own.confidence) == (0.45, 0.25)
    assert (own.at("voc12").iou, own.at("voc12").confidence) == (0.5, 0.5)
    assert Settings(iou=0.6).at("voc12").iou == 0.6
    assert Settings(iou=0.6).at("ultralytics").iou == 0.45
    assert Settings(iou=0.6).at("ultralytics", 0.7).iou == 0.7
    assert settings_at("voc12", voc_devkit=True).at("coco") == Settings()
    assert settings_at("voc12", voc_devkit=True).at("voc07").voc_devkit


@pytest.mark.parametrize(("convention", "task"), [("voc12", "segm"), ("labelbox", "keypoints"), ("lvis", "keypoints")])
def test_a_convention_that_does_not_compare_a_task_is_refused(convention: str, task: str) -> None:
    with pytest.raises(UsageError, match=f"convention {convention} does not compare {task}"):
        Settings(convention=convention).of(Measure(task))
