"""Would an order have paid: how many errors stand in its first k samples, against as many taken by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]

POINTS = 20
ORDERS = 1000
RESAMPLES = 1000
LOW, HIGH = 0.025, 0.975


def back_test(errors: FloatArray, first: RowArray, seed: int) -> dict[str, Any]:
    """What the chosen rows find, and what as many random ones do.

    errors: float64[n] ≥ 0, of every sample there was to choose from; first: the rows chosen, in their order. curve: at
    up to 20 sizes of the batch what is found, the mean of random batches (size × errors per sample) and the middle 95 %
    of 1,000 seeded ones. gain: errors per chosen sample over errors per sample, 1 = no better than chance, with a 95 %
    interval by resampling the samples 1,000 times (Poisson weights). p: share of the random batches, and this one, that
    find as much. Undefined, None, without errors or without a choice.

    >>> found = back_test(np.array([3.0, 0, 1, 0]), np.array([0, 2]), 0)
    >>> found["found"], found["errors"], found["random"], found["gain"]
    (4.0, 4.0, 2.0, 2.0)
    """
    count, size, total = len(errors), len(first), float(errors.sum())
    defined = total > 0 and size > 0
    sizes = np.unique(np.rint(np.linspace(0, size, POINTS + 1)).astype(np.int64))[1:] if size else np.zeros(0, np.int64)
    found = np.cumsum(errors[first])
    low, high, share = _random_batches(errors, sizes, float(found[-1]) if size else 0.0, seed)
    gains = _resampled_gains(errors, first, seed) if defined else np.zeros(0)
    known = gains[np.isfinite(gains)]
    interval = np.quantile(known, [LOW, HIGH]).tolist() if len(known) else [None, None]
    places = zip(sizes.tolist(), found[sizes - 1].tolist(), low, high, strict=True)
    curve = [
        {"size": at, "found": value, "random": total * at / count, "random_low": a, "random_high": b}
        for at, value, a, b in places
    ]
    return {
        "samples": count,
        "size": size,
        "errors": total,
        "found": float(found[-1]) if size else 0.0,
        "found_share": float(found[-1]) / total if defined else None,
        "random": total * size / count if count else None,
        "random_low": curve[-1]["random_low"] if curve else None,
        "random_high": curve[-1]["random_high"] if curve else None,
        "gain": float(found[-1]) / size / (total / count) if defined else None,
        "gain_low": interval[0],
        "gain_high": interval[1],
        "p": share if defined else None,
        "curve": curve,
    }


def random_rows(count: int, size: int, batches: int, seed: int) -> list[RowArray]:
    """Random batches of `size` of `count` rows, without repetition."""
    random = np.random.default_rng(seed)
    return [random.permutation(count)[:size].astype(np.int64) for _ in range(batches)]


def _random_batches(
    errors: FloatArray, sizes: RowArray, found: float, seed: int
) -> tuple[list[float], list[float], float]:
    """The middle 95 % of what random batches find at each size, and the share that finds `found` or more."""
    if len(sizes) == 0:
        return [], [], 1.0
    random = np.random.default_rng(seed)
    values = np.empty((ORDERS, len(sizes)))
    for order in range(ORDERS):
        batch = random.choice(len(errors), int(sizes[-1]), replace=False)
        values[order] = np.cumsum(errors[batch])[sizes - 1]
    low, high = np.quantile(values, [LOW, HIGH], axis=0)
    share = (int(np.count_nonzero(values[:, -1] >= found)) + 1) / (ORDERS + 1)
    return low.tolist(), high.tolist(), share


def _resampled_gains(errors: FloatArray, first: RowArray, seed: int) -> FloatArray:
    """The gain under Poisson weights of the samples; NaN where a resample has no error or none that was chosen.

    Samples with equally many errors are weighed together: sums of Poisson weights are Poisson.
    """
    random = np.random.default_rng([seed, 1])
    chosen = np.zeros(len(errors), bool)
    chosen[first] = True
    kinds, counts = np.unique(np.stack([chosen, errors]), axis=1, return_counts=True)
    weights = random.poisson(counts, (RESAMPLES, len(counts))).astype(np.float64)
    picked, number = kinds[0] > 0, kinds[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = weights[:, picked] @ number[picked] / weights[:, picked].sum(axis=1)
        gains: FloatArray = rate / (weights @ number / weights.sum(axis=1))
    return gains
