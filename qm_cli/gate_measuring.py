"""The numbers a gate asks for, measured on a run's tables or those of two files: matched once, drawn anew once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.gate_checks import DROP, HOLM, Check, Gate
from qm_cli.analysis.gate_intervals import drop_intervals, value_intervals
from qm_cli.analysis.gate_numbers import Measuring, half_numbers, measuring
from qm_cli.analysis.gate_quantities import Quantity
from qm_cli.analysis.gating import Interval, Measured
from qm_cli.arrays import one_chunk
from qm_cli.comparing import cluster_numbers
from qm_cli.errors import UsageError, nearest
from qm_cli.gate_subject import Asked, Subject, baseline_tables, members_of, named_slices
from qm_cli.slice_rows import named_tables

RowArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
NO_INTERVAL = "no interval is known of it: compared as it is"
COCO = "coco"


def measured(gate: Gate, subject: Subject, asked: Asked) -> tuple[list[Measured], list[str]]:
    """The number of each check with its interval where one is asked for, and what is to be said about them."""
    settings = subject.settings
    if settings.convention != COCO:
        raise UsageError(
            f"{subject.target}: evaluated by convention {settings.convention}",
            "slices, sizes, intervals and drops are of convention coco",
        )
    slices, notes = named_slices(gate, subject.run or named_tables(subject.tables), asked)
    members = {name: members_of(one, asked) for name, one in slices.items()}
    models = [measuring(subject.tables, settings, [quantity for _, quantity in asked], members)]
    drops = [quantity for check, quantity in asked if check.side == DROP]
    if drops:
        tables, members, more = baseline_tables(gate, subject, asked, members)
        models.append(measuring(tables, settings, drops, members))
        notes += more
    return _told(gate, subject, asked, models), notes


def _told(gate: Gate, subject: Subject, asked: Asked, models: Sequence[Measuring]) -> list[Measured]:
    whole = np.ones(models[0].images, np.int32)
    values = [dict(zip(model.quantities, model.numbers(whole).tolist(), strict=True)) for model in models]
    support = dict(zip(models[0].quantities, models[0].support().tolist(), strict=True))
    intervals = _intervals(gate, subject, asked, models)
    return [
        Measured(
            _number(values[0][quantity], quantity),
            None if math.isnan(support[quantity]) else int(support[quantity]),
            intervals.get(place),
            _number(values[-1][quantity], quantity) if check.side == DROP else None,
            NO_INTERVAL if check.rules.confidence_level is not None and not quantity.has_interval else "",
            unserved(check) if quantity.is_unserved else "",
        )
        for place, (check, quantity) in enumerate(asked)
    ]


def unserved(check: Check) -> str:
    """Why a number is undefined whose category no confidence serves."""
    return f"no confidence in {check.scope.confidence_name} serves {check.scope.category}"


def _number(value: float, quantity: Quantity) -> float | None:
    """None for NaN; a count as a whole number."""
    if math.isnan(value):
        return None
    return value if quantity.has_interval else int(value)


def _intervals(gate: Gate, subject: Subject, asked: Asked, models: Sequence[Measuring]) -> dict[int, Interval]:
    """By the place of the checks that ask for one."""
    places = [
        place
        for place, (check, quantity) in enumerate(asked)
        if check.rules.confidence_level is not None and quantity.has_interval
    ]
    if not places:
        return {}
    unit, of = _units(gate, subject)
    tested = [place for place in places if asked[place][0].side == DROP]
    shares = [place for place in places if asked[place][0].side != DROP]
    chosen = [[asked[place][1] for place in rows] for rows in (places, tested)]
    drawing = [model.only(rows) for model, rows in zip(models, chosen, strict=False)]
    drawn = half_numbers(drawing, unit, gate.resamples, gate.seed)
    own = _Drawn(drawing[0], drawn[0], unit)
    levels = {place: float(asked[place][0].rules.confidence_level or 0) for place in places}
    found = value_intervals([levels[place] for place in shares], *own.of([asked[place][1] for place in shares]), of)
    if tested:
        quantities = [asked[place][1] for place in tested]
        values, halves, units = own.of(quantities)
        others, other_halves, _ = _Drawn(drawing[-1], drawn[-1], unit).of(quantities)
        limits = [asked[place][0].limit for place in tested]
        holm = gate.baseline is not None and gate.baseline.correction == HOLM
        own_levels = [levels[place] for place in tested]
        found += drop_intervals(own_levels, limits, values - others, halves - other_halves, units, of, holm)
    return dict(zip([*shares, *tested], found, strict=True))


class _Drawn(Struct, frozen=True):
    """A model's numbers on the halves, to be had quantity by quantity."""

    model: Measuring
    halves: FloatArray
    unit: RowArray

    def of(self, quantities: Sequence[Quantity]) -> tuple[FloatArray, FloatArray, RowArray]:
        """Values, halves and units: float64[n], float64[resamples, n], int64[n]."""
        column = [self.model.quantities.index(one) for one in quantities]
        values = self.model.numbers(np.ones(self.model.images, np.int32))
        return values[column], self.halves[:, column], self.model.units(self.unit)[column]


def _units(gate: Gate, subject: Subject) -> tuple[RowArray, str]:
    """What is drawn, per image, and what it is called."""
    tables, run = subject.tables, subject.run
    if gate.cluster is None:
        return np.arange(tables.count("image")), "images"
    known = list(run.columns("image")) if run else tables.image.column_names
    if gate.cluster not in known:
        hint = nearest(gate.cluster, known) or f"they have {', '.join(known)}"
        raise UsageError(f"cluster: images have no column {gate.cluster!r}", hint)
    column = run.table("image", [gate.cluster])[gate.cluster] if run else tables.image[gate.cluster]
    return cluster_numbers(one_chunk(column)), f"clusters of {gate.cluster}"
