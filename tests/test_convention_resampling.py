"""The numbers of some images are those that evaluating them alone gives: nothing is matched again, nothing lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from qm_cli.analysis.counts import category_counts
from qm_cli.convention_resampling import Resampled, labels_of
from qm_cli.evaluation import evaluate_tables
from qm_cli.settings import settings_at
from qm_cli.subset import only_images
from qm_cli.tables import Tables
from tests.simulated_sets import simulated_sets

CONVENTIONS = ["voc07", "voc12", "encord", "ultralytics", "lvis", "labelbox", "labelbox-sdk"]
RENAMED = {"best_f1_confidence", "f1_encord", "true_negatives"}


def tables_of(seed: int) -> Tables:
    """Simulated detections with LVIS's columns."""
    random = np.random.default_rng(seed)
    (tables,) = simulated_sets(random, 25, 4, [0.8])
    every = pa.array([[0, 1, 2, 3]] * 25, pa.list_(pa.int64()))
    image = tables.image.append_column("neg_category_ids", every)
    image = image.append_column("not_exhaustive_category_ids", pa.array([[n % 4] for n in range(25)]))
    category = tables.category.append_column("frequency", pa.array(["r", "c", "c", "f"]))
    return Tables(image, category, tables.label, tables.prediction)


def wanted(tables: Tables, **how: Any) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """What an evaluation says of itself, with its counts' rates."""
    found = evaluate_tables(tables, settings_at(**how))
    counts = category_counts(found.tables, found.outcomes)
    total = counts.total()
    overall = {name: np.nan if value is None else float(value) for name, value in found.numbers.overall.items()}
    category = {name: np.asarray(values, float) for name, values in found.numbers.category.items()}
    for name in ("precision", "recall", "f1"):
        overall[name], category[name] = float(getattr(total, name)[0]), getattr(counts, name)
    return overall, category


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_half_of_the_images(convention: str, seed: int) -> None:
    tables = tables_of(seed)
    model = Resampled(evaluate_tables(tables, settings_at(convention)))
    random = np.random.default_rng(seed)
    for share in (1.0, 0.5, 0.1, 0.0):
        kept = random.random(25) < share
        found = model.numbers(kept.astype(np.int32))
        overall, category = wanted(only_images(tables, kept), convention=convention)
        for name, value in zip(model.names, found.overall, strict=True):
            assert value == pytest.approx(overall[name], abs=1e-12, nan_ok=True), name
        for name, values in zip(model.category_names, found.category, strict=True):
            assert values == pytest.approx(category[name], abs=1e-12, nan_ok=True), name


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_share_is_there(convention: str) -> None:
    evaluation = evaluate_tables(tables_of(0), settings_at(convention))
    model = Resampled(evaluation)
    left_out = set(evaluation.numbers.overall) - set(model.names) - RENAMED
    assert all(name.startswith(("false_positives", "AR", "AP")) for name in left_out), left_out
    assert len(labels_of(evaluation).image) == evaluation.outcomes.label_counts.sum()
