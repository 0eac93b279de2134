"""qm rank: what to label or look at next, one id a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from qm_cli import console, options
from qm_cli.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from qm_cli.run_folder import Run
    from qm_cli.selection import Choice, Ranked, Source

RANKING = "Ranking"
NAMES_TOLD = 5

Target = Annotated[Path, typer.Argument(help="A run folder, or a dataset folder.")]
Acquisition = Annotated[
    str | None,
    typer.Option(
        "--acquisition",
        "-a",
        help="entropy, least_confidence, margin, variance, mean_object_score, or any metric or column. Worst first.",
        rich_help_panel=RANKING,
    ),
]
Top = Annotated[int | None, typer.Option("--top", "-n", min=0, help="Only the first N.", rich_help_panel=RANKING)]
Level = Annotated[
    Literal["image", "label", "prediction"] | None,
    typer.Option("--level", help="What to rank; default image.", rich_help_panel=RANKING),
]
Order = Annotated[
    Literal["asc", "desc"] | None,
    typer.Option("--order", help="Lowest or highest value first; default worst first.", rich_help_panel=RANKING),
]
NoPredictions = Annotated[
    Literal["first", "last", "drop"],
    typer.Option("--no-predictions", help="Where what has no value goes.", rich_help_panel=RANKING),
]
UnlabeledOnly = Annotated[
    bool, typer.Option("--unlabeled-only", help="Only images without an annotation.", rich_help_panel=options.INPUT)
]
Reviewed = Annotated[
    Path | None,
    typer.Option(
        "--reviewed",
        help="Ids or file names, one a line, of images that are rightly without.",
        rich_help_panel=options.INPUT,
    ),
]
Exclude = Annotated[
    Path | None,
    typer.Option(
        "--exclude", help="Ids or file names to leave out, one a line; - reads stdin.", rich_help_panel=options.INPUT
    ),
]
Field = Annotated[
    list[str] | None,
    typer.Option("--field", help="What to print: id, file_name, any column.", rich_help_panel=options.OUTPUT),
]
Format = Annotated[
    Literal["lines", "csv", "jsonl", "parquet"],
    typer.Option("--format", help="One field a line, or rows.", rich_help_panel=options.OUTPUT),
]


def rank(
    target: Target,
    acquisition: Acquisition = None,
    top: Top = None,
    level: Level = None,
    order: Order = None,
    no_predictions: NoPredictions = "last",
    where: options.Where = None,
    unlabeled_only: UnlabeledOnly = False,
    reviewed: Reviewed = None,
    exclude: Exclude = None,
    model: options.Model = None,
    limit: options.Limit = None,
    set_option: options.SetOption = None,
    plugin: options.Plugin = None,
    field: Field = None,
    format: Format = "lines",
    output: options.Output = None,
    json: options.Json = False,
    workers: options.Workers = None,
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Rank images, labels or predictions: what to label next, or where to look first.

    A dataset folder without a run is scored for just the columns that are asked for, with --set, --plugin and --seed.
    """
    _refuse_misfits(unlabeled_only, reviewed, exclude, level, format, output, json)
    from qm_cli.output import named_lines
    from qm_cli.selection import FALLING, Choice, named_metric, select

    place, column = named_metric(acquisition, level)
    choice = Choice(
        level=place,
        column=column,
        descending=None if order is None else order == FALLING,
        no_values=no_predictions,
        top=top,
        limit=limit,
        unlabeled_only=unlabeled_only,
        reviewed=named_lines(reviewed),
        exclude=named_lines(exclude),
        fields=options.split(field) or (("id",) if format == "lines" and not json else ()),
    )
    if format == "lines" and not json and len(choice.fields) != 1:
        raise UsageError("--format lines prints one field", "name one --field, or use --format csv")
    run = _run_at(target, model, choice, [*(set_option or ()), *(plugin or ())])
    source: Source
    tables: Run | Mapping[str, pa.Table]
    if run is not None:
        source = tables = run
    else:
        from qm_cli.run import Request, score_mentioned

        request = Request(
            target,
            limit=limit,
            set=tuple(set_option or ()),
            plugins=tuple(plugin or ()),
            seed=seed,
            workers=workers,
            model=model,
        )
        mentioned = " ".join([choice.column or "", where or "", *choice.fields])
        scored = score_mentioned(request, mentioned)
        source, tables = scored, scored.tables
    if where is not None:
        from qm_cli.query import rows_of

        choice = replace(choice, rows=rows_of(tables, choice.level, where))
    selection = select(source, choice)
    _tell(selection)
    only_model = run.models[0] if run is not None and len(run.models) == 1 else None
    _deliver(selection, target, model or only_model, format, output, json)
    if choice.column is None:
        console.say("qm: not ranked, in the order of ids (--acquisition NAME ranks)")
    return 0


def _refuse_misfits(
    unlabeled_only: bool,
    reviewed: Path | None,
    exclude: Path | None,
    level: str | None,
    format: str,
    output: Path | None,
    json: bool,
) -> None:
    """Options that do not fit together, before any work."""
    if reviewed is not None and not unlabeled_only:
        raise UsageError("--reviewed goes with --unlabeled-only", "to leave images out use --exclude")
    if unlabeled_only and level == "label":
        raise UsageError("--unlabeled-only leaves no label to rank", "use --level image or prediction")
    if str(reviewed) == "-" == str(exclude):
        raise UsageError("--reviewed and --exclude cannot both read stdin", "name a file for one of them")
    if format == "parquet" and output is None and not json:
        raise UsageError("--format parquet needs a file", "name it with -o")


def _run_at(target: Path, model: str | None, choice: Choice, scoring: Sequence[object]) -> Run | None:
    """The run to rank from; None for a dataset folder that has none."""
    from qm_cli.run_folder import DEFAULT_NAME, is_run, open_run

    if not is_run(target) and not is_run(target / DEFAULT_NAME):
        return None
    run = open_run(target, model)
    if scoring:
        raise UsageError(f"{run.path}: is scored already, --set and --plugin come too late", "give them to qm score")
    if run.path != target:
        console.say(f"qm: ranks the run {run.path}")
    for path in run.changed_inputs():
        console.say(f"qm: {path} has changed since the run was made: score the dataset again")
    columns = run.columns(choice.level)
    if columns and choice.column in (None, *columns):
        return run
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


def _deliver(
    selection: Ranked,
    target: Path,
    model: str | None,
    format: str,
    output: Path | None,
    json: bool,
) -> None:
    from qm_cli.output import deliver
    from qm_cli.render import rows
    from qm_cli.selection import only_field

    if json:
        from qm_cli.render.as_json import as_json

        deliver(as_json(_report(selection, target, model)), output)
    elif format == "lines":
        deliver(rows.as_lines(only_field(selection)), output)
    else:
        render = {"csv": rows.as_csv, "jsonl": rows.as_json_lines, "parquet": rows.as_parquet}[format]
        deliver(render(selection.table), output)


def _report(selection: Ranked, target: Path, model: str | None) -> dict[str, object]:
    """The one object of --json."""
    from qm_cli.render.rows import as_records
    from qm_cli.selection import ASCENDING, FALLING

    choice = selection.choice
    return {
        "target": str(target),
        "model": model,
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
