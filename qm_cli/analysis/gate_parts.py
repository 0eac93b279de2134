"""The parts of an evaluation that a gate asks about, each sorted once to be counted under any weights of the images.

A part of the labels is what a size is to COCO: labels outside it are ignored, predictions count as what they match, and
those that match nothing count where they lie in the part themselves. A part of the images is a matter of weights alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.bootstrap import Weighable, inside_range, weighable
from qm_cli.analysis.counts import outcomes
from qm_cli.analysis.gate_quantities import Confidences, Population, Quantity, lowest_scores
from qm_cli.kernels.weighted import Runs, runs_by_group
from qm_cli.matching import Matches, ignored_labels, match_tables
from qm_cli.settings import AreaRange, Settings
from qm_cli.tables import Tables

BoolArray = npt.NDArray[np.bool_]
Setting = tuple[float, float | Confidences]
Objects = tuple[AreaRange, str | None]
"""A size, and the slice of objects; a slice of images needs no matches of its own."""


@dataclass(frozen=True)
class Members:
    """What belongs to a slice: bool[images], bool[labels], bool[predictions].

    Without labels it is one of whole images; with labels alone nothing is known of predictions that match nothing.
    """

    image: BoolArray
    label: BoolArray | None = None
    prediction: BoolArray | None = None


@dataclass(frozen=True)
class Part:
    """Objects by category. rates: true positives, false positives, false negatives by (IoU, confidence).

    labels: those that count; inside: predictions in the part; image: the images of its slice, bool[images], None for
    all; whole: nothing but images is left out.
    """

    labels: Runs
    inside: Runs
    curves: Weighable | None
    rates: dict[Setting, tuple[Runs, Runs, Runs]]
    image: BoolArray | None
    whole: bool

    def only(self, quantities: Sequence[Quantity]) -> Part:
        """What these quantities need of it."""
        settings = {(one.iou, one.confidence) for one in quantities if not one.is_curve}
        rates = {setting: runs for setting, runs in self.rates.items() if setting in settings}
        named = {threshold for one in quantities if one.is_curve for threshold in one.thresholds}
        if self.curves is None or not named:
            return replace(self, curves=None, rates=rates)
        chosen = [place for place, threshold in enumerate(self.curves.thresholds) if threshold in named]
        curves = replace(
            self.curves,
            lanes=tuple(self.curves.lanes[place] for place in chosen),
            thresholds=tuple(self.curves.thresholds[place] for place in chosen),
        )
        return replace(self, curves=curves, rates=rates)


def parts(
    tables: Tables, settings: Settings, quantities: Sequence[Quantity], members: Mapping[str, Members]
) -> dict[Population, Part]:
    """Every population that the quantities name, matched together in one go."""
    populations = list(dict.fromkeys(one.population for one in quantities))
    keys = {population: _objects(population, members) for population in populations}
    distinct = list(dict.fromkeys(keys.values()))
    thresholds = _thresholds(quantities)
    ignored = np.stack([_ignored(tables, key, members) for key in distinct])
    ranges = tuple(size for size, _ in distinct)
    matches = match_tables(
        tables, replace(settings, iou=thresholds[0], iou_thresholds=thresholds, area_ranges=ranges), ignored
    )
    ready: dict[Objects, Part] = {}
    for place, key in enumerate(distinct):
        own = [one for one in quantities if keys[one.population] == key]
        ready[key] = _part(tables, settings, _lanes_of(matches, place), own, _inside(tables, key, members), key)
    return {population: replace(ready[key], image=_images(population, members)) for population, key in keys.items()}


def _objects(population: Population, members: Mapping[str, Members]) -> Objects:
    name = population.slice
    of_images = name is None or members[name].label is None
    return population.size, None if of_images else name


def _images(population: Population, members: Mapping[str, Members]) -> BoolArray | None:
    return None if population.slice is None else members[population.slice].image


def _thresholds(quantities: Iterable[Quantity]) -> tuple[float, ...]:
    """Every IoU threshold that any of the quantities needs, ascending; at least one."""
    named = {threshold for one in quantities for threshold in (one.thresholds if one.is_curve else (one.iou,))}
    return tuple(sorted(named)) or (0.5,)


def _ignored(tables: Tables, key: Objects, members: Mapping[str, Members]) -> BoolArray:
    """Labels that do not count in a part: crowds, those of another size and those outside its slice: bool[labels]."""
    size, name = key
    ignored: BoolArray = ignored_labels(tables, (size,))[0]
    label = None if name is None else members[name].label
    return ignored if label is None else ignored | ~label


def _inside(tables: Tables, key: Objects, members: Mapping[str, Members]) -> BoolArray:
    """Predictions that lie in a part themselves: bool[predictions]."""
    size, name = key
    inside = inside_range(tables, size)
    prediction = None if name is None else members[name].prediction
    if prediction is not None:
        return inside & prediction
    return inside if name is None else np.zeros(len(inside), np.bool_)


def _lanes_of(matches: Matches, area: int) -> Matches:
    """The matches of one part as if there were no other."""
    lanes = np.flatnonzero(matches.area == area)
    return replace(
        matches,
        label=matches.label[lanes],
        threshold=matches.threshold[lanes],
        area=np.zeros(len(lanes), np.int64),
        ignored=matches.ignored[area : area + 1],
    )


def _part(
    tables: Tables, settings: Settings, matches: Matches, wanted: Sequence[Quantity], inside: BoolArray, key: Objects
) -> Part:
    groups = tables.count("category")
    links = {
        level: (tables.values(level, "image_row"), tables.values(level, "category_row"))
        for level in ("label", "prediction")
    }

    def runs(level: str, mask: BoolArray) -> Runs:
        image, category = links[level]
        return runs_by_group(image[mask], category[mask], groups)

    whole = key[1] is None and key[0] == settings.area_ranges[0]
    counted = np.ones(len(inside), np.bool_) if whole else inside
    rates: dict[Setting, tuple[Runs, Runs, Runs]] = {}
    for iou, confidence in dict.fromkeys((one.iou, one.confidence) for one in wanted if not one.is_curve):
        if isinstance(confidence, tuple):
            found = outcomes(tables, matches, replace(settings, iou=iou), lowest_scores(confidence))
        else:
            found = outcomes(tables, matches, replace(settings, iou=iou, confidence=confidence))
        false = found.false_positive & counted
        rates[iou, confidence] = (
            runs("prediction", found.true_positive),
            runs("prediction", false),
            runs("label", found.false_negative),
        )
    thresholds = _thresholds(one for one in wanted if one.is_curve)
    curves = None
    if any(one.is_curve for one in wanted):
        own = replace(settings, iou=thresholds[0], iou_thresholds=thresholds, area_ranges=(key[0],))
        curves = weighable(tables, matches, outcomes(tables, matches, own), own, inside)
    return Part(runs("label", ~matches.ignored[0]), runs("prediction", counted), curves, rates, None, whole)
