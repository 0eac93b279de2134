"""Units: a measure has one value for an image where it is the image's, for a row otherwise."""

from __future__ import annotations

import numpy as np

from qm_cli.analysis.samples import Judged, Measure
from tests.analysis.simulated import judged_images, judged_rows

HIT = np.array([True, False, True, True, False])
IMAGES = np.array([4, 4, 1, 4, 1])


def test_rows_of_an_image_are_counted_together() -> None:
    judged = judged_rows(HIT, IMAGES, own=np.array([1.0, 2, 3, 4, 5]), even=np.array([7.0, 7, 8, 7, 8]))
    assert judged.images.tolist() == [1, 4]
    assert judged.image.tolist() == [0, 0, 1, 1, 1]
    own, even = judged.units(judged.measures[0]), judged.units(judged.measures[1])
    assert (own.of, own.values.tolist(), own.total.tolist()) == ("prediction", [3, 5, 1, 2, 4], [1] * 5)
    assert (even.of, even.values.tolist()) == ("image", [8, 7])
    assert (even.hits.tolist(), even.total.tolist()) == ([1, 2], [2, 3])


def test_a_parents_measure_is_its_images() -> None:
    measure = Measure("image", "brightness", np.array([0.0, 1, 2, 3, 4]))
    judged = Judged("prediction", "TP", np.arange(5), np.sort(IMAGES), HIT, [measure])
    assert judged.row_values(measure).tolist() == [1, 1, 4, 4, 4]
    assert judged.units(measure).values.tolist() == [1, 4]


def test_missing_everywhere_in_an_image_is_the_images() -> None:
    judged = judged_rows(HIT, IMAGES, gap=np.array([np.nan, np.nan, 1, np.nan, 1]))
    units = judged.units(judged.measures[0])
    assert units.of == "image"
    assert units.values[0] == 1
    assert np.isnan(units.values[1])


def test_images_of_one_row_are_their_rows() -> None:
    judged = judged_images(HIT, a=np.arange(5.0))
    assert judged.rows_alone
    assert judged.units(judged.measures[0]).total.tolist() == [1] * 5


def test_clusters_are_numbered_without_a_gap() -> None:
    judged = Judged("prediction", "TP", np.arange(5), np.sort(IMAGES), HIT, [], np.array([9, 5, 7, 7, 9]))
    assert judged.clusters.tolist() == [0, 1]
    assert not judged.rows_alone
