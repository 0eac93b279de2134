"""Made sets of right and wrong samples: images of several sizes, outcomes alike within an image or a cluster."""

from __future__ import annotations

import numpy as np

from qm_cli.analysis.samples import Judged, Measure


def no_effect(
    seed: int, images: int = 120, metrics: int = 20, most: int = 12, cluster_size: int | None = None
) -> Judged:
    """Measures of images (i…) and of rows (r…) that have nothing to do with the outcome, though all are alike within
    an image: image and row measures have an image's own level, and clusters theirs."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, most + 1, images)
    image_row = np.repeat(np.arange(images), sizes)
    cluster = None if cluster_size is None else np.arange(images) // cluster_size
    of = np.arange(images) if cluster is None else cluster
    level = rng.normal(size=images)[of] * 1.5
    hit = rng.random(len(image_row)) < 1 / (1 + np.exp(-level[image_row]))
    image_measures = [
        Measure("image", f"i{k}", rng.normal(size=images)[of] + 0.3 * (cluster is not None) * rng.normal(size=images))
        for k in range(metrics)
    ]
    row_measures = [
        Measure("prediction", f"r{k}", rng.normal(size=images)[image_row] + rng.normal(size=len(image_row)))
        for k in range(metrics)
    ]
    return Judged("prediction", "TP", np.arange(len(hit)), image_row, hit, [*image_measures, *row_measures], cluster)


def judged_rows(hit: np.ndarray, image_row: np.ndarray, **columns: np.ndarray) -> Judged:
    """Rows with measures of their own."""
    order = np.argsort(image_row, kind="stable")
    measures = [Measure("prediction", name, np.asarray(values, np.float64)) for name, values in columns.items()]
    return Judged("prediction", "TP", order, image_row[order], np.asarray(hit, bool)[order], measures)


def judged_images(hit: np.ndarray, **columns: np.ndarray) -> Judged:
    """Images that are right or wrong."""
    rows = np.arange(len(hit))
    measures = [Measure("image", name, np.asarray(values, np.float64)) for name, values in columns.items()]
    return Judged("image", "correct", rows, rows, np.asarray(hit, bool), measures)
