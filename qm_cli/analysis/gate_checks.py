"""What a gate asks for: floors, ceilings and largest drops, each of one number in one scope."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from qm_cli.errors import UsageError, first_of
from qm_cli.settings import AreaRange, measure_name

MIN, MAX, DROP = "min", "max", "max_drop"
SIGNS = {MIN: "≥", MAX: "≤", DROP: "drops by ≤"}
SIZES = ("images", "labels", "crowd", "predictions")
COUNTS = (*SIZES, "true_positives", "false_positives", "false_negatives", "true_negatives")
UNBOUNDED = ("log_loss",)
EVERY = "*"
NAMED = 5
PAIRED, HOLM, NONE = "paired-bootstrap", "holm", "none"
FAIL, SKIP, REPORT, PASS = "fail", "skip", "report", "pass"
ON_UNDEFINED = (FAIL, SKIP)
ON_INCONCLUSIVE = (REPORT, FAIL, PASS)


class ThresholdFile(Struct, frozen=True):
    """A file of thresholds, each category's own confidence; target: which of several, None for the only one."""

    path: Path
    target: str | None = None

    def __str__(self) -> str:
        return self.path.name if self.target is None else f"{self.path.name} {self.target}"


class Scope(Struct, frozen=True):
    """What a number is about; None is everything, or the evaluation's own threshold.

    category: name or id, or `*` for each. slice: name or definition. size: of the labels, by name or as a range.
    confidence: the lowest score that counts, or a file with one for each category. measure: what `iou` is of.
    """

    category: str | None = None
    slice: str | None = None
    size: str | AreaRange | None = None
    iou: float | None = None
    confidence: float | ThresholdFile | None = None
    measure: str = measure_name(None)

    def words(self) -> list[str]:
        """The parts that are not the category, as people read them."""
        parts = [self.slice, self.size_name]
        parts += [None if self.iou is None else f"{self.measure} {self.iou:g}"]
        parts += [None if self.confidence is None else f"confidence {self.confidence_name}"]
        return [part for part in parts if part is not None]

    @property
    def size_name(self) -> str | None:
        return self.size.name if isinstance(self.size, AreaRange) else self.size

    @property
    def confidence_name(self) -> str:
        return f"{self.confidence:g}" if isinstance(self.confidence, float | int) else str(self.confidence)


class Rules(Struct, frozen=True):
    """How a number is judged.

    min_support: with fewer samples a number is taken as undefined. on_undefined: fail | skip; None fails too, but not
    for what `*` names without labels. confidence_level: of the interval that must clear the limit, None to compare the
    number itself. inconclusive: what a number is whose interval holds the limit: report (a verdict of its own) | fail |
    pass.
    """

    min_support: int = 0
    on_undefined: str | None = None
    confidence_level: float | None = None
    inconclusive: str = REPORT


class Check(Struct, frozen=True):
    """One demand: `metric` in its scope on the right side of `limit`; where: the place it was written."""

    side: str
    metric: str
    limit: float
    scope: Scope = Scope()
    rules: Rules = Rules()
    where: str = ""

    @property
    def name(self) -> str:
        """`recall@person (small, IoU 0.75)`."""
        named = self.metric if self.scope.category is None else f"{self.metric}@{self.scope.category}"
        words = self.scope.words()
        return f"{named} ({', '.join(words)})" if words else named

    @property
    def title(self) -> str:
        return f"{self.name} {SIGNS[self.side]} {self.limit:g}"


def parsed(side: str, text: str, rules: Rules = Rules(), scope: Scope = Scope()) -> Check:
    """`precision=0.8` or `recall@person=0.6` as a check. A category's name may hold = and @.

    >>> parsed("min", "recall@person=0.6").title
    'recall@person ≥ 0.6'
    """
    left, equals, right = text.rpartition("=")
    metric, at, category = left.partition("@")
    if not equals or not metric.strip() or (at and not category.strip()):
        raise UsageError(f"--{side} {text!r}: is no check", f"write --{side} precision=0.8 or recall@person=0.6")
    try:
        limit = float(right)
    except ValueError:
        limit = math.nan
    if not math.isfinite(limit):
        raise UsageError(f"--{side} {text!r}: {right.strip()!r} is no number", f"write --{side} {left.strip()}=0.8")
    metric, where = metric.strip(), f"--{side} {text!r}"
    scope = replace(scope, category=category.strip() if at else None)
    return Check(side, metric, checked_limit(where, metric, limit), scope, rules, where)


def is_count(metric: str) -> bool:
    """Whether a metric counts samples, all of them or those of one reason.

    >>> is_count("labels"), is_count("false_positives_iou_too_low"), is_count("precision")
    (True, True, False)
    """
    return metric in COUNTS or metric.startswith("false_positives_")


def checked_limit(where: str, metric: str, limit: float) -> float:
    """The limit, whole for counts. Raises UsageError for a share beyond 0..1, which no value could pass or fail."""
    if is_count(metric):
        return int(limit) if limit == int(limit) else limit
    if "." not in metric and metric not in UNBOUNDED and not 0 <= limit <= 1:
        way_out = f"write {limit / 100:g} for {limit:g} %" if 1 < limit <= 100 else "no other value can pass or fail it"
        raise UsageError(f"{where}: {metric} lies between 0 and 1", way_out)
    return limit


def skipping_undefined(check: Check) -> Check:
    """The check, with undefined numbers let through."""
    return replace(check, rules=replace(check.rules, on_undefined=SKIP))


def measured_by(check: Check, measure: str) -> Check:
    """The check, its IoU called by what is compared.

    >>> measured_by(parsed("min", "recall=0.6", scope=Scope(iou=0.75)), "OKS").name
    'recall (OKS 0.75)'
    """
    return replace(check, scope=replace(check.scope, measure=measure))


def each_category(checks: Iterable[Check], labels: Mapping[str, int]) -> tuple[list[Check], list[str]]:
    """Checks of `*` as one of each category, and a note on those that are left out.

    labels: of each category, by its name. A share of a category without labels is not asked for unless `on_undefined`
    is stated, or no category has any; counts always are.
    """
    filled = [name for name, count in labels.items() if count] or list(labels)
    found: list[Check] = []
    short: dict[str, None] = {}
    for check in checks:
        names: Iterable[str | None] = [check.scope.category]
        if check.scope.category == EVERY:
            whole = is_count(check.metric) or check.rules.on_undefined is not None
            names = labels if whole else filled
            short |= {} if whole else {check.metric: None}
        found += [replace(check, scope=replace(check.scope, category=name)) for name in names]
    bare = [name for name in labels if name not in filled]
    return found, [_left_out(list(short), bare)] if short and bare else []


def _left_out(metrics: Sequence[str], names: Sequence[str]) -> str:
    count = "1 category without labels is" if len(names) == 1 else f"{len(names)} categories without labels are"
    asked = ", ".join(f"{metric}@{EVERY}" for metric in metrics)
    return f"{asked}: {count} left out: {first_of(names, NAMED)}; in a gate file on_undefined says otherwise"


def refuse_contradictions(checks: Sequence[Check], numbers: Sequence[Hashable] | None = None) -> None:
    """Raise UsageError for a floor above a ceiling of the same number: no model could pass.

    numbers: what each check is about, None where its metric and scope say it.
    """
    floors: dict[Hashable, Check] = {}
    ceilings: dict[Hashable, Check] = {}
    for place, check in enumerate(checks):
        key = (numbers and numbers[place]) or (check.metric, check.scope)
        if check.side == MIN and (key not in floors or check.limit > floors[key].limit):
            floors[key] = check
        if check.side == MAX and (key not in ceilings or check.limit < ceilings[key].limit):
            ceilings[key] = check
    for key, floor in floors.items():
        ceiling = ceilings.get(key)
        if ceiling is not None and floor.limit > ceiling.limit:
            both = f"{floor.where} and {ceiling.where}" if floor.where != ceiling.where else floor.where
            raise UsageError(
                f"{both}: no {floor.name} is at least {floor.limit:g} and at most {ceiling.limit:g}",
                "lower the floor or raise the ceiling",
            )


class Baseline(Struct, frozen=True):
    """The run that must not be fallen behind. test: paired-bootstrap | none; correction: holm | none."""

    run: Path
    model: str | None = None
    test: str = PAIRED
    correction: str = HOLM


class Ceiling(Struct, frozen=True):
    """At most so many images, or such a share of them; the other is None."""

    count: int | None = None
    share: float | None = None


class Leakage(Struct, frozen=True):
    """Images that another run has too. by: pixel_hash, or perceptual_hash within `radius` bits."""

    against: Path
    ceiling: Ceiling
    by: str = "pixel_hash"
    radius: int = 4


class DataRules(Struct, frozen=True):
    """What the images themselves must hold to; None is not asked. findings: by code."""

    exact_duplicates: Ceiling | None = None
    near_duplicates: Ceiling | None = None
    unreadable: Ceiling | None = None
    findings: tuple[tuple[str, Ceiling], ...] = ()
    leakage: tuple[Leakage, ...] = ()


class Gate(Struct, frozen=True):
    """All that a gate asks for. iou, confidence: what everything is read at that names no threshold of its own;
    convention: None for the run's.

    cluster: image column whose values are resampled instead of images; slices: definitions by name.
    """

    checks: tuple[Check, ...] = ()
    run: Path | None = None
    model: str | None = None
    iou: float | None = None
    confidence: float | None = None
    convention: str | None = None
    voc_devkit: bool = False
    baseline: Baseline | None = None
    data: DataRules | None = None
    slices: tuple[tuple[str, str], ...] = ()
    allow_findings: tuple[str, ...] = ()
    cluster: str | None = None
    resamples: int = 500
    seed: int = 0
