"""Replicates are those that comparisons use; support and units by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qm_cli.analysis.bootstrap import METRICS, replicates, weighable
from qm_cli.analysis.gate_checks import Check
from qm_cli.analysis.gate_numbers import half_numbers, measuring
from qm_cli.analysis.gate_quantities import Population, Quantity, curve_numbers, quantity_of
from qm_cli.analysis.slices import Members
from qm_cli.evaluation import evaluate_tables
from qm_cli.load import load_tables
from qm_cli.report import evaluation_report
from qm_cli.settings import AREA_RANGES, IOU_THRESHOLDS, Settings
from tests import builders
from tests.shape_sets import keypoint_set
from tests.simulated_sets import simulated_sets

ALL = Population(AREA_RANGES[0])
LADDER = {"AP": IOU_THRESHOLDS, "AP50": (0.5,), "AP75": (0.75,), "AR100": IOU_THRESHOLDS}


def quantity(name: str, category: int | None) -> Quantity:
    if name in LADDER:
        return Quantity(name[:2], ALL, category, LADDER[name])
    return Quantity(name, ALL, category)


def test_replicates_are_those_of_a_comparison() -> None:
    sets = simulated_sets(np.random.default_rng(0), 31, 3, (1.0, 1.5))
    quantities = [quantity(name, category) for name in METRICS for category in (None, 1)]
    own = half_numbers([measuring(one, Settings(), quantities) for one in sets], np.arange(31), 10, 7)
    evaluations = [evaluate_tables(one, Settings()) for one in sets]
    ready = [weighable(one.tables, one.matches, one.outcomes, one.settings) for one in evaluations]
    for found, known in zip(own, replicates(ready, np.arange(31), 10, 7), strict=True):
        assert np.allclose(found[:, ::2], known.overall, rtol=0, atol=1e-12, equal_nan=True)
        assert np.allclose(found[:, 1::2], known.category[:, :, 1], rtol=0, atol=1e-12, equal_nan=True)


def test_support_and_units() -> None:
    tables = simulated_sets(np.random.default_rng(1), 20, 2, (1.0,))[0]
    image, category = tables.values("label", "image_row"), tables.values("label", "category_row")
    half = np.arange(20) < 10
    population = Population(AREA_RANGES[0], "half")
    quantities = [
        Quantity("recall", ALL),
        Quantity("recall", ALL, 1),
        Quantity("recall", population, 1),
        Quantity("precision", population),
        Quantity("f1", ALL),
        Quantity("labels", ALL),
    ]
    found = measuring(tables, Settings(), quantities, {"half": Members(True, half, None, None)})
    own = dict(zip(found.quantities, found.support().tolist(), strict=True))
    assert own[quantities[0]] == len(image)
    assert own[quantities[1]] == np.count_nonzero(category == 1)
    assert own[quantities[2]] == np.count_nonzero((category == 1) & half[image])
    kept = (tables.values("prediction", "score") >= 0.5) & half[tables.values("prediction", "image_row")]
    assert own[quantities[3]] == np.count_nonzero(kept)
    assert own[quantities[4]] > own[quantities[0]]
    assert np.isnan(own[quantities[5]])
    units = dict(zip(found.quantities, found.units(np.arange(20) // 2).tolist(), strict=True))
    assert units[quantities[0]] == 10
    assert units[quantities[3]] == 5
    assert units[quantities[2]] == len(np.unique(image[(category == 1) & half[image]] // 2))
    assert found.only(quantities[2:4]).quantities == tuple(quantities[2:4])
    assert list(found.only(quantities[2:4]).parts) == [population]


@pytest.mark.parametrize("seed", range(3))
def test_the_numbers_of_keypoints_are_the_reports(seed: int, tmp_path: Path) -> None:
    tables = load_tables(*builders.write(tmp_path, *keypoint_set(np.random.default_rng(seed))))
    chosen = Settings().of(tables.measure)
    names = list(curve_numbers(chosen))
    assert names == ["AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl"]
    checked = [quantity_of(Check("min", name, 0.5, where="check 1"), chosen, None) for name in names]
    found = measuring(tables, chosen, [one for one in checked if one is not None])
    report = evaluation_report(evaluate_tables(tables, chosen))["metrics"]
    values = dict(zip(found.quantities, found.numbers(np.ones(found.images, np.int32)), strict=True))
    for name, one in zip(names, checked, strict=True):
        assert one is not None
        wanted = np.nan if report[name] is None else report[name]
        assert values[one] == pytest.approx(wanted, abs=1e-12, nan_ok=True), name
