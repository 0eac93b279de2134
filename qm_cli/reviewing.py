"""A queue of suspicious labels and overlooked objects of a run, with what to do about each, and the labels as they
would be."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from qm_cli.analysis.label_errors import evidence
from qm_cli.analysis.suspicions import CLASS_REASONS, EVERY_REASON, REASONS, Suspicions, suspicions
from qm_cli.arrays import number_or_none, to_arrow
from qm_cli.class_issues import class_issues, class_suspicions, leading_share
from qm_cli.classification_tables import QUESTION, evaluate_classes, holds_classes
from qm_cli.console import say
from qm_cli.errors import InputError, UsageError, nearest
from qm_cli.ingest import archives
from qm_cli.output import STDOUT, write_whole
from qm_cli.query import rows_of
from qm_cli.review_rows import listed, suggestion, with_image_columns
from qm_cli.run_columns import one_model
from qm_cli.run_folder import Run
from qm_cli.run_tables import settings_of_run, tables_of_run
from qm_cli.settings import Settings
from qm_cli.suggesting import (
    ADD,
    CHANGE_BOX,
    CHANGE_CATEGORY,
    CHANGE_SHAPE,
    REMOVE,
    Gains,
    Suggestion,
    coco_fields,
    compatible,
    patched,
)
from qm_cli.tables import Tables

TASKS = ("bbox", "segm", "keypoints")
ACTIONS = (ADD, CHANGE_CATEGORY, CHANGE_BOX, CHANGE_SHAPE, REMOVE)
MANY = 500
ESTIMATE = (
    "ΔAP is what COCO's AP would gain were this suggestion alone accepted, by matching the same predictions again; the"
    " suggestion is the model's own, so it tells what is at stake, not that it is right"
)
OBJECT_RULE = "an issue is what ObjectLab's rule calls one: a score of at most .2 · the category's average precision"
CLASS_RULE = (
    "confident learning: cleanlab's find_label_issues, pruned by noise rate; the probabilities should be of a model"
    " that did not see these labels in training"
)
CLASS_ESTIMATE = (
    "Δaccuracy is what the share of labels whose own class leads would gain were this suggestion alone accepted; the"
    " suggestion is the model's own, so it tells what is at stake, not that it is right"
)


class Queue(Struct, frozen=True):
    """The report, and the suggestion behind each row of its queue.

    measure: what suggestions raise; together: what it would be with all of some accepted.
    """

    report: dict[str, Any]
    suggestions: list[Suggestion]
    tables: Tables
    measure: str
    together: Callable[[Sequence[Suggestion]], float]


class _Doubts(Struct, frozen=True):
    """What is suspicious, for which of the reasons; the measure that suggestions raise, as it is and by how much."""

    found: Suspicions
    reasons: tuple[str, ...]
    measure: str
    value: float
    gain: Callable[[Suggestion], float]
    together: Callable[[Sequence[Suggestion]], float]
    notes: list[str]


def review_queue(
    run: Run, least: float = 0.5, top: int | None = 50, where: str | None = None, issues: bool = False
) -> Queue:
    """What is at least so suspicious, the most first; of classes, what confident learning calls wrong before the rest.

    where: SQL over the queue's columns and the image's. issues: only what a published rule calls one. What accepting a
    suggestion adds is measured for the rows of the report; for all of them where `where` asks for it.
    """
    one_model(run)
    settings = settings_of_run(run)
    tables = _tables(run)
    doubted = _class_doubts if holds_classes(tables) else _doubts
    doubts = doubted(run, tables, settings, least)
    queue = listed(tables, doubts.found)
    delta = f"delta_{doubts.measure}"
    proposed = cache(lambda row: suggestion(tables, doubts.found, row))
    gain = cache(lambda row: doubts.gain(proposed(row)))
    rows = np.flatnonzero(doubts.found.issue) if issues else np.arange(queue.num_rows)
    if where is not None:
        table = queue
        if delta.lower() in where.lower():
            if len(rows) > MANY:
                say(f"qm: measures what {doubts.measure} gains from each of {len(rows):,} suggestions")
            gains = np.full(queue.num_rows, np.nan)
            gains[rows] = [gain(row) for row in rows.tolist()]
            table = queue.append_column(delta, to_arrow(gains))
        table = with_image_columns(run, tables, doubts.found, table)
        rows = np.intersect1d(rows, rows_of({"review": table}, "review", where))
    shown = rows[:top].tolist()
    entries = zip(queue.take(to_arrow(rows[:top])).to_pylist(), shown, strict=True)
    counts = np.bincount(doubts.found.reason[rows], minlength=len(EVERY_REASON)).tolist()
    report = {
        "run": run.place,
        "model": run.model or next(iter(run.models), None),
        "min_suspicion": least,
        doubts.measure: number_or_none(doubts.value),
        "found": len(rows),
        "issues": int(np.count_nonzero(doubts.found.issue[rows])),
        "reasons": {name: counts[EVERY_REASON.index(name)] for name in doubts.reasons},
        "queue": [{**entry, **_shape_of(proposed(row)), delta: number_or_none(gain(row))} for entry, row in entries],
        "notes": doubts.notes,
    }
    return Queue(report, [proposed(row) for row in shown], tables, doubts.measure, doubts.together)


def _shape_of(one: Suggestion) -> dict[str, Any]:
    """The suggested shape in COCO's form, where it is more than a box."""
    fields = coco_fields(one.shape)
    return {f"suggested_{name}": fields[name] for name in ("segmentation", "keypoints") if name in fields}


def _tables(run: Run) -> Tables:
    """Labels and predictions of the run."""
    if "answer" in run.table_names():
        hint = "give one row an answer, with `probs`, and score again"
        raise InputError(f"{run.path}: holds the results of answers and not the answers", hint)
    for level in ("label", "prediction"):
        if level not in run.table_names():
            raise InputError(f"{run.path}: has no {level}s", "score a dataset with labels and predictions")
    if "bbox" not in run.columns("label"):
        hint = "qm evaluate LABELS PREDICTIONS --examples … lists what is confused"
        raise InputError(f"{run.path}: holds text, of which there is no review", hint)
    return tables_of_run(run, ("probs", QUESTION))


def _doubts(run: Run, tables: Tables, settings: Settings, least: float) -> _Doubts:
    """Of objects."""
    if settings.task not in TASKS:
        hint = "score labels and predictions that have boxes with --task bbox"
        raise InputError(f"{run.path}: is of task {settings.task}, a review is of {', '.join(TASKS)}", hint)
    if any(tables.table(level)["bbox"].null_count for level in ("label", "prediction")):
        raise InputError(f"{run.path}: has labels or predictions without a box", "a review needs boxes on both sides")
    found = suspicions(tables, evidence(tables, settings.task), least, settings.task)
    gains = Gains(tables, settings)
    return _Doubts(found, REASONS, "AP", gains.mean, gains.gain, gains.mean_with, [ESTIMATE, OBJECT_RULE])


def _class_doubts(run: Run, tables: Tables, settings: Settings, least: float) -> _Doubts:
    """Of classes of whole images."""
    found = class_issues(tables, evaluate_classes(tables, settings))
    if found is None:
        hint = "score predictions with `probs` for a question that takes one answer"
        raise InputError(f"{run.path}: has no class probabilities to review labels by", hint)
    known = np.count_nonzero(found.likely >= 0)
    wrong = class_suspicions(tables, found, least)
    share = leading_share(tables, found)
    notes = [CLASS_RULE, CLASS_ESTIMATE]

    def together(accepted: Sequence[Suggestion]) -> float:
        return share + len(accepted) / known if known else share

    return _Doubts(wrong, CLASS_REASONS, "accuracy", share, lambda _: 1 / known, together, notes)


def chosen(queue: Queue, accepted: Sequence[str] | None, allow_loss: bool = False) -> list[Suggestion]:
    """The suggestions with these ids, each once; without ids all of the queue that are `compatible` but those that
    lower what they should raise, and with `allow_loss` these too."""
    if accepted is None:
        raising = _raising(queue, allow_loss)
        return compatible([one for one, _ in raising], [gain for _, gain in raising])
    by_id = {row["id"]: one for row, one in zip(queue.report["queue"], queue.suggestions, strict=True)}
    unknown = [name for name in accepted if name not in by_id]
    if unknown:
        raise UsageError(
            f"--accept: {unknown[0]!r} is not in the queue", nearest(unknown[0], list(by_id)) or "see --top and --where"
        )
    return [by_id[name] for name in dict.fromkeys(accepted)]


def _raising(queue: Queue, allow_loss: bool) -> list[tuple[Suggestion, float]]:
    """The suggestions that do not lower the measure, or all, with what each adds; 0 where that is undefined."""
    gains = [row[f"delta_{queue.measure}"] or 0.0 for row in queue.report["queue"]]
    return [(one, gain) for one, gain in zip(queue.suggestions, gains, strict=True) if allow_loss or gain >= 0]


def write_patch(
    run: Run, queue: Queue, accepted: Sequence[str] | None, target: Path, allow_loss: bool = False
) -> dict[str, Any]:
    """Write the label file with the suggestions that are `chosen` to `target`; what was done, as data.

    left_out: suggestions of the queue that were not accepted since they lower the measure; competing: since another
    that adds more takes their label or their prediction. AP or accuracy: what it is with the patched labels.
    """
    if str(target) == STDOUT:
        raise UsageError("--patch -: the report goes to stdout", "name a file for the labels")
    entry = run.manifest["inputs"].get("labels")
    if entry is None:
        raise InputError(f"{run.path}: made without a label file", "score the dataset with its labels")
    source = Path(entry["path"])
    if source.is_dir():
        raise InputError(f"{source}: a folder of XML files", "score with a COCO label file to have a patched one")
    if not source.is_file():
        hint = "put it back, or score the dataset again"
        raise InputError(f"{source}: the run's label file is not there any more", hint)
    if str(source) in run.changed_inputs():
        raise InputError(f"{source}: has changed since the run", "score the dataset again")
    if target.exists() and target.samefile(source):
        raise UsageError(f"{target}: is the label file itself", "name another file: the original stays as it is")
    suggestions = chosen(queue, accepted, allow_loss)
    with tempfile.TemporaryDirectory(prefix="qm-") as folder:
        content = archives.plain(source, Path(folder), str(source)).read_bytes()
    try:
        document = json.loads(content)
    except ValueError as error:
        raise InputError(f"{source}: is no JSON", "score with a COCO label file to have a patched one") from error
    made = patched(document, queue.tables, suggestions, str(source))
    write_whole(json.dumps(made, ensure_ascii=False) + "\n", target)
    done = [one.action for one in suggestions]
    actions = {action: done.count(action) for action in ACTIONS}
    raising = len(_raising(queue, allow_loss))
    left = {"left_out": len(queue.suggestions) - raising, "competing": raising - len(done)}
    told = dict.fromkeys(left, 0) if accepted is not None else left
    value = {queue.measure: number_or_none(queue.together(suggestions))}
    return {"file": str(target), "labels": str(source), "accepted": len(done), **told, **actions, **value}
