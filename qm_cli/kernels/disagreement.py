"""How much several answers of one model, an ensemble's or dropout's, differ: BALD and the variation ratio.

Probabilities are float64[members, n, k]: `categorical` ones are of k classes that exclude each other, sum 1;
`binary` ones are each of a yes, as for the k categories that may all be in an image.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.probabilities import entropy_of

FloatArray = npt.NDArray[np.float64]


def bald(categorical: FloatArray) -> FloatArray:
    """H(mean p) − mean H(p) in bits: what the answer would tell of the model, 0..log₂ k: float64[n].

    Mutual information of class and parameters (Houlsby et al. 2011; Gal, Islam, Ghahramani 2017).

    >>> bald(np.array([[[1.0, 0.0]], [[0.0, 1.0]]])), bald(np.array([[[0.5, 0.5]], [[0.5, 0.5]]]))
    (array([1.]), array([0.]))
    """
    known: FloatArray = np.maximum(entropy_of(categorical.mean(axis=0)) - entropy_of(categorical).mean(axis=0), 0.0)
    return known


def binary_bald(binary: FloatArray) -> FloatArray:
    """The same of yes and no, summed over the k categories: float64[n], 0..k.

    >>> binary_bald(np.array([[[1.0, 0.5]], [[0.0, 0.5]]]))
    array([1.])
    """
    return np.asarray(bald(np.stack([binary, 1 - binary], axis=-1)).sum(axis=-1))


def variation_ratio(categorical: FloatArray) -> FloatArray:
    """1 − the share of members whose likeliest class is the commonest such: float64[n], 0..1 − 1/members.

    (Freeman 1965; Gal, Islam, Ghahramani 2017.) Of equally likely classes a member votes for the first.

    >>> variation_ratio(np.array([[[0.9, 0.1]], [[0.8, 0.2]], [[0.3, 0.7]], [[0.6, 0.4]]]))
    array([0.25])
    """
    votes = categorical.argmax(axis=-1)
    counts = [(votes == kind).sum(axis=0) for kind in range(categorical.shape[-1])]
    return np.asarray(1 - np.max(counts, axis=0, initial=0) / len(votes))


def binary_variation_ratio(binary: FloatArray) -> FloatArray:
    """The largest share of members, over the k categories, that are outvoted; a yes from .5 on: float64[n], 0..½.

    >>> binary_variation_ratio(np.array([[[0.9, 0.1]], [[0.8, 0.6]], [[0.3, 0.2]]])).round(3)
    array([0.333])
    """
    share = (binary >= 0.5).mean(axis=0)
    return np.asarray(np.minimum(share, 1 - share).max(axis=-1, initial=0.0))
