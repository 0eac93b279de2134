"""What `qm rank` and Python users call: a run or a dataset, an order, a batch of it, and what was done as data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from qm_cli import console
from qm_cli.batch import Batch
from qm_cli.ensemble import MEASURES, with_disagreement
from qm_cli.errors import UsageError
from qm_cli.render.rows import as_records
from qm_cli.row_fields import RowArray, Source
from qm_cli.run_folder import DEFAULT_NAME, Run, is_run, open_run
from qm_cli.selection import ASCENDING, FALLING, Choice, Ranked, select
from qm_cli.storage import shown

NAMES_TOLD = 5


class Ranking(Struct, frozen=True):
    """What is asked for. scoring: --set and --plugin, which come too late for a run."""

    target: Path
    choice: Choice
    batch: Batch
    model: str | None = None
    ensemble: tuple[str, ...] = ()
    scoring: tuple[object, ...] = ()


class Answer(Struct, frozen=True):
    """The chosen rows, where they come from, and the run, None for a dataset that was scored for this alone."""

    selection: Ranked
    source: Source
    run: Run | None
    model: str | None


def rank(asked: Ranking, run: Run | None, source: Source, rows: RowArray | None = None, tells: bool = True) -> Answer:
    """Filter, rank and choose. rows: only these. tells: say on stderr what a reader of the bare ids should know."""
    choice = asked.choice if rows is None else replace(asked.choice, rows=rows)
    if asked.ensemble:
        source = _ensembled(run, asked)
    selection = select(source, choice, asked.batch if asked.batch.asks else None)
    if tells:
        _tell(selection)
    only = run.models[0] if run is not None and len(run.models) == 1 else None
    return Answer(selection, source, run, asked.model or only)


def _ensembled(run: Run | None, asked: Ranking) -> Source:
    if asked.choice.column not in MEASURES:
        raise UsageError("--ensemble is for an acquisition of its own", f"use -a {' or -a '.join(MEASURES)}")
    if run is None:
        raise UsageError("--ensemble takes a run", "score the dataset, one --predictions file for each member")
    return with_disagreement(run, asked.ensemble, asked.choice.column)


def run_at(asked: Ranking) -> Run | None:
    """The run to rank from; None for a dataset folder that has none."""
    target, choice = asked.target, asked.choice
    if not is_run(target) and not is_run(target / DEFAULT_NAME):
        return None
    run = open_run(target, asked.model)
    if asked.scoring:
        raise UsageError(f"{run.path}: is scored already, --set and --plugin come too late", "give them to qm score")
    if run.place != shown(target):
        console.say(f"qm: ranks the run {run.place}")
    for path in run.changed_inputs():
        console.say(f"qm: {path} has changed since the run was made: score the dataset again")
    columns = run.columns(choice.level)
    if columns and (choice.column in (None, *columns) or asked.ensemble):
        return run
    if choice.column in MEASURES:
        raise UsageError(f"{choice.column} needs several models of one kind", "name them by --ensemble, or all")
    if len(run.models) > 1 and run.model is None:
        raise UsageError(f"{run.path}: holds the models {', '.join(run.models)}", "name one with --model")
    _refuse_skipped(run, f"{choice.level}.{choice.column}")
    return run


def _refuse_skipped(run: Run, metric: str) -> None:
    """Say why a metric that exists is not in the run."""
    for skipped in run.summary()["skipped"]:
        if skipped["metric"] == metric:
            raise UsageError(f"{run.path}: {metric} was skipped: {skipped['reason']}", "score again with what it needs")


def _tell(selection: Ranked) -> None:
    """What a reader of the ids should know, on stderr."""
    choice = selection.choice
    if selection.without_value:
        where = "left out" if choice.no_values == "drop" else f"put {choice.no_values}"
        of = f"{selection.without_value:,} of {selection.considered:,} {choice.level}s"
        console.say(f"qm: {of} have no {choice.column}: {where} (--no-predictions first|last|drop)")
    if selection.unknown:
        shown = ", ".join(selection.unknown[:NAMES_TOLD])
        console.say(f"qm: unknown names in --exclude or --reviewed: {len(selection.unknown):,} (first: {shown})")
    if selection.considered == 0:
        console.say(f"qm: no {choice.level} is left to rank")
    for note in selection.picks.notes if selection.picks else ():
        console.say(f"qm: {note}")


def report_of(answer: Answer, target: Path, ensemble: Sequence[str] = ()) -> dict[str, Any]:
    """The one object of --json."""
    selection = answer.selection
    choice = selection.choice
    report: dict[str, Any] = {
        "target": shown(target),
        "model": answer.model,
        "level": choice.level,
        "acquisition": choice.column,
        "better": selection.better or None,
        "order": FALLING if selection.descending else ASCENDING,
        "no_predictions": choice.no_values,
        "considered": selection.considered,
        "without_value": selection.without_value,
        "unknown_names": list(selection.unknown),
        "count": selection.table.num_rows,
        "items": as_records(selection.table),
    }
    if ensemble:
        report["ensemble"] = list(ensemble)
    if selection.picks is not None:
        report["batch"] = {**selection.picks.facts, "notes": list(selection.picks.notes)}
    return report
