"""Any number of a detection evaluation, of any part of it, under any weights of the images, with its replicates."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from qm_cli.analysis.counts import Counts
from qm_cli.analysis.gate_parts import Part, parts
from qm_cli.analysis.gate_quantities import AP, MACRO, OUTCOME_COUNTS, Population, Quantity
from qm_cli.analysis.slices import Members
from qm_cli.kernels.weighted import half_weights, run_totals
from qm_cli.kernels.weighted_precision import ranked_totals, weighted_average_precision
from qm_cli.settings import Settings
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
Weights = npt.NDArray[np.int32]


class _Family(Struct, frozen=True):
    """A quantity of all categories, the places of its number, and those of each category's: int64[n] each."""

    quantity: Quantity
    whole: list[int]
    places: RowArray
    categories: RowArray


class Measuring(Struct, frozen=True, dict=True):
    """Quantities of one model, ready to be told under any weights of its images."""

    quantities: tuple[Quantity, ...]
    images: int
    parts: dict[Population, Part]

    def numbers(self, weights: Weights) -> FloatArray:
        """float64[quantities], NaN where undefined. weights: int32[images]; 1 everywhere gives the evaluation's own."""
        numbers = np.empty(len(self.quantities))
        for population, families in self._families.items():
            part = self.parts[population]
            _fill(numbers, part, _own_weights(part, weights), families)
        return numbers

    @cached_property
    def _families(self) -> dict[Population, list[_Family]]:
        """The quantities by population, those that differ in their category alone together."""
        members: dict[Quantity, list[int]] = {}
        for place, one in enumerate(self.quantities):
            members.setdefault(replace(one, category=None), []).append(place)
        families: dict[Population, list[_Family]] = {}
        for quantity, places in members.items():
            own = [(place, category) for place in places if (category := self.quantities[place].category) is not None]
            rows = np.array(own, np.int64).reshape(-1, 2)
            whole = [place for place in places if self.quantities[place].category is None]
            families.setdefault(quantity.population, []).append(_Family(quantity, whole, rows[:, 0], rows[:, 1]))
        return families

    def support(self) -> FloatArray:
        """How many samples each is a share of, NaN for counts: float64[quantities].

        Labels for recall, AP and AR; counted predictions for precision; both for F1.
        """
        whole = np.ones(self.images, np.int32)
        found = []
        for one in self.quantities:
            part = self.parts[one.population]
            own = _own_weights(part, whole)
            found.append(_support(part, own, one))
        return np.array(found)

    def only(self, quantities: Sequence[Quantity]) -> Measuring:
        """Some of the quantities."""
        kept = {
            population: part.only([one for one in quantities if one.population == population])
            for population, part in self.parts.items()
            if any(one.population == population for one in quantities)
        }
        return Measuring(tuple(dict.fromkeys(quantities)), self.images, kept)

    def units(self, unit: RowArray) -> RowArray:
        """How many different units speak of each: those of its images, for a part of the objects those with its labels.

        unit: what is drawn, per image: int64[images].
        """
        counts = []
        for one in self.quantities:
            part = self.parts[one.population]
            rows = np.arange(self.images)
            if one.category is not None or not part.whole:
                groups = part.labels.start[[0, -1] if one.category is None else [one.category, one.category + 1]]
                rows = part.labels.image[groups[0] : groups[1]]
            if part.image is not None:
                rows = rows[part.image[rows]]
            counts.append(len(np.unique(unit[rows])))
        return np.array(counts, np.int64)


def measuring(
    tables: Tables, settings: Settings, quantities: Sequence[Quantity], members: Mapping[str, Members] | None = None
) -> Measuring:
    """Match the tables once for all that the quantities need. members: what belongs to each slice they name."""
    distinct = tuple(dict.fromkeys(quantities))
    return Measuring(distinct, tables.count("image"), parts(tables, settings, distinct, members or {}))


def half_numbers(models: Sequence[Measuring], unit: RowArray, resamples: int, seed: int) -> list[FloatArray]:
    """Every model's numbers on the same random halves of the units: float64[resamples, quantities] each.

    resamples: halves, rounded down to an even number: both halves of each cut, as in `bootstrap.replicates`.
    """
    units = int(unit.max(initial=-1)) + 1

    def numbers(cut: int) -> list[list[FloatArray]]:
        return [[model.numbers(half) for model in models] for half in half_weights(seed, cut, unit, units)]

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        rows = [half for cut in threads.map(numbers, range(resamples // 2)) for half in cut]
    return [np.stack([row[place] for row in rows]) for place in range(len(models))]


def _own_weights(part: Part, weights: Weights) -> Weights:
    return weights if part.image is None else weights * part.image.astype(np.int32)


def _fill(numbers: FloatArray, part: Part, weights: Weights, families: Sequence[_Family]) -> None:
    """Write the numbers of one population in their places."""
    labels = run_totals(weights, part.labels)
    curves = _curve_values(part, weights, labels)
    counts = {setting: Counts(*(run_totals(weights, runs) for runs in part.rates[setting])) for setting in part.rates}
    for family in families:
        one = family.quantity
        if one.is_curve:
            values = np.stack([curves[threshold][one.kind != AP] for threshold in one.thresholds])
            whole, each = _mean(values), values.mean(0)
        elif one.kind == "images":
            whole, each = float(weights.sum()), np.zeros(0)
        elif one.kind == "labels":
            whole, each = float(labels.sum()), labels.astype(np.float64)
        elif one.kind == "predictions":
            inside = run_totals(weights, part.inside)
            whole, each = float(inside.sum()), inside.astype(np.float64)
        else:
            whole, each = _rate(counts[one.iou, one.confidence], one.kind, _unserved(one))
        numbers[family.whole] = whole
        if len(family.places):
            numbers[family.places] = each[family.categories]


def _unserved(one: Quantity) -> list[int]:
    """Rows of the categories that have no confidence of their own where each has one."""
    own = one.confidence
    return [row for row, least in enumerate(own) if least is None] if isinstance(own, tuple) else []


def _rate(counts: Counts, kind: str, unserved: Sequence[int] = ()) -> tuple[float, FloatArray]:
    """A count, share or mean of shares of everything, and of each category; unserved: categories that have none."""
    plain = np.asarray(getattr(counts, kind.removesuffix(MACRO)), np.float64)
    each = plain.copy()
    each[list(unserved)] = np.nan
    if kind.endswith(MACRO):
        return _mean(each), each
    return float(plain.sum() if kind in OUTCOME_COUNTS else getattr(counts.total(), kind)[0]), each


def _curve_values(part: Part, weights: Weights, labels: RowArray) -> dict[float, tuple[FloatArray, FloatArray]]:
    """Average precision and recall of each category per IoU threshold, NaN without labels: float64[categories]."""
    if part.curves is None:
        return {}
    totals = ranked_totals(weights, part.curves.ranked)
    values = {}
    for threshold, lane in zip(part.curves.thresholds, part.curves.lanes, strict=True):
        precision, found = weighted_average_precision(weights, lane, part.curves.ranked, totals, labels)
        values[threshold] = (precision, np.where(labels > 0, found / np.maximum(labels, 1), np.nan))
    return values


def _support(part: Part, weights: Weights, one: Quantity) -> float:
    if not one.has_interval:
        return np.nan
    if one.is_curve or one.kind.startswith("recall"):
        return _sum(run_totals(weights, part.labels), one.category)
    true, false, missed = (
        _sum(run_totals(weights, runs), one.category) for runs in part.rates[one.iou, one.confidence]
    )
    return true + false if one.kind.startswith("precision") else true + false + missed


def _sum(counts: RowArray, category: int | None) -> float:
    return float(counts.sum() if category is None else counts[category])


def _mean(values: FloatArray) -> float:
    """Mean of what is defined, NaN when nothing is."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else np.nan
