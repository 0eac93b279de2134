"""qm outliers: values far outside of the usual, and samples that are odd in many ways."""

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
        "--by", help="Against the others with the same value of a column: category.", rich_help_panel=options.INPUT
    ),
]
Top = Annotated[
    int,
    typer.Option(
        "--top", "-n", min=0, help="How many samples to name per metric and in all.", rich_help_panel=options.OUTPUT
    ),
]


def outliers(
    target: Target,
    level: Level = "image",
    metrics: options.Metrics = None,
    by: By = None,
    top: Top = 10,
    model: options.Model = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Find outliers: beyond the quartiles by 1.5 times their distance moderate, by 2.5 times severe.

    On the worse side where one end of a metric is better, else on both.
    """
    from qm_cli.describing import outlier_report
    from qm_cli.run_folder import open_run

    report = outlier_report(open_run(target, model), level, options.split(metrics), by, top)
    if json:
        from qm_cli.output import deliver
        from qm_cli.render.as_json import as_json

        deliver(as_json(report), None)
        return
    from qm_cli.render.terminal_distribution import show_outliers

    show_outliers(report)
