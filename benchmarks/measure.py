"""Measure one case: check that everyone finds the same numbers, take turns, judge the bars."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bars import judge
from cases import Case
from timing import Command, RunFailedError, Sample, captured, take_turns, time_process

TOLERANCE = 1e-12
NUMBERS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
KEYPOINT_NUMBERS = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")
MEGABYTE = 1e6

Tell = Callable[[str], None]


def twelve_numbers(output: str) -> list[float]:
    """The COCO numbers in the JSON object a command printed; not-a-number where one is missing."""
    try:
        metrics = json.loads(output)["metrics"]
    except (ValueError, LookupError, TypeError) as error:
        raise RunFailedError(f'no JSON object with "metrics" on stdout, but: {output[:200]!r}') from error
    names = NUMBERS if "AR100" in metrics else KEYPOINT_NUMBERS
    return [float("nan") if metrics.get(name) is None else float(metrics[name]) for name in names]


def largest_difference(these: Sequence[float], those: Sequence[float]) -> float:
    """How far two lists of numbers are apart; without end where a number is missing."""
    differences = [abs(a - b) for a, b in zip(these, those, strict=True)]
    return float("inf") if any(map(math.isnan, differences)) else max(differences)


def agreement(found: dict[str, list[float]]) -> dict[str, Any]:
    """The numbers of the first command and how far each other one is from them."""
    first = next(iter(found))
    apart = {name: largest_difference(numbers, found[first]) for name, numbers in found.items()}
    disagreeing = [name for name, distance in apart.items() if distance > TOLERANCE]
    names = NUMBERS if len(found[first]) == len(NUMBERS) else KEYPOINT_NUMBERS
    numbers = dict(zip(names, found[first], strict=True))
    return {"numbers": numbers, "apart": apart, "tolerance": TOLERANCE, "disagreeing": disagreeing}


def listing(folders: Sequence[Path]) -> dict[str, tuple[int, int]]:
    """Size and time of every file below the folders."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(path.parents[1])): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def changed(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> set[str]:
    """The files that came, went or changed between two listings."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def costs(name: str, samples: Sequence[Sample]) -> dict[str, Any]:
    """The figures of one command."""
    return {
        "command": name,
        "runs": len(samples),
        "wall_median_s": median(sample.wall for sample in samples),
        "wall_min_s": min(sample.wall for sample in samples),
        "cpu_median_s": median(sample.cpu for sample in samples),
        "peak_median_mb": median(sample.peak for sample in samples) / MEGABYTE,
        "walls_s": [round(sample.wall, 4) for sample in samples],
        "peaks_mb": [round(sample.peak / MEGABYTE, 1) for sample in samples],
    }


@dataclass
class Tried:
    """What came of running every command of a case once, before the timing."""

    numbers: dict[str, list[float]] = field(default_factory=dict)
    once: dict[str, list[Sample]] = field(default_factory=dict)  # samples of those that are run only once
    ready: list[Command] = field(default_factory=list)  # those to take turns, warmed up
    failures: dict[str, str] = field(default_factory=dict)


def try_out(command: Command, tried: Tried) -> None:
    """Check the numbers of a command, and warm it up or keep its only sample."""
    sample = None
    if command.check:
        sample, output = captured(command.check)
        tried.numbers[command.name] = twelve_numbers(output)
    if command.once:
        tried.once[command.name] = [sample or time_process(command.argv)]
    else:
        time_process(command.argv)
        tried.ready.append(command)


def try_all(case: Case, tell: Tell) -> Tried:
    """Try every command; one that fails is left out of the timing, and told."""
    tried = Tried()
    for command in case.commands:
        tell(f"check and warm-up: {command.name}")
        try:
            try_out(command, tried)
        except RunFailedError as error:
            tried.failures[command.name] = str(error)
    return tried


def measure(case: Case, rounds: int, tell: Tell) -> dict[str, Any]:
    """Everything there is to say about a case, ready for JSON."""
    before = listing(case.inputs)
    tried = try_all(case, tell)
    samples = take_turns(tried.ready, rounds, tell) | tried.once
    left = {name for command in samples if command.startswith("qm") for run in samples[command] for name in run.left}
    left |= changed(before, listing(case.inputs))
    result: dict[str, Any] = {"case": case.name, "title": case.title, "notes": list(case.notes)}
    measured = [command.name for command in case.commands if command.name in samples]
    result["commands"] = [costs(name, samples[name]) for name in measured]
    result["failures"] = tried.failures
    result["bars"] = [asdict(judge(bar, samples)) for bar in case.bars]
    result["left_behind"] = sorted(left)
    return result | ({"agreement": agreement(tried.numbers)} if tried.numbers else {})


def succeeded(result: dict[str, Any]) -> bool:
    """Whether a case ran, met its bars, agreed on the numbers and left nothing behind."""
    if "failed" in result:
        return False
    wrong = result["failures"] or result["left_behind"] or result.get("agreement", {}).get("disagreeing")
    return not wrong and all(bar["met"] for bar in result["bars"])
