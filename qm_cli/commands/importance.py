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
Performance = Annotated[
    bool,
    typer.Option("--performance", help="The same along every metric.", rich_help_panel=IMPORTANCE),
]
ByCategory = Annotated[
    bool,
    typer.Option(
        "--by-category", help="With --metric or --performance each category's rates too.", rich_help_panel=IMPORTANCE
    ),
]
Bins = Annotated[
    int, typer.Option("--bins", min=1, max=100, help="Bins of --metric and --performance.", rich_help_panel=IMPORTANCE)
]
EqualWidth = Annotated[
    bool,
    typer.Option("--equal-width", help="These bins of equal width, not of equal count.", rich_help_panel=IMPORTANCE),
]


def importance(
    target: Target,
    by: By = "prediction",
    metrics: options.Metrics = None,
    categories: options.Categories = None,
    iou: options.OwnIoU = None,
    confidence: options.OwnConfidence = None,
    cluster: Cluster = None,
    permutations: Permutations = None,
    compat: Compat = None,
    metric: Metric = None,
    performance: Performance = False,
    by_category: ByCategory = False,
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
    rates = metric is not None or performance
    _refuse_mixed(rates, metric, performance, compat, bins != 10 or equal_width or by_category)
    from qm_cli.explaining import Question
    from qm_cli.run_folder import open_run

    question = Question(
        by, options.split(metrics), options.split(categories), cluster, permutations, seed, iou, confidence
    )
    run = open_run(target, model)
    if rates:
        from qm_cli.performing import performance_report, performance_reports

        how = (question, bins, equal_width, by_category)
        report = performance_reports(run, *how) if metric is None else performance_report(run, metric, *how)
    else:
        report = _report(run, question, compat)
    if json:
        from qm_cli.output import deliver
        from qm_cli.render.as_json import as_json

        deliver(as_json(report), None)
        return
    from qm_cli.render import terminal_importance

    if performance:
        terminal_importance.show_performances(report)
    elif rates:
        terminal_importance.show_performance(report)
    else:
        terminal_importance.show_importance(report)


def _refuse_mixed(rates: bool, metric: str | None, performance: bool, compat: str | None, binned: bool) -> None:
    if not rates and binned:
        raise UsageError(
            "--bins, --equal-width and --by-category go with --metric or --performance", "name a metric with --metric"
        )
    if metric is not None and performance:
        raise UsageError("--metric and --performance do not go together", "leave one out")
    if rates and compat is not None:
        raise UsageError("--compat does not go together with --metric and --performance", "leave one out")


def _report(run: Run, question: Question, compat: str | None) -> dict[str, Any]:
    from qm_cli.explaining import encord_report, importance_report

    return importance_report(run, question) if compat is None else encord_report(run, question)
