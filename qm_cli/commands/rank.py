"""qm rank: what to label or look at next, one id a line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from qm_cli import console, options, rank_options
from qm_cli.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from qm_cli.ranking import Answer, Ranking
    from qm_cli.row_fields import Source
    from qm_cli.run_folder import Run

ROWS = ("lines", "csv", "jsonl", "parquet")
WITH_URLS = ("label-studio", "labelbox")


def rank(
    target: rank_options.Target,
    acquisition: rank_options.Acquisition = None,
    top: rank_options.Top = None,
    level: rank_options.Level = None,
    order: rank_options.Order = None,
    no_predictions: rank_options.NoPredictions = "last",
    ensemble: rank_options.Ensemble = None,
    budget: rank_options.Budget = None,
    cost: rank_options.Cost = None,
    exclude_near_duplicates: rank_options.ExcludeNearDuplicates = False,
    diverse: rank_options.Diverse = None,
    balance: rank_options.Balance = False,
    sample: rank_options.Sample = None,
    coldness: rank_options.Coldness = 1.0,
    where: options.Where = None,
    unlabeled_only: rank_options.UnlabeledOnly = False,
    reviewed: rank_options.Reviewed = None,
    exclude: rank_options.Exclude = None,
    model: options.Model = None,
    limit: options.Limit = None,
    set_option: options.SetOption = None,
    plugin: options.Plugin = None,
    field: rank_options.Field = None,
    format: rank_options.Format = None,
    image_url: rank_options.ImageUrl = None,
    back_test: rank_options.BackTest = False,
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
    form = format or ("lines" if json or back_test else _told_by(output))
    _refuse_misfits(unlabeled_only, reviewed, exclude, level, form, output, json)
    _refuse_batch(diverse, sample, balance, cost, budget)
    if image_url is not None and form not in WITH_URLS:
        raise UsageError("--image-url is for labelling tools that fetch by URL", f"--format {' or '.join(WITH_URLS)}")
    from qm_cli.batch import Batch
    from qm_cli.output import named_lines
    from qm_cli.ranking import Ranking, run_at
    from qm_cli.ranking import rank as ranked
    from qm_cli.selection import FALLING, Choice, named_metric

    place, column = named_metric(acquisition, level)
    if form not in ROWS and place != "image":
        ranked_by = f"rank by a column of images: {column} is one of {place}s" if level is None else "leave out --level"
        raise UsageError(f"--format {form} is of images", ranked_by)
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
        fields=options.split(field) or (("id",) if form == "lines" and not json else ()),
    )
    if form == "lines" and not json and len(choice.fields) != 1:
        raise UsageError("--format lines prints one field", "name one --field, or use --format csv")
    batch = Batch(
        budget=budget,
        cost=cost,
        diverse=diverse,
        sample=sample,
        coldness=coldness,
        balance=balance,
        exclude_near_duplicates=exclude_near_duplicates,
        seed=seed,
    )
    if back_test and (field or form != "lines"):
        raise UsageError("--back-test prints a report", "leave out --format and --field, or use --json")
    named = options.split([ensemble] if ensemble else None)
    asked = Ranking(target, choice, batch, model, named, (*(set_option or ()), *(plugin or ())))
    source: Source
    tables: Run | Mapping[str, pa.Table]
    run = run_at(asked)
    if run is not None:
        source = tables = run
    else:
        from qm_cli.request import Request
        from qm_cli.run import score_mentioned

        request = Request(
            target,
            limit=limit,
            set=tuple(set_option or ()),
            plugins=tuple(plugin or ()),
            seed=seed,
            workers=workers,
            model=model,
        )
        mentioned = [choice.column or "", where or "", *choice.fields, *batch.columns()]
        scored = score_mentioned(request, " ".join(mentioned))
        source, tables = scored, scored.tables
    rows = None
    if where is not None:
        from qm_cli.query import rows_of

        rows = rows_of(tables, choice.level, where)
    if back_test:
        return _back_test(asked, run, rows, output, json)
    answer = ranked(asked, run, source, rows)
    _deliver(answer, asked, form, image_url, output, json)
    if choice.column is None and not batch.asks:
        console.say("qm: not ranked, in the order of ids (--acquisition NAME ranks)")
    return 0


def _told_by(output: Path | None) -> str:
    """The format of a file by its name; JSON is written in several."""
    from qm_cli.output import format_of

    told = format_of(output)
    if told == "json":
        raise UsageError(f"{output}: JSON of which kind?", "--json, or --format coco, label-studio or labelbox")
    return told or "lines"


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


def _refuse_batch(
    diverse: str | None, sample: str | None, balance: bool, cost: str | None, budget: float | None
) -> None:
    """Ways to choose a batch that exclude each other."""
    if diverse is not None and sample is not None:
        raise UsageError("--diverse and --sample are two ways to choose", "give one of them")
    if diverse == "badge" and balance:
        raise UsageError("--diverse badge takes no weights", "use k-center or k-means++ with --balance")
    if cost is not None and budget is None:
        raise UsageError("--cost goes with --budget", "say how much may be spent")


def _back_test(
    asked: Ranking, run: Run | None, rows: npt.NDArray[np.int64] | None, output: Path | None, json: bool
) -> int:
    from qm_cli.back_testing import back_test_report
    from qm_cli.output import deliver
    from qm_cli.render.as_json import as_json

    report = back_test_report(asked, run, rows)
    if json or output is not None:
        deliver(as_json(report), output)
    else:
        from qm_cli.render.terminal_back_test import show_back_test

        show_back_test(report)
    return 0


def _deliver(
    answer: Answer, asked: Ranking, format: str, image_url: str | None, output: Path | None, json: bool
) -> None:
    from qm_cli.output import deliver
    from qm_cli.render import rows
    from qm_cli.selection import only_field

    table = answer.selection.table
    if json:
        from qm_cli.ranking import report_of
        from qm_cli.render.as_json import as_json

        deliver(as_json(report_of(answer, asked.target, asked.ensemble)), output)
    elif format == "lines":
        deliver(rows.as_lines(only_field(answer.selection)), output)
    elif format in ROWS:
        render = {"csv": rows.as_csv, "jsonl": rows.as_json_lines, "parquet": rows.as_parquet}[format]
        deliver(render(table), output)
    else:
        from qm_cli.labelling import import_file

        deliver(import_file(answer, format, image_url), output)
