"""A queue of suspicious labels and overlooked objects of a run, with what to do about each, and the labels as they
would be."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.analysis.label_errors import evidence
from qm_cli.analysis.suspicions import REASONS, Suspicions, suspicions
from qm_cli.arrays import one_chunk, strings_to_arrow, to_arrow
from qm_cli.errors import InputError, UsageError, nearest
from qm_cli.ingest import archives
from qm_cli.output import write_whole
from qm_cli.query import rows_of
from qm_cli.run_columns import one_model
from qm_cli.run_folder import Run
from qm_cli.run_tables import tables_of_run
from qm_cli.settings import Settings
from qm_cli.suggesting import ADD, CHANGE_BOX, CHANGE_CATEGORY, REMOVE, Gains, Suggestion, patched
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
ACTIONS = (ADD, CHANGE_CATEGORY, CHANGE_BOX, REMOVE)
"""What each of REASONS suggests, in their order."""
ESTIMATE = (
    "ΔAP is what COCO's AP would gain were this suggestion alone accepted, by matching the same predictions again; the"
    " suggestion is the model's own, so it tells what is at stake, not that it is right"
)


@dataclass(frozen=True)
class Queue:
    """The report, and the suggestion behind each row of its queue."""

    report: dict[str, Any]
    suggestions: list[Suggestion]
    tables: Tables


def review_queue(run: Run, least: float = 0.5, top: int | None = 50, where: str | None = None) -> Queue:
    """What is at least so suspicious, the most first. where: SQL over the queue's columns and the image's."""
    one_model(run)
    settings = Settings.from_dict(run.manifest["settings"])
    if settings.task != "bbox":
        hint = "score labels and predictions that have boxes with --task bbox"
        raise InputError(f"{run.path}: is of task {settings.task}, a review suggests boxes", hint)
    tables = _tables(run)
    found = suspicions(tables, evidence(tables, settings.task), least)
    listed = _listed(tables, found)
    rows = np.arange(listed.num_rows)
    if where is not None:
        rows = np.sort(rows_of({"review": _with_image_columns(run, tables, found, listed)}, "review", where))
    shown = rows[:top]
    suggested = [_suggestion(tables, found, int(row)) for row in shown]
    gains = Gains(tables, settings)
    entries = zip(listed.take(to_arrow(shown)).to_pylist(), suggested, strict=True)
    counts = np.bincount(found.reason[rows], minlength=len(REASONS)).tolist()
    report = {
        "run": run.place,
        "model": run.model or next(iter(run.models), None),
        "min_suspicion": least,
        "AP": _number(gains.mean),
        "found": len(rows),
        "reasons": dict(zip(REASONS, counts, strict=True)),
        "queue": [{**row, "delta_AP": _number(gains.gain(one))} for row, one in entries],
        "notes": [ESTIMATE],
    }
    return Queue(report, suggested, tables)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _tables(run: Run) -> Tables:
    """Labels and predictions of the run."""
    for level in ("label", "prediction"):
        if level not in run.table_names():
            raise InputError(f"{run.path}: has no {level}s", "score a dataset with labels and predictions")
    tables = tables_of_run(run)
    if any(tables.table(level)["bbox"].null_count for level in ("label", "prediction")):
        raise InputError(f"{run.path}: has labels or predictions without a box", "a review needs boxes on both sides")
    return tables


def _image_rows(tables: Tables, found: Suspicions) -> RowArray:
    label = np.append(tables.values("label", "image_row"), -1)[found.label]
    prediction = np.append(tables.values("prediction", "image_row"), -1)[found.prediction]
    return np.where(found.label >= 0, label, prediction).astype(np.int64)


def _actions(found: Suspicions) -> RowArray:
    """Place in ACTIONS of each: int64[n]."""
    return np.where(found.remove, ACTIONS.index(REMOVE), found.reason)


def _listed(tables: Tables, found: Suspicions) -> pa.Table:
    """Everything in the queue, a row each; what does not apply is null.

    Its id is the reason, then the label's id, or the prediction's where there is no label.
    """
    action, image = _actions(found), _image_rows(tables, found)
    own = np.append(tables.values("label", "category_row"), -1)[found.label]
    told = np.append(tables.values("prediction", "category_row"), -1)[found.prediction]
    removed = action == ACTIONS.index(REMOVE)
    same_place = action == ACTIONS.index(CHANGE_CATEGORY)
    names, boxes = tables.category["name"], {level: tables.table(level)["bbox"] for level in ("label", "prediction")}
    label_id, prediction_id = _taken(tables.label["id"], found.label), _taken(tables.prediction["id"], found.prediction)
    suggested = np.where(removed, -1, np.where(action == ACTIONS.index(CHANGE_BOX), own, told))
    place = {
        "label": _taken(boxes["label"], np.where(same_place & ~removed, found.label, -1)).to_pylist(),
        "prediction": _taken(boxes["prediction"], np.where(removed | same_place, -1, found.prediction)).to_pylist(),
    }
    ids = [
        f"{REASONS[reason].replace(' ', '-')}:{prediction if label is None else label}"
        for reason, label, prediction in zip(
            found.reason.tolist(), label_id.to_pylist(), prediction_id.to_pylist(), strict=True
        )
    ]
    return pa.table(
        {
            "id": strings_to_arrow(ids),
            "reason": strings_to_arrow(REASONS).take(to_arrow(found.reason)),
            "suspicion": to_arrow(found.suspicion),
            "image_id": _taken(tables.image["id"], image),
            "file_name": _taken(tables.image["file_name"], image),
            "label_id": label_id,
            "category": _taken(names, own),
            "bbox": _taken(boxes["label"], found.label),
            "action": strings_to_arrow(ACTIONS).take(to_arrow(action)),
            "suggested_category": _taken(names, suggested),
            "suggested_bbox": pa.array(
                [one or other for one, other in zip(place["label"], place["prediction"], strict=True)],
                boxes["label"].type,
            ),
            "prediction_id": prediction_id,
            "score": to_arrow(np.append(tables.values("prediction", "score"), np.nan)[found.prediction]),
        }
    )


def _taken(column: pa.ChunkedArray, rows: RowArray) -> pa.Array:
    """column[rows], null for −1."""
    return one_chunk(column).take(to_arrow(np.where(rows >= 0, rows, np.nan)).cast(pa.int64()))


def _with_image_columns(run: Run, tables: Tables, found: Suspicions, listed: pa.Table) -> pa.Table:
    """The queue with the columns of the images that have another name than its own."""
    image = run.table("image").take(to_arrow(_image_rows(tables, found)))
    for name in image.column_names:
        if name not in listed.column_names:
            listed = listed.append_column(name, image[name])
    return listed


def _suggestion(tables: Tables, found: Suspicions, row: int) -> Suggestion:
    label, prediction = int(found.label[row]), int(found.prediction[row])
    action = ACTIONS[int(_actions(found)[row])]
    category = ("label", label) if action in (REMOVE, CHANGE_BOX) else ("prediction", prediction)
    place = ("label", label) if action in (REMOVE, CHANGE_CATEGORY) else ("prediction", prediction)
    box = tables.values(place[0], "bbox")[place[1]]
    category_row = int(tables.values(category[0], "category_row")[category[1]])
    image = int(_image_rows(tables, found)[row])
    return Suggestion(action, image, label, category_row, tuple(box.tolist()))


def chosen(queue: Queue, accepted: Sequence[str] | None) -> list[Suggestion]:
    """The suggestions with these ids; all of the queue without ids."""
    by_id = {row["id"]: one for row, one in zip(queue.report["queue"], queue.suggestions, strict=True)}
    if accepted is None:
        return queue.suggestions
    unknown = [name for name in accepted if name not in by_id]
    if unknown:
        raise UsageError(
            f"--accept: {unknown[0]!r} is not in the queue", nearest(unknown[0], list(by_id)) or "see --top and --where"
        )
    return [by_id[name] for name in accepted]


def write_patch(run: Run, queue: Queue, accepted: Sequence[str] | None, target: Path) -> dict[str, Any]:
    """Write the label file with the accepted suggestions to `target`; what was done, as data."""
    entry = run.manifest["inputs"].get("labels")
    if entry is None or not Path(entry["path"]).is_file():
        raise InputError(f"{run.path}: its label file is not there any more", "put it back, or score the dataset again")
    source = Path(entry["path"])
    if str(source) in run.changed_inputs():
        raise InputError(f"{source}: has changed since the run", "score the dataset again")
    if target.exists() and target.samefile(source):
        raise UsageError(f"{target}: is the label file itself", "name another file: the original stays as it is")
    suggestions = chosen(queue, accepted)
    with tempfile.TemporaryDirectory(prefix="qm-") as folder:
        document = json.loads(archives.plain(source, Path(folder), str(source)).read_bytes())
    made = patched(document, queue.tables, suggestions, str(source))
    write_whole(json.dumps(made, ensure_ascii=False) + "\n", target)
    done = [one.action for one in suggestions]
    actions = {action: done.count(action) for action in (ADD, CHANGE_CATEGORY, CHANGE_BOX, REMOVE)}
    return {"file": str(target), "labels": str(source), "accepted": len(done), **actions}
