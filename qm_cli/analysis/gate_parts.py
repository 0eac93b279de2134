"""The parts of an evaluation that a gate asks about, each sorted once to be counted under any weights of the images.

Labels of a size are matched as COCO does: those of another size are ignored, predictions count as what they match, and
those that match nothing count where they are of the size themselves. A slice of objects is placed in these matches as
`slices.placed` says; one of images is a matter of weights alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from qm_cli.analysis.bootstrap import Weighable, inside_range, weighable
from qm_cli.analysis.counts import Outcomes, outcomes
from qm_cli.analysis.gate_quantities import Confidences, Population, Quantity, lowest_scores
from qm_cli.analysis.slices import Members, placed
from qm_cli.kernels.weighted import Runs, runs_by_group
from qm_cli.matching import Matches, match_tables
from qm_cli.settings import AreaRange, Settings
from qm_cli.tables import Tables

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Setting = tuple[float, float | Confidences]
Objects = tuple[AreaRange, str | None]
"""A size, and the slice of objects; a slice of images needs no matches of its own."""


class Part(Struct, frozen=True):
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
    thresholds = _thresholds(quantities)
    sizes = tuple(dict.fromkeys(size for size, _ in keys.values()))
    matches = match_tables(tables, replace(settings, iou=thresholds[0], iou_thresholds=thresholds, area_ranges=sizes))
    ready: dict[Objects, Part] = {}
    for key in dict.fromkeys(keys.values()):
        size, name = key
        own = [one for one in quantities if keys[one.population] == key]
        lanes = _lanes_of(matches, sizes.index(size))
        ready[key] = _part(tables, settings, lanes, own, size, None if name is None else members[name])
    return {population: replace(ready[key], image=_images(population, members)) for population, key in keys.items()}


def _objects(population: Population, members: Mapping[str, Members]) -> Objects:
    name = population.slice
    of_images = name is None or members[name].whole
    return population.size, None if of_images else name


def _images(population: Population, members: Mapping[str, Members]) -> BoolArray | None:
    return None if population.slice is None else members[population.slice].images


def _thresholds(quantities: Iterable[Quantity]) -> tuple[float, ...]:
    """Every IoU threshold that any of the quantities needs, ascending; at least one."""
    named = {threshold for one in quantities for threshold in (one.thresholds if one.is_curve else (one.iou,))}
    return tuple(sorted(named)) or (0.5,)


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


def _setting(settings: Settings, iou: float, confidence: float | Confidences) -> tuple[Settings, FloatArray | None]:
    """What is asked at an IoU and a confidence, or at each category's own."""
    if isinstance(confidence, tuple):
        return replace(settings, iou=iou), lowest_scores(confidence)
    return replace(settings, iou=iou, confidence=confidence), None


def _part(
    tables: Tables,
    settings: Settings,
    matches: Matches,
    wanted: Sequence[Quantity],
    size: AreaRange,
    members: Members | None,
) -> Part:
    """members: of the slice of objects; None for all of the size."""
    groups = tables.count("category")
    links = {
        level: (tables.values(level, "image_row"), tables.values(level, "category_row"))
        for level in ("label", "prediction")
    }

    def runs(level: str, mask: BoolArray) -> Runs:
        image, category = links[level]
        return runs_by_group(image[mask], category[mask], groups)

    def found_at(at: Settings, least: FloatArray | None = None) -> tuple[Matches, Outcomes]:
        found = outcomes(tables, matches, at, least)
        return (matches, found) if members is None else placed(matches, found, members)

    of_all_sizes = size == settings.area_ranges[0]
    inside = inside_range(tables, size)
    counted = np.ones(len(inside), np.bool_) if of_all_sizes else inside
    labels = ~matches.ignored[0]
    if members is not None:
        own = members.own_predictions(len(inside))
        inside, counted = inside & own, counted & own
        labels = labels if members.labels is None else labels & members.labels
    rates: dict[Setting, tuple[Runs, Runs, Runs]] = {}
    for iou, confidence in dict.fromkeys((one.iou, one.confidence) for one in wanted if not one.is_curve):
        _, found = found_at(*_setting(settings, iou, confidence))
        rates[iou, confidence] = (
            runs("prediction", found.true_positive),
            runs("prediction", found.false_positive & counted),
            runs("label", found.false_negative),
        )
    thresholds = _thresholds(one for one in wanted if one.is_curve)
    curves = None
    if any(one.is_curve for one in wanted):
        at = replace(settings, iou=thresholds[0], iou_thresholds=thresholds, area_ranges=(size,))
        curves = weighable(tables, *found_at(at), at, inside)
    return Part(
        runs("label", labels), runs("prediction", counted), curves, rates, None, of_all_sizes and members is None
    )
