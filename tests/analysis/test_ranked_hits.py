"""Hits by rank: order, what is ignored, and the curve over them."""

from __future__ import annotations

import numpy as np

from qm_cli.analysis.ranked_hits import envelope, ranked_hits
from qm_cli.matching import score_order
from tests import builders
from tests.input_files import document, image, label, prediction


def test_categories_and_scores_in_order_without_the_ignored() -> None:
    labels = document([image(1)], [label(1), label(2), label(3, category_id=7)])
    rows = [prediction(score=0.2), prediction(score=0.9), prediction(category_id=7, score=0.4), prediction(score=0.5)]
    tables = builders.tables(labels, rows)
    counts = np.array([True, False, True])
    found = ranked_hits(tables, score_order(tables), np.array([0, 1, -1, -1]), counts)
    assert (found.start.tolist(), found.labels.tolist()) == ([0, 2, 3], [1, 1])
    hit, score, positives = found.of(0)
    assert (hit.tolist(), score.tolist(), positives) == ([False, True], [0.5, 0.2], 1)
    assert found.of(1)[0].tolist() == [False]


def test_envelope() -> None:
    assert envelope(np.array([0.5, 0.2, 0.4])).tolist() == [0.5, 0.4, 0.4]
    assert len(envelope(np.zeros(0))) == 0
