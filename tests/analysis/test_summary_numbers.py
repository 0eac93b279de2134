"""The names of the numbers: COCO's for COCO's settings, and none twice for any other."""

from __future__ import annotations

from msgspec.structs import replace

from qm_cli.analysis.summary_numbers import (
    averaged_by_category,
    definition,
    last_recall,
    suffix,
    summary_numbers,
)
from qm_cli.settings import AREA_RANGES, AreaRange, Settings
from tests.oracles import coco_loop


def test_cocos_twelve() -> None:
    areas, limits = [limits.name for limits in AREA_RANGES], [1, 10, 100]
    rows = [
        (one.name, one.kind, one.threshold, areas.index(one.area), limits.index(one.limit))
        for one in summary_numbers(Settings())
    ]
    assert rows == coco_loop.STATS


def test_an_area_of_ones_own_is_not_called_as_cocos() -> None:
    own = replace(Settings(), area_ranges=(AREA_RANGES[0], AREA_RANGES[2], AreaRange("small", 0, 9)))
    names = [number.name for number in summary_numbers(own)]
    assert names == ["AP", "AP50", "AP75", "APm", "AP_small", "AR1", "AR10", "AR100", "ARm", "AR_small"]
    assert [suffix(area) for area in AREA_RANGES[1:]] == ["s", "m", "l"]


def test_the_largest_limit_stands_for_all() -> None:
    numbers = summary_numbers(Settings(max_detections=(300, 5)))
    assert [number.limit for number in numbers if not number.name.startswith("AR")] == [300] * 6
    assert [number.name for number in numbers if number.kind == "recall"] == ["AR5", "AR300", "ARs", "ARm", "ARl"]
    assert last_recall((300, 5)) == "AR300"
    assert averaged_by_category(Settings(max_detections=(300, 5)))[3] == "AR300"


def test_definitions_name_every_parameter() -> None:
    words = {
        number.name: definition(number, Settings(), "an image and category") for number in summary_numbers(Settings())
    }
    assert (
        words["AP"]
        == "average precision over 101 recalls, IoU ≥ 0.5:0.05:0.95, best 100 detections an image and category"
    )
    assert words["AP75"].startswith("average precision over 101 recalls, IoU ≥ 0.75, best 100")
    assert words["ARs"] == (
        "average recall, IoU ≥ 0.5:0.05:0.95, small labels (0 … 1024 px²), best 100 detections an image and category"
    )
    assert words["AR1"].endswith("best 1 detections an image and category")
    assert len(set(words.values())) == len(words)


def test_definitions_name_own_areas_and_limits() -> None:
    own = Settings(area_ranges=(AREA_RANGES[0], AreaRange("rest", 100, 1e10)), max_detections=(5, 300))
    words = {number.name: definition(number, own, "of an image") for number in summary_numbers(own)}
    assert words["AP_rest"].endswith("rest labels (≥ 100 px²), best 300 detections of an image")
    assert words["AR5"].endswith("IoU ≥ 0.5:0.05:0.95, best 5 detections of an image")
