"""Label errors seen through predictions: objects overlooked, boxes off their place, categories swapped."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.codes import Codes
from qm_cli.error_names import ISSUES
from qm_cli.kernels import confident_learning, object_lab
from qm_cli.kernels import mistakenness as mistaken
from qm_cli.metric import metric

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]
CodeArray = npt.NDArray[np.int8]


@metric(level="prediction", kind="label", unit="similarity", range=(0, 1), better="higher")
def overlooked(overlooked_similarity: FloatArray, score: FloatArray, least_similarity: FloatArray) -> FloatArray:
    """How near a label of its category is to a confident prediction that no label overlaps; low = overlooked object.

    As ObjectLab: largest similarity, .9·IoU + .1·exp(−.1·distance of the centres in px); where the image has no label
    of the category, the dataset's least one times 1 − score. Null below score .95 and where a label overlaps.

    >>> overlooked(np.array([0.05, -1, np.nan]), np.array([0.99, 0.96, 0.5]), np.full(3, 0.01)).round(4).tolist()
    [0.05, 0.0004, nan]
    """
    return object_lab.overlooked_score(overlooked_similarity, score, least_similarity)


@metric(level="label", kind="label", unit="similarity", range=(0, 1), better="higher")
def badly_located(located_similarity: FloatArray, counts: BoolArray) -> FloatArray:
    """How well the label sits where a prediction of its category says; low = badly located.

    As ObjectLab: largest similarity with an overlapping prediction of score above .5, 1 where there is none. Null for
    crowd regions.

    >>> badly_located(np.array([0.3, np.nan, np.nan]), np.array([True, True, False])).tolist()
    [0.3, 1.0, nan]
    """
    return np.where(counts, object_lab.located_score(located_similarity), np.nan)


@metric(level="label", kind="label", unit="similarity", range=(0, 1), better="higher")
def swapped(
    swapped_similarity: FloatArray, conflicting: BoolArray, least_similarity: FloatArray, counts: BoolArray
) -> FloatArray:
    """How far the label is from confident predictions of other categories; low = of the wrong category.

    As ObjectLab: 1 − the largest similarity with one of score above .95, at least the dataset's least similarity, which
    is also the value of a label whose box (IoU ≥ .95) another category's label has too. Null for crowd regions.

    >>> found = np.array([0.9, np.nan, 0.1]), np.array([False, False, True])
    >>> swapped(*found, np.full(3, 0.01), np.ones(3, bool)).round(3).tolist()
    [0.1, 1.0, 0.01]
    """
    return np.where(counts, object_lab.swapped_score(swapped_similarity, conflicting, least_similarity), np.nan)


@metric(level="image", kind="label", unit="similarity", range=(0, 1), better="higher")
def label_quality(
    prediction_overlooked: FloatArray,
    prediction_offsets: RowArray,
    label_badly_located: FloatArray,
    label_swapped: FloatArray,
    label_offsets: RowArray,
) -> FloatArray:
    """How likely the image's labels are complete and right; low = look at it.

    As ObjectLab: the soft minimum (temperature .1) of overlooked, badly_located and swapped, and their geometric mean.

    >>> one = np.array([1.0]), np.array([0, 1])
    >>> label_quality(np.array([0.001]), one[1], one[0], one[0], one[1]).round(3).tolist()
    [0.1]
    """
    pools = (
        object_lab.softmin(prediction_overlooked, prediction_offsets),
        object_lab.softmin(label_badly_located, label_offsets),
        object_lab.softmin(label_swapped, label_offsets),
    )
    return object_lab.pooled(*pools)


@metric(level=("label", "prediction"), kind="label", unit="code", better="neither")
def label_issue(issue_code: CodeArray) -> Codes:
    """What a published rule calls wrong with the labels here; null where nothing.

    Of objects ObjectLab's: a label is "wrong category" or "badly located", a prediction "overlooked", where its score
    is at most .2 · the category's average precision. Of classes "confident learning": cleanlab's `find_label_issues`,
    pruned by noise rate.

    >>> label_issue(np.array([0, 3, -1])).tolist()
    ['wrong category', 'confident learning', None]
    """
    return Codes(issue_code, ISSUES)


@metric(level="image", kind="label", unit="count", range=(0, None), better="lower")
def label_issues(
    label_issue_code: CodeArray,
    label_offsets: RowArray,
    prediction_issue_code: CodeArray | None = None,
    prediction_offsets: RowArray | None = None,
) -> RowArray:
    """How many of the image's labels a published rule calls wrong, and how many objects overlooked.

    ObjectLab's rule for objects, confident learning for classes; see label.label_issue.

    >>> label_issues(np.array([0, -1]), np.array([0, 2]), np.array([2]), np.array([0, 1])).tolist()
    [2]
    """
    found = np.diff(np.append(0, np.cumsum(label_issue_code >= 0))[label_offsets])
    if prediction_issue_code is not None and prediction_offsets is not None:
        found += np.diff(np.append(0, np.cumsum(prediction_issue_code >= 0))[prediction_offsets])
    return found


@metric(level="label", kind="label", unit="share", range=(0, 1), better="lower")
def mistakenness(witness_score: FloatArray, witness_agrees: BoolArray) -> FloatArray:
    """How much the prediction on the label speaks against its category: (1 ± score) / 2, + where it names another.

    The prediction that matches it at the run's IoU and confidence, else what is left of another category. Null where
    none sits on it.

    >>> mistakenness(np.array([0.8, 0.8, np.nan]), np.array([True, False, False])).round(3).tolist()
    [0.1, 0.9, nan]
    """
    return mistaken.category_mistakenness(witness_score, witness_agrees)


@metric(level="label", kind="label", unit="share", range=(0, 1), better="lower")
def mistakenness_location(witness_score: FloatArray, witness_iou: FloatArray) -> FloatArray:
    """How much the prediction on the label speaks against its place: (score · (2i − 1) + 1) / 2, i = (1 − IoU) / .5.

    Null where no prediction sits on it.

    >>> mistakenness_location(np.array([0.8, np.nan]), np.array([0.5, np.nan])).round(3).tolist()
    [0.9, nan]
    """
    return mistaken.place_mistakenness(witness_score, witness_iou)


@metric(level="label", kind="label", unit="share", better="higher")
def self_confidence(own_probability: FloatArray) -> FloatArray:
    """Probability of the label's own category, as the prediction on it has it; low = likely wrong.

    From `probs`; null where no prediction sits on the label.

    >>> self_confidence(np.array([0.2])).tolist()
    [0.2]
    """
    return confident_learning.self_confidence(own_probability)


@metric(level="label", kind="label", unit="share", better="higher")
def normalized_margin(own_probability: FloatArray, other_probability: FloatArray) -> FloatArray:
    """(p(label) − largest p of another category + 1) / 2; below .5 another category leads.

    From `probs` of the prediction on the label; null where none sits on it.

    >>> normalized_margin(np.array([0.2]), np.array([0.6])).round(3).tolist()
    [0.3]
    """
    return confident_learning.normalized_margin(own_probability, other_probability)
