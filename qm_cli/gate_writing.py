"""A gate file from a run's numbers of today: floors where its intervals end, ceilings at what its images show."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from qm_cli.analysis.gate_checks import MIN, Check, Gate, Rules, Scope
from qm_cli.analysis.gate_names import category_keys
from qm_cli.deciding import decide
from qm_cli.errors import InputError
from qm_cli.gate_subject import Subject, of_run
from qm_cli.image_checks import COPIES, PIXELS, copies
from qm_cli.run_folder import Run

LEVEL = 0.95
METRICS = ("AP", "AP50", "precision", "recall")
CATEGORY_METRICS = ("recall", "precision")
LEAST_LABELS = 20
STEP = 1e-4


def gate_text(path: Path, model: str | None, folder: Path) -> tuple[str, int]:
    """A gate file for `folder` that the run passes, and how many checks it holds.

    A floor is the lower end of the 95 % interval: another set like this one puts an equal model below it in one case
    of forty. What has no interval gets no floor.
    """
    subject = of_run(path, Gate((Check(MIN, "AP", 0),), model=model))
    run = subject.run
    if subject.of_answers:
        metric = "accuracy" if "accuracy" in subject.report["metrics"] else "f1"
        way_out = f"name floors yourself: qm gate RUN --min {metric}=0.9"
        raise InputError(f"{path}: holds {subject.report['task']}, whose numbers have no interval", way_out)
    if run is None:
        raise InputError(f"{path}: is no run", "make one with: qm score DATASET")
    rows = _rows(subject)
    if all(row["low"] is None for row in rows):
        raise InputError(f"{path}: none of its numbers has an interval: {rows[0]['reason']}", "score more images")
    images = _images(run)
    lines = [*_head(run, subject, folder), *_checks(rows), *_data(images)]
    return "\n".join(lines) + "\n", sum(row["low"] is not None for row in rows) + len(images)


def _rows(subject: Subject) -> list[dict[str, Any]]:
    """The numbers that get a floor, judged against 0: overall, and of each category with enough labels."""
    rules = Rules(confidence_level=LEVEL, on_undefined="skip")
    categories = subject.report["categories"]
    keys = zip(category_keys(categories), categories, strict=True)
    named = [key for key, row in keys if row["labels"] >= LEAST_LABELS]
    checks = [
        *(Check(MIN, metric, 0.0, Scope(), rules) for metric in METRICS),
        *(Check(MIN, metric, 0.0, Scope(category=name), rules) for name in named for metric in CATEGORY_METRICS),
    ]
    verdict = decide(Gate(tuple(checks), model=subject.model), subject)
    return [row for row in verdict["checks"] if row["bound"] == MIN]


def _head(run: Run, subject: Subject, folder: Path) -> Iterator[str]:
    yield f"# A gate from the numbers of {_text(subject.target)}: see docs/ci.md."
    yield f"# Floors are the lower ends of {LEVEL:.0%} intervals. Raise them to what you need."
    yield f"run = {_text(os.path.relpath(run.path, folder))}"
    if len(run.models) > 1:
        yield f"model = {_text(str(subject.model))}"
    yield '# on_undefined = "skip"      # let undefined numbers pass; unstated or "fail", they fail'
    yield "# confidence_level = 0.95    # pass and fail only when that sure; else inconclusive, exit code 3"
    lost = sorted({str(one["code"]) for one in subject.findings if one["dropped"]})
    if lost:
        yield f"allow_findings = [{', '.join(map(_text, lost))}]    # rows that were left out today"
    yield ""
    yield "[defaults]"
    yield f"iou = {subject.settings.iou!r}"
    yield f"confidence = {subject.settings.confidence!r}"


def _checks(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield ""
        name = row["metric"] if row["category"] is None else f"{row['metric']} of {_comment(row['category'])}"
        if row["low"] is None:
            yield f"# {name}: no floor, {_comment(row['reason'])}"
            continue
        yield f"# {name}: {row['value']:.4f} today, {row['low']:.4f} to {row['high']:.4f}; {row['support']} samples"
        yield "[[check]]"
        yield f"metric = {_text(row['metric'])}"
        if row["category"] is not None:
            yield f"category = {_text(row['category'])}"
        yield f"min = {math.floor(row['low'] / STEP) * STEP:.4f}"


def _images(run: Run) -> dict[str, int]:
    """Copies and unreadable images, by the key of their ceiling; none where the images were not read."""
    columns = run.columns("image")
    if PIXELS not in columns:
        return {}
    found = {name: int(copies(run, column).sum()) for name, column in COPIES.items() if column in columns}
    return {**found, "unreadable": run.table("image", [PIXELS])[PIXELS].null_count}


def _data(found: Mapping[str, int]) -> Iterator[str]:
    """Ceilings at today's counts."""
    if not found:
        return
    yield ""
    yield "# Images: a whole number is a count, 0.01 a share."
    yield "[data]"
    for name, count in found.items():
        yield f"{name} = {count}"


def _text(text: str) -> str:
    """A TOML basic string: JSON's escapes are a part of TOML's, but for surrogates and DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    """Text on one line without control characters, which comments cannot hold."""
    return "".join(character if character.isprintable() else " " for character in text)
