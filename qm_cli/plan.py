"""Which metrics run, in which order, where each input comes from; which cannot, and why: data, before any work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from qm_cli import columns
from qm_cli.columns import Available, Origin
from qm_cli.errors import MetricError
from qm_cli.metric import Metric

PIXEL_LEVELS = ("image", "label", "prediction")
ABSENT = Origin("absent")


class Step(Struct, frozen=True):
    """One metric to run.

    inputs: parameter → where it comes from. requested: False for one that others need. stage: how many passes over
    the image files come before it; the files' own sizes are known after the first.
    """

    metric: Metric
    inputs: Mapping[str, Origin]
    requested: bool
    stage: int = 0

    def as_dict(self) -> dict[str, Any]:
        inputs = {name: f"{one.level}.{one.name or one.kind}" for name, one in self.inputs.items() if one.level}
        pixels = {"pixels": "image files"} if self.metric.per_sample else {}
        return {"metric": self.metric.id, "inputs": {**pixels, **inputs}, "requested": self.requested}


class Skipped(Struct, frozen=True):
    """A requested metric that this dataset cannot have, and why."""

    metric: str
    reason: str


class Plan(Struct, frozen=True):
    """Steps in the order they run."""

    steps: tuple[Step, ...]
    skipped: tuple[Skipped, ...]

    def as_dict(self) -> dict[str, Any]:
        skipped = [{"metric": one.metric, "reason": one.reason} for one in self.skipped]
        return {"steps": [step.as_dict() for step in self.steps], "skipped": skipped}


class _Planner(Struct):
    """The state of one depth-first walk: what is settled, what is refused, and the path to where it stands."""

    metrics: Mapping[str, Metric]
    have: Available
    outputs: Mapping[tuple[str, str], str]
    requested: frozenset[str]
    steps: dict[str, Step] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)

    def settle(self, name: str) -> str:
        """Plan a metric after those it needs; the reason why it cannot run, "" when it can."""
        if name in self.path:
            circle = " → ".join([*self.path[self.path.index(name) :], name])
            raise MetricError(f"metrics need each other: {circle}", "let one of them read another column")
        if name not in self.steps and name not in self.refused:
            self.path.append(name)
            self._plan(self.metrics[name])
            self.path.pop()
        return self.refused.get(name, "")

    def _plan(self, metric: Metric) -> None:
        if metric.per_sample and metric.level not in PIXEL_LEVELS:
            raise MetricError(f"metric {metric.id}: a {metric.level} has no pixels", f"use {', '.join(PIXEL_LEVELS)}")
        reason = self.have.without(metric.level)
        inputs: dict[str, Origin] = {}
        for parameter, column in {} if reason else metric.inputs.items():
            origin, reason = self._input(metric, parameter, column)
            inputs[parameter] = origin
            if reason:
                break
        if reason:
            self.refused[metric.id] = reason
            return
        stage = max((self._stage_after(origin) for origin in inputs.values()), default=0)
        self.steps[metric.id] = Step(metric, inputs, metric.id in self.requested, stage)

    def _input(self, metric: Metric, parameter: str, column: str) -> tuple[Origin, str]:
        """Where one input comes from, and "" or the reason why the dataset lacks it."""
        origin = columns.resolve(column, metric.level, self.have, self.outputs, metric.id)
        reason = self._lack(metric, parameter, column, origin)
        if reason and parameter in metric.optional and column != "pixels":
            return ABSENT, ""
        if metric.per_sample and origin and not reason and not _of_one_sample(origin, metric.level):
            message = f"metric {metric.id}: `{parameter}` has no value for one {metric.level}"
            raise MetricError(message, "a metric of pixels takes its own and its parent's columns")
        return origin or ABSENT, reason

    def _lack(self, metric: Metric, parameter: str, column: str, origin: Origin | None) -> str:
        if origin is None:
            reason = columns.lacking(column, metric.level, self.have)
            if reason or parameter in metric.optional:
                return reason or "unknown"
            if metric.built_in:
                return f"needs {metric.level}.{column}, which the dataset does not have"
            hint = columns.unknown(column, metric.level, self.have, self.outputs)
            raise MetricError(f"metric {metric.id}: nothing is called `{column}` (parameter {parameter})", hint)
        if origin.kind == "pixels":
            return columns.lacking("pixels", metric.level, self.have)
        reason = self.have.without(origin.level)
        return self.settle(origin.maker) if origin.maker and not reason else reason

    def _stage_after(self, origin: Origin) -> int:
        if not origin.maker:
            return int(origin.level == "image" and origin.name in columns.FILE_SIZE)
        step = self.steps[origin.maker]
        return step.stage + step.metric.per_sample


def plan(selection: Mapping[str, Metric], all_metrics: Mapping[str, Metric], available: Available) -> Plan:
    """Order the selected metrics and those they need, each after what it reads.

    Raises MetricError for an input nobody knows (with the nearest names), a name two columns answer to, and a circle.
    """
    outputs = {(one.level, column): one.id for one in all_metrics.values() for column in one.outputs}
    planner = _Planner(all_metrics, available, outputs, frozenset(selection))
    for name in selection:
        planner.settle(name)
    skipped = tuple(Skipped(name, reason) for name, reason in planner.refused.items() if name in selection)
    return Plan(tuple(sorted(planner.steps.values(), key=_running_order)), skipped)


def _of_one_sample(origin: Origin, level: str) -> bool:
    """True when a single sample of `level` has its own value of this input."""
    return origin.kind != "offsets" and origin.kind != "parent_row" and not (origin.flat and origin.level != level)


def _running_order(step: Step) -> tuple[int, bool]:
    """Before each pass over the files everything that needs no further pass; the sort keeps makers before readers."""
    return step.stage, step.metric.per_sample
