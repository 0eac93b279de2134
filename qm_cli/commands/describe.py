"""qm describe: how each metric is distributed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from qm_cli import options

Target = Annotated[Path, typer.Argument(help="A run folder, or a dataset folder that holds one.")]
Level = Annotated[
    Literal["image", "label", "prediction"],
    typer.Option("--level", help="What a value belongs to.", rich_help_panel=options.INPUT),
]
By = Annotated[
    str | None,
    typer.Option(
        "--by",
        help="Side by side for the values of a column: split, category, outcome, annotator, weather.",
        rich_help_panel=options.INPUT,
    ),
]


def describe(
    target: Target,
    level: Level = "image",
    metrics: options.Metrics = None,
    by: By = None,
    model: options.Model = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Show how each metric is distributed: ends, median, mean, what is undefined, a histogram; --json has quartiles."""
    from qm_cli.describing import describe_report
    from qm_cli.run_folder import open_run

    report = describe_report(open_run(target, model), level, options.split(metrics), by)
    if json:
        from qm_cli.output import deliver
        from qm_cli.render.as_json import as_json

        deliver(as_json(report), None)
        return
    from qm_cli.render.terminal_distribution import show_distributions

    show_distributions(report)
