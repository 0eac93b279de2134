"""What `qm evaluate` is asked for beyond one IoU and one confidence: texts → settings and questions."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from qm_cli.analysis.operating_points import Target, number_of, parsed_target
from qm_cli.convention_grids import CONVENTIONS
from qm_cli.count_report import NORMALISATIONS
from qm_cli.errors import UsageError
from qm_cli.settings import AREA_RANGES, GRID_STEPS, AreaRange, Grid, Settings

NONE = "none"
LARGEST_AREA = AREA_RANGES[0].high
CELL = re.compile(r"(predicted|true)=(.*),(?!\1)(predicted|true)=(.*)", re.DOTALL)
ANSWERED_BY: Mapping[str, Collection[str]] = {
    **dict.fromkeys(("at", "grid", "confidences", "ious", "image-grid"), CONVENTIONS),
    "max-detections": ("coco",),
    "area-range": ("coco", "lvis"),
}
"""Options that only some conventions can follow."""
NUMBER_NAME = re.compile(r"\w[\w.-]*")


class Questions(Struct, frozen=True):
    """What else to answer. at: (confidence, IoU) of single cells; grid: all cells; normalise: see `confusion_report`.

    examples: (predicted, true) names whose samples to list, None for none; targets: thresholds to choose; seed: of the
    folds they are tried on.
    """

    at: tuple[tuple[float, float], ...] = ()
    grid: bool = False
    normalise: str | None = None
    examples: tuple[tuple[str | None, str | None], ...] = ()
    targets: tuple[Target, ...] = ()
    seed: int = 0


def asked(
    settings: Settings,
    *,
    at: Sequence[str] | None = None,
    grid: bool = False,
    confidences: str | None = None,
    ious: str | None = None,
    image_grid: bool = False,
    writes: bool = False,
    beta: float | None = None,
    area_range: Sequence[str] | None = None,
    max_detections: str | None = None,
    normalise: str | None = None,
    examples: Sequence[str] | None = None,
    thresholds: Sequence[str] | None = None,
    seed: int = 0,
) -> tuple[Settings, Questions]:
    """Settings and questions as the options say. writes: a run folder is written, which holds the grid by itself."""
    given = {"at": at, "grid": grid, "confidences": confidences, "ious": ious, "image-grid": image_grid}
    given |= {"max-detections": max_detections}
    refuse_unanswered(settings.convention, {**given, "area-range": area_range})
    if normalise not in (None, *NORMALISATIONS):
        raise UsageError(f"--normalise: {normalise!r} is none of {', '.join(NORMALISATIONS)}", "")
    if image_grid and not writes:
        raise UsageError("--image-grid is a table of the run folder", "name one with -o")
    if (confidences or ious) and not (grid or writes):
        raise UsageError("--confidences and --ious are the axes of the grid", "add --grid, or -o for its table")
    own = questions_of(examples, thresholds, seed)
    questions = replace(own, at=tuple(parsed_at(text, settings) for text in at or ()), grid=grid, normalise=normalise)
    limits = settings.max_detections if max_detections is None else parsed_limits(max_detections)
    areas = settings.area_ranges if not area_range else parsed_areas(area_range)
    written = writes and settings.convention in CONVENTIONS
    axes = parsed_grid(confidences, ious) if grid or written else Grid((), ()) if questions.at else None
    if axes is not None:
        confidence, iou = zip(*questions.at, strict=True) if questions.at else ((), ())
        axes = Grid(_ascending((*axes.confidences, *confidence)), _ascending((*axes.ious, *iou)), image_grid)
    return replace(settings, beta=beta, max_detections=limits, area_ranges=areas, grid=axes), questions


def questions_of(examples: Sequence[str] | None, thresholds: Sequence[str] | None, seed: int = 0) -> Questions:
    """What is asked of classes and text as well."""
    cells, targets = map(parsed_cell, examples or ()), map(parsed_target, thresholds or ())
    return Questions(examples=tuple(cells), targets=tuple(targets), seed=seed)


def refuse_unanswered(convention: str, given: Mapping[str, object]) -> None:
    """Raise UsageError for the first option given that the convention cannot follow; None and False are not given."""
    for name, value in given.items():
        if value not in (None, False) and convention not in ANSWERED_BY.get(name, (convention,)):
            raise UsageError(f"--{name}: not with convention {convention}", f"take {' or '.join(ANSWERED_BY[name])}")


def chosen_grid(convention: str, confidences: str | None, ious: str | None, *, images: bool = False) -> Grid | None:
    """The grid where an option names one. Raises UsageError for a convention that has none."""
    given = {"confidences": confidences, "ious": ious, "image-grid": images}
    refuse_unanswered(convention, given)
    return (
        parsed_grid(confidences, ious, images=images)
        if any(value not in (None, False) for value in given.values())
        else None
    )


def parsed_grid(confidences: str | None, ious: str | None, *, images: bool = False) -> Grid:
    """The axes of the grid: numbers by commas, 0, .1 … 1 where there are none."""
    axes = [
        GRID_STEPS if text is None else _ascending([_share(one, option, text) for one in text.split(",")])
        for text, option in ((confidences, "--confidences"), (ious, "--ious"))
    ]
    return Grid(axes[0], axes[1], images)


def _ascending(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(sorted(set(values)))


def _share(text: str, option: str, whole: str) -> float:
    value = number_of(text)
    if not 0 <= value <= 1:
        raise UsageError(f"{option} {whole!r}: {text.strip()!r} is no number from 0 to 1", "write 0.25,0.5,0.75")
    return value


def parsed_at(text: str, settings: Settings) -> tuple[float, float]:
    """`confidence=0.35,iou=0.6`, in any order, as (confidence, IoU); one that is left out is the settings' own.

    >>> parsed_at("iou=0.6,confidence=0.35", Settings()), parsed_at("iou=0.6", Settings())
    ((0.35, 0.6), (0.5, 0.6))
    """
    found = {name.strip(): value for name, _, value in (part.partition("=") for part in text.split(","))}
    if not found or not found.keys() <= {"confidence", "iou"} or len(found) != text.count(",") + 1:
        raise UsageError(f"--at {text!r}: is no cell of the grid", "write --at confidence=0.35,iou=0.6")
    values = {name: _share(value, "--at", text) for name, value in found.items()}
    return values.get("confidence", settings.confidence), values.get("iou", settings.iou)


def parsed_cell(text: str) -> tuple[str | None, str | None]:
    """`predicted=dog,true=cat` as (predicted, true); `none` is None. A category's name may hold commas and =.

    >>> parsed_cell("true=cat, grey,predicted=none")
    (None, 'cat, grey')
    """
    match = CELL.fullmatch(text)
    names = {match[1]: match[2].strip(), match[3]: match[4].strip()} if match else {}
    if not all(names.values()) or len(names) != 2:
        raise UsageError(
            f"--examples {text!r}: is no cell of the confusion matrix", "write --examples predicted=dog,true=cat"
        )
    predicted, true = (None if names[side].lower() == NONE else names[side] for side in ("predicted", "true"))
    if predicted is None and true is None:
        raise UsageError(f"--examples {text!r}: nothing is neither predicted nor true", "name a category on one side")
    return predicted, true


def parsed_areas(texts: Sequence[str]) -> tuple[AreaRange, ...]:
    """All areas, then each `NAME=LOW..HIGH` in px², closed at both ends; an end that is left out is open.

    >>> parsed_areas(["tiny=0..100", "rest=100.."])[1:]
    (AreaRange(name='tiny', low=0.0, high=100.0), AreaRange(name='rest', low=100.0, high=10000000000.0))
    """
    ranges = [AREA_RANGES[0]]
    for text in texts:
        name, _, ends = text.partition("=")
        low, dots, high = ends.partition("..")
        area = AreaRange(name.strip(), number_of(low.strip() or "0"), number_of(high.strip() or str(LARGEST_AREA)))
        if not dots or not NUMBER_NAME.fullmatch(area.name) or not 0 <= area.low <= area.high < math.inf:
            raise UsageError(f"--area-range {text!r}: is no range of areas", "write --area-range tiny=0..100 (px²)")
        if area.name in [known.name for known in ranges]:
            raise UsageError(f"--area-range {text!r}: there is an area {area.name} already", "take another name")
        ranges.append(area)
    return tuple(ranges)


def parsed_limits(text: str) -> tuple[int, ...]:
    """Max detections by commas, ascending.

    >>> parsed_limits("1,300,10")
    (1, 10, 300)
    """
    values = [part.strip() for part in text.split(",")]
    if not all(value.isascii() and value.isdigit() and int(value) > 0 for value in values):
        raise UsageError(f"--max-detections {text!r}: are no whole numbers above 0", "write --max-detections 1,10,300")
    return tuple(sorted({int(value) for value in values}))
