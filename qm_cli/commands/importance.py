"""qm importance: which property of the data drives right and wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from qm_cli import options
from qm_cli.errors import UsageError

if TYPE_CHECKING:
    from qm_cli.explaining import Question
    from qm_cli.run_folder import Run

IMPORTANCE = "Importance"

Target = Annotated[Path, typer.Argument(help="A run folder, or a dataset folder that holds one.")]
By = Annotated[
    Literal["prediction", "label", "image"],
    typer.Option(
        "--by",
        help="What is right or wrong: a prediction (TP or FP), a label (found or missed), an image (without an error).",
        rich_help_panel=IMPORTANCE,
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", help="Column of images that belong together, e.g. video_id.", rich_help_panel=IMPORTANCE),
]
Permutations = Annotated[
    int | None,
    typer.Option(
        "--permutations",
        min=1,
        help="Permutations, and samples of the intervals; default 200, up to 2,000 where that is quick.",
        rich_help_panel=IMPORTANCE,
    ),
]
Compat = Annotated[
    Literal["encord"] | None,
    typer.Option("--compat", help="Encord's importance: nats, for IoU times TP.", rich_help_panel=IMPORTANCE),
]
Metric = Annotated[
    str | None,
    typer.Option(
        "--metric", help="The true-positive and false-negative rate along this metric.", rich_help_panel=IMPORTANCE
    ),
]
Bins = Annotated[int, typer.Option("--bins", min=1, max=100, help="Bins of --metric.", rich_help_panel=IMPORTANCE)]
EqualWidth = Annotated[
    bool,
    typer.Option(
        "--equal-width", help="Bins of --metric of equal width, not of equal count.", rich_help_panel=IMPORTANCE
    ),
]


def importance(
    target: Target,
    by: By = "prediction",
    metrics: options.Metrics = None,
    categories: options.Categories = None,
    cluster: Cluster = None,
    permutations: Permutations = None,
    compat: Compat = None,
    metric: Metric = None,
    bins: Bins = 10,
    equal_width: EqualWidth = False,
    model: options.Model = None,
    json: options.Json = False,
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Tell which metrics drive success and failure: 0 is none beyond chance, 1 tells the outcome alone.

    With --metric show how the model does along one of them.
    """
    if metric is None and (equal_width or bins != 10):
        raise UsageError("--bins and --equal-width go with --metric", "name a metric with --metric")
    if metric is not None and compat is not None:
        raise UsageError("--metric and --compat do not go together", "leave one out")
    from qm_cli.explaining import Question
    from qm_cli.run_folder import open_run

    question = Question(by, options.split(metrics), options.split(categories), cluster, permutations, seed)
    run = open_run(target, model)
    if metric is not None:
        from qm_cli.explaining import performance_report

        report = performance_report(run, metric, question, bins, equal_width)
    else:
        report = _report(run, question, compat)
    if json:
        from qm_cli.output import deliver
        from qm_cli.render.as_json import as_json

        deliver(as_json(report), None)
        return
    from qm_cli.render import terminal_importance

    show = terminal_importance.show_importance if metric is None else terminal_importance.show_performance
    show(report)


def _report(run: Run, question: Question, compat: str | None) -> dict[str, Any]:
    from qm_cli.explaining import encord_report, importance_report

    return importance_report(run, question) if compat is None else encord_report(run, question)
