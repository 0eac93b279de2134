"""What is compared of answers: two evaluations of the same data rows, from files or from runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace

from qm_cli import dataset
from qm_cli.answer_evaluation import AnswerRequest, evaluate_answer_files
from qm_cli.answer_slices import slices_of_rows
from qm_cli.answers import Answers
from qm_cli.arrays import to_numpy
from qm_cli.classification import ClassEvaluation
from qm_cli.classification_tables import evaluate_classes
from qm_cli.errors import InputError, UsageError, nearest
from qm_cli.link_ids import rows_of
from qm_cli.load_answers import AnswerSource
from qm_cli.load_dataset import load_tables
from qm_cli.query import Source
from qm_cli.run_folder import Run
from qm_cli.run_tables import settings_of_run, tables_of_run
from qm_cli.slice_language import Slice, Wanted
from qm_cli.slice_rows import column_of, columns_of, named_tables
from qm_cli.text_entities import SpanEvaluation

Found = ClassEvaluation | SpanEvaluation
NO_SLICES = Wanted()
HINT = "compare models on the same labels"


class Side(Struct, frozen=True):
    """One of the two: what it is called, where it stands, its evaluation, and the column whose values are clusters.

    slices: of its data rows, in their order; notes: what is to be said of them. The first side's count for both.
    """

    name: str
    target: str
    found: Found
    cluster: pa.Array | None = None
    slices: tuple[Slice, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def answers(self) -> Answers:
        return self.found.answers


class Asked(Struct, frozen=True):
    """How answers are evaluated, None for what the data says, the column of clusters, and the slices to compare on."""

    task: str | None = None
    convention: str | None = None
    iou: float | None = None
    confidence: float | None = None
    cluster: str | None = None
    wanted: Wanted = NO_SLICES


def sides_of_files(labels: Path, files: tuple[Path, Path], asked: Asked, naming: dict[str, Any]) -> tuple[Side, Side]:
    """Two prediction files on one label file; naming: as of `AnswerSource`."""
    source = None if asked.cluster is None and asked.wanted.nothing else _rows_of_file(labels)
    sides = []
    for path in files:
        how = (asked.task, asked.convention, asked.iou, asked.confidence)
        found, _ = evaluate_answer_files(AnswerRequest(AnswerSource(labels, path, **naming), *how))
        sides.append(Side(dataset.model_name(path), str(path), found))
    return _same(_with_rows(sides[0], source, asked, labels), sides[1])


def _rows_of_file(labels: Path) -> dict[str, pa.Table]:
    """The data rows of a label file with their columns, and their labels."""
    tables = named_tables(load_tables(labels, None, metadata=True))
    return {level: tables[level] for level in ("image", "label")}


def _with_rows(side: Side, source: Source | None, asked: Asked, where: Path) -> Side:
    """The side with its clusters and slices, of the data rows of a label file or of a run."""
    if source is None:
        return side
    cluster = None
    place = pa.array(rows_of(side.answers.row_ids, column_of(source, "image", "id")))
    if asked.cluster is not None:
        known = columns_of(source, "image")
        if asked.cluster not in known:
            hint = nearest(asked.cluster, known) or f"data rows have {', '.join(known)}"
            raise UsageError(f"--cluster: {where}: data rows have no column {asked.cluster!r}", hint)
        cluster = column_of(source, "image", asked.cluster).take(place)
    if asked.wanted.nothing:
        return replace(side, cluster=cluster)
    slices, notes = slices_of_rows(source, asked.wanted)
    slices = tuple(replace(one, images=one.images[to_numpy(place)]) for one in slices)
    return replace(side, cluster=cluster, slices=slices, notes=notes)


def sides_of_runs(runs: list[tuple[Run, str]], asked: Asked) -> tuple[Side, Side]:
    """Two models of scored runs. Raises InputError for runs that hold no rows of answers, and for other labels."""
    return _same(*(side_of_run(run, name, asked, "compare LABELS A B") for run, name in runs))


def side_of_run(run: Run, name: str, asked: Asked, hint: str) -> Side:
    """A model of a scored run. Raises InputError with the hint for a run that holds no rows of answers."""
    if "label" not in run.table_names() or "bbox" not in run.columns("label"):
        raise InputError(f"{run.path}: holds the results of answers and not the answers", hint)
    settings = settings_of_run(run)
    chosen: dict[str, Any] = {
        "answer_convention": asked.convention or settings.answer_convention,
        "answer_confidence": settings.answer_confidence if asked.confidence is None else asked.confidence,
        "answer_task": asked.task or settings.answer_task,
    }
    tables = tables_of_run(run, classes=True)
    side = Side(name, str(run.path), evaluate_classes(tables, replace(settings, **chosen)))
    needed = asked.cluster is not None or not asked.wanted.nothing
    return _with_rows(side, run if needed else None, asked, run.path)


def _same(a: Side, b: Side) -> tuple[Side, Side]:
    """Both sides, where they are of the same data rows and labels."""
    if isinstance(a.found, SpanEvaluation) != isinstance(b.found, SpanEvaluation):
        raise InputError("one of A and B holds text entities, the other classes", "compare models of one task")
    if not a.answers.row_ids.equals(b.answers.row_ids):
        raise InputError(
            f"A and B are not of the same data rows: {len(a.answers.row_ids)} and "
            f"{len(b.answers.row_ids)}, or in another order",
            HINT,
        )
    if not _same_labels(a.answers, b.answers):
        raise InputError("A and B are not of the same labels", HINT)
    return a, b


def _same_labels(a: Answers, b: Answers) -> bool:
    """Whether the same categories are true of the same data rows, by the names of questions and categories."""
    number: dict[tuple[str | None, str], int] = {}
    keys = []
    for answers in (a, b):
        names = answers.category_names
        width = len(answers.questions) + 1
        pairs = np.unique(answers.label.category * width + answers.label.question).tolist()
        of_pair = {
            pair: number.setdefault(
                ((*answers.questions, None)[pair % width], (*names, "")[pair // width]), len(number)
            )
            for pair in pairs
        }
        own = np.array([of_pair[pair] for pair in pairs], np.int64)
        place = np.searchsorted(pairs, answers.label.category * width + answers.label.question)
        keys.append((answers.label.row, own[place]))
    sorted_keys = [np.sort(row * max(len(number), 1) + key) for row, key in keys]
    return bool(np.array_equal(sorted_keys[0], sorted_keys[1]))
