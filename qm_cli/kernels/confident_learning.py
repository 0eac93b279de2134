"""Which class labels are likely wrong, given out-of-sample class probabilities: confident learning.

Reference: Northcutt, Jiang, Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels, 2021, and cleanlab's
`find_label_issues(filter_by="prune_by_noise_rate")`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.integer]
CountMatrix = npt.NDArray[np.int64]

FUZZ = 1e-6
LEAST_THRESHOLD = 2 * FUZZ
UNREACHED = 2.0


def self_confidence(own: FloatArray) -> FloatArray:
    """The probability of the given label itself, 0..1."""
    return own


def normalized_margin(own: FloatArray, other: FloatArray) -> FloatArray:
    """(p(label) − largest other p + 1) / 2, 0..1.

    >>> normalized_margin(np.array([0.2, 0.7]), np.array([0.6, 0.2])).round(3).tolist()
    [0.3, 0.75]
    """
    margin: FloatArray = (own - other + 1) / 2
    return margin


def own_and_other(labels: IntArray, probabilities: FloatArray) -> tuple[FloatArray, FloatArray]:
    """p(label) and the largest probability of another class: float64[n] each; −inf where there is no other class."""
    rows = np.arange(len(labels))
    own = probabilities[rows, labels]
    others = probabilities.copy()
    others[rows, labels] = -np.inf
    return own, others.max(axis=1, initial=-np.inf)


def find_label_issues(labels: IntArray, probabilities: FloatArray) -> BoolArray:
    """Labels that are likely wrong: bool[n]. labels: int[n], 0 … K − 1. probabilities: float64[n, K], out of sample.

    As many of class k as the calibrated confident joint counts as truly j, by falling p(j) − p(k), ties by row. Never
    the last label of a class, and never one that its own probability leads.
    """
    issues = np.zeros(len(labels), bool)
    if len(labels) == 0:
        return issues
    keep = _kept_one_per_class(calibrated_joint(labels, probabilities).T)
    for given in range(probabilities.shape[1]):
        rows = np.flatnonzero(labels == given)
        if len(rows) <= 1:
            continue
        for true in np.flatnonzero(keep[:, given] > 0):
            if true != given:
                margin = probabilities[rows, true] - probabilities[rows, given]
                issues[rows[np.argsort(-margin, kind="stable")[: keep[true, given]]]] = True
    favoured = probabilities.copy()
    favoured[np.arange(len(labels)), labels] += FUZZ
    issues[favoured.argmax(axis=1) == labels] = False
    return issues


def calibrated_joint(labels: IntArray, probabilities: FloatArray) -> CountMatrix:
    """How many labels given as class i are truly class j, rows summing to the labels of i: int64[K, K].

    Summed column by column as in the reference: the last bit of the sum can tell how a half is rounded.
    """
    classes = probabilities.shape[1]
    counts = np.bincount(labels, minlength=classes)
    joint = np.asfortranarray(_confident_joint(labels, probabilities, counts), np.float64)
    joint = (joint.T / np.maximum(joint.sum(axis=1), 1e-100) * counts).T
    joint = joint / max(joint.sum(), 1e-100) * counts.sum()
    return _round_rows(joint)


def _confident_joint(labels: IntArray, probabilities: FloatArray, counts: IntArray) -> CountMatrix:
    """Labels by given class and the class whose mean own probability they reach, at least 1 on the diagonal."""
    classes = probabilities.shape[1]
    mean = np.array([probabilities[labels == k, k].mean() if counts[k] else UNREACHED for k in range(classes)])
    reached = probabilities >= np.maximum(mean, LEAST_THRESHOLD) - FUZZ
    number = reached.sum(axis=1)
    guess = np.where(number > 1, probabilities.argmax(axis=1), reached.argmax(axis=1))
    sure = number > 0
    cells = np.bincount(labels[sure] * classes + guess[sure], minlength=classes * classes).reshape(classes, classes)
    np.fill_diagonal(cells, np.maximum(cells.diagonal(), 1))
    return cells


def _round_rows(values: FloatArray) -> CountMatrix:
    """Whole numbers whose rows keep their rounded sums."""
    return np.array([_round_row(row) for row in values], np.int64).reshape(values.shape)


def _round_row(row: FloatArray) -> IntArray:
    """What is lacking goes to those that were rounded furthest the other way, of equal ones what is too much to the
    first, what is too little to the last. The reference leaves equal ones to NumPy's sort, which differs by processor.
    """
    rounded = np.rint(row)
    while lacking := int(np.rint(row.sum()) - rounded.sum()):
        step = 1 if lacking > 0 else -1
        furthest = np.argsort(row - rounded, kind="stable")[::-step]
        rounded[furthest[: abs(lacking)]] += step
    return rounded.astype(np.int64)


def _kept_one_per_class(counts: CountMatrix) -> CountMatrix:
    """The count matrix (true, given) with at least one label of each given class on the diagonal."""
    diagonal = np.maximum(counts.diagonal(), 1)
    more = diagonal - counts.diagonal()
    rates = np.maximum(np.count_nonzero(counts, axis=0) - 1, 1)
    kept = np.maximum(counts - more / rates, 0.0)
    np.fill_diagonal(kept, diagonal)
    return _round_rows(np.trunc(kept))
