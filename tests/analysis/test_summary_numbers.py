"""The names of the numbers: COCO's for COCO's settings, and none twice for any other."""

from __future__ import annotations

from dataclasses import replace

from qm_cli.analysis.summary_numbers import COCO_NUMBERS, headline_rates, last_recall, suffix, summary_numbers
from qm_cli.settings import AREA_RANGES, AreaRange, Settings
from tests.oracles import coco_loop


def test_cocos_twelve() -> None:
    areas, limits = [limits.name for limits in AREA_RANGES], [1, 10, 100]
    rows = [(one.name, one.kind, one.threshold, areas.index(one.area), limits.index(one.limit)) for one in COCO_NUMBERS]
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
    assert headline_rates((300, 5))[3] == "AR300"
