"""A gate file in TOML → the gate it asks for."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from qm_cli.analysis.gate_checks import (
    DROP,
    HOLM,
    MAX,
    MIN,
    NONE,
    ON_INCONCLUSIVE,
    ON_UNDEFINED,
    PAIRED,
    Baseline,
    Ceiling,
    Check,
    DataRules,
    Gate,
    Leakage,
    Rules,
    Scope,
    ThresholdFile,
    checked_limit,
)
from qm_cli.analysis.gating import known_codes
from qm_cli.errors import InputError
from qm_cli.gate_values import (
    CEILING,
    CONFIDENCES,
    COUNT,
    IOU,
    IOUS,
    LEVEL,
    NAMES,
    NUMBER,
    SHARE,
    SIZES,
    TABLE,
    TABLES,
    TEXT,
    TEXTS,
    Kind,
    at_least,
    choice,
    values,
)
from qm_cli.settings import CONVENTIONS

RULES: dict[str, Kind] = {
    "min_support": COUNT,
    "on_undefined": choice(*ON_UNDEFINED),
    "confidence_level": LEVEL,
    "inconclusive": choice(*ON_INCONCLUSIVE),
}
TOP: dict[str, Kind] = {
    "run": TEXT,
    "model": TEXT,
    "convention": choice(*CONVENTIONS),
    "confidence": LEVEL,
    **RULES,
    "cluster": TEXT,
    "resamples": at_least(100),
    "seed": COUNT,
    "allow_findings": TEXTS,
    "defaults": TABLE,
    "slices": TABLE,
    "check": TABLES,
    "baseline": TABLE,
    "data": TABLE,
}
DEFAULTS: dict[str, Kind] = {"iou": IOU, "confidence": SHARE}
LIMITS = (MIN, MAX, DROP)
SCOPE: dict[str, Kind] = {"category": NAMES, "slice": TEXTS, "size": SIZES, "iou": IOUS, "confidence": CONFIDENCES}
CHECK: dict[str, Kind] = {"metric": TEXTS, **SCOPE, **dict.fromkeys(LIMITS, NUMBER), **RULES}
BASELINE: dict[str, Kind] = {
    "run": TEXT,
    "model": TEXT,
    "max_drop": SHARE,
    "metrics": TEXTS,
    "categories": NAMES,
    "test": choice(PAIRED, NONE),
    "correction": choice(HOLM, NONE),
    **RULES,
}
DATA: dict[str, Kind] = {
    "exact_duplicates": CEILING,
    "near_duplicates": CEILING,
    "unreadable": CEILING,
    "findings": TABLE,
    "leakage": TABLES,
}
HASHES = ("pixel_hash", "perceptual_hash")
LEAKAGE: dict[str, Kind] = {
    "against": TEXT,
    "by": choice(*HASHES),
    "radius": COUNT,
    "max": COUNT,
    "max_share": SHARE,
}
BASELINE_LEVEL = 0.95
IOU_WAY_OUT = "write it under [defaults]"


def read_gate(path: Path) -> Gate:
    """The gate of a file; `run`, `baseline.run`, `against` and files of thresholds are relative to the file's folder.

    Raises InputError for a file that cannot be read, for unknown keys and for values of another kind.
    """
    table = _toml(path)
    if "iou" in table:
        raise InputError(f"{path}: iou does not stand at the top", IOU_WAY_OUT)
    top = _with_level(values(table, TOP, str(path)), path)
    own = values(top.get("defaults", {}), DEFAULTS, f"{path}: [defaults]")
    rules = _rules(top, Rules())
    baseline, drop_rules, drops = _baseline(top.get("baseline"), rules, path)
    rows = enumerate(top.get("check", ()), 1)
    checks = [one for place, row in rows for one in _checks(row, rules, drop_rules, path, f"{path}: check {place}")]
    if baseline is None and any(check.side == DROP for check in checks):
        raise InputError(f"{path}: a check has max_drop and there is no baseline", 'add [baseline] with run = "…"')
    data = _data(top.get("data"), path)
    gate = Gate(
        (*checks, *drops),
        run=None if "run" not in top else _place(path, top["run"]),
        model=top.get("model"),
        convention=top.get("convention"),
        iou=own.get("iou"),
        confidence=own.get("confidence"),
        baseline=baseline,
        data=data,
        slices=tuple(_slices(top.get("slices", {}), path).items()),
        allow_findings=tuple(top.get("allow_findings", ())),
        cluster=top.get("cluster"),
        **{name: top[name] for name in ("resamples", "seed") if name in top},
    )
    known_codes(gate.allow_findings, f"{path}: allow_findings")
    if not gate.checks and data is None:
        raise InputError(f"{path}: has no check", "add a [[check]] with metric and min, or a [data] table")
    return gate


def _with_level(top: dict[str, Any], path: Path) -> dict[str, Any]:
    """`confidence` at the top is how sure a verdict must be: another word for confidence_level."""
    if "confidence" in top and "confidence_level" in top:
        raise InputError(f"{path}: confidence and confidence_level are one thing", "write one of them")
    return top | {"confidence_level": top["confidence"]} if "confidence" in top else top


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", "name a gate file: gate.toml") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: is no UTF-8 text", "write a gate in TOML, or make one with: qm gate --init"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: is no TOML: {error}", "mend it there, or make one with: qm gate --init") from error


def _place(file: Path, text: str) -> Path:
    """A path of the file as one from here; absolute ones stay."""
    return file.parent / Path(text).expanduser()


def _from_here(path: Path, confidence: float | ThresholdFile) -> float | ThresholdFile:
    if isinstance(confidence, ThresholdFile):
        return replace(confidence, path=path.parent / confidence.path)
    return confidence


def _rules(table: Mapping[str, Any], otherwise: Rules) -> Rules:
    return replace(otherwise, **{name: table[name] for name in RULES if name in table})


def _checks(row: Mapping[str, Any], rules: Rules, drop_rules: Rules, path: Path, where: str) -> list[Check]:
    """One check per limit, metric and scope: a key with a list stands for each of its values."""
    told = values(row, CHECK, where)
    if "confidence" in told:
        told["confidence"] = [_from_here(path, one) for one in told["confidence"]]
    if "metric" not in told:
        raise InputError(f"{where}: names no metric", 'write metric = "recall"')
    limits = [side for side in LIMITS if side in told]
    if not limits:
        raise InputError(f"{where}: has no limit", f"write {', '.join(LIMITS[:-1])} or {LIMITS[-1]}")
    scopes = [
        Scope(**dict(zip(SCOPE, chosen, strict=True)))
        for chosen in product(*(told.get(name, [None]) for name in SCOPE))
    ]
    return [
        Check(
            side,
            metric,
            checked_limit(f"{where}: {side}", metric, told[side]),
            scope,
            _rules(told, drop_rules if side == DROP else rules),
            where,
        )
        for metric in told["metric"]
        for scope in scopes
        for side in limits
    ]


def _baseline(
    table: Mapping[str, Any] | None, rules: Rules, path: Path
) -> tuple[Baseline | None, Rules, tuple[Check, ...]]:
    """The baseline, how drops are judged, and the drops it asks for itself."""
    if table is None:
        return None, rules, ()
    where = f"{path}: [baseline]"
    told = values(table, BASELINE, where)
    if "run" not in told:
        raise InputError(f"{where}: names no run", 'write run = "…"')
    baseline = Baseline(
        _place(path, told["run"]), told.get("model"), told.get("test", PAIRED), told.get("correction", HOLM)
    )
    if baseline.test == NONE:
        if told.get("correction") == HOLM:
            raise InputError(f"{where}: correction has no test to correct", f'write test = "{PAIRED}"')
        rules = replace(rules, confidence_level=None)
    elif rules.confidence_level is None:
        rules = replace(rules, confidence_level=BASELINE_LEVEL)
    rules = _rules(told, rules)
    if "max_drop" not in told:
        idle = [name for name in ("metrics", "categories") if name in told]
        if idle:
            raise InputError(f"{where}: {idle[0]} has no max_drop to hold to", "write max_drop = 0.01")
        return baseline, rules, ()
    scopes = [Scope(), *(Scope(category=name) for name in told.get("categories", ()))]
    drops = tuple(
        Check(DROP, metric, told["max_drop"], scope, rules, where)
        for metric in told.get("metrics", ["AP"])
        for scope in scopes
    )
    return baseline, rules, drops


def _slices(table: Mapping[str, Any], path: Path) -> dict[str, str]:
    return values(table, dict.fromkeys(table, TEXT), f"{path}: [slices]")


def _data(table: Mapping[str, Any] | None, path: Path) -> DataRules | None:
    if table is None:
        return None
    where = f"{path}: [data]"
    told = values(table, DATA, where)
    if not told:
        raise InputError(f"{where}: asks for nothing", f"there are {', '.join(DATA)}")
    codes = told.pop("findings", {})
    known_codes(codes, f"{where}: findings")
    findings = values(codes, dict.fromkeys(codes, CEILING), f"{where}: findings")
    leaks = [_leakage(row, path, f"{path}: leakage {place}") for place, row in enumerate(told.pop("leakage", ()), 1)]
    return DataRules(**told, findings=tuple(findings.items()), leakage=tuple(leaks))


def _leakage(row: Mapping[str, Any], path: Path, where: str) -> Leakage:
    told = values(row, LEAKAGE, where)
    if "against" not in told:
        raise InputError(f"{where}: names no run", 'write against = "…"')
    by = told.get("by", HASHES[0])
    if "radius" in told and by == HASHES[0]:
        raise InputError(f"{where}: radius is of perceptual hashes", f'write by = "{HASHES[1]}"')
    if "max" in told and "max_share" in told:
        raise InputError(f"{where}: has max and max_share", "write one of them")
    ceiling = Ceiling(share=told["max_share"]) if "max_share" in told else Ceiling(told.get("max", 0))
    own = {"radius": told["radius"]} if "radius" in told else {}
    return Leakage(_place(path, told["against"]), ceiling, by, **own)
