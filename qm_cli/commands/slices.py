"""qm slices: how the model does on parts of the data, named or found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from qm_cli import options
from qm_cli.errors import UsageError

if TYPE_CHECKING:
    from qm_cli.run_folder import Run
    from qm_cli.slicing import Request

NAMED, DISCOVERY = "Slices", "Discovery"

Target = Annotated[Path, typer.Argument(help="A run folder, or a dataset folder that holds one.")]
Manifest = Annotated[
    Path | None,
    typer.Option("--slices", help="JSON or CSV file that names slices by their images.", rich_help_panel=NAMED),
]
By = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        help="A slice per value of a column: weather, category, annotator. Repeatable.",
        rich_help_panel=NAMED,
    ),
]
Condition = Annotated[
    list[str] | None,
    typer.Option(
        "--slice",
        metavar="NAME=SQL",
        help="A slice by SQL, repeatable: \"dark=brightness < 0.2 AND category = 'person'\".",
        rich_help_panel=NAMED,
    ),
]
Resamples = Annotated[
    int, typer.Option("--resamples", min=20, max=100_000, help="Bootstrap resamples.", rich_help_panel=NAMED)
]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", help="Column of images that belong together: video_id.", rich_help_panel=NAMED),
]
Discover = Annotated[
    bool,
    typer.Option(
        "--discover",
        help="Find the slices where the model is weak; so without a slice named.",
        rich_help_panel=DISCOVERY,
    ),
]
Level = Annotated[
    Literal["object", "prediction", "label", "image"],
    typer.Option(
        "--level",
        help="What is right or wrong: an object (found, missed or false), a prediction, a label, an image.",
        rich_help_panel=DISCOVERY,
    ),
]
Depth = Annotated[
    int, typer.Option("--depth", min=1, max=3, help="Most conditions of a slice.", rich_help_panel=DISCOVERY)
]
MinSupport = Annotated[
    int,
    typer.Option(
        "--min-support", min=5, help="Samples a slice holds at least, in either half.", rich_help_panel=DISCOVERY
    ),
]
Top = Annotated[
    int,
    typer.Option("--top", "-n", min=1, max=100, help="Most slices to test.", rich_help_panel=DISCOVERY),
]


def slices(
    target: Target,
    manifest: Manifest = None,
    by: By = None,
    condition: Condition = None,
    metrics: options.Metrics = None,
    iou: options.OwnIoU = None,
    confidence: options.OwnConfidence = None,
    resamples: Resamples = 200,
    cluster: Cluster = None,
    discover: Discover = False,
    level: Level = "object",
    depth: Depth = 3,
    min_support: MinSupport = 20,
    top: Top = 10,
    model: options.Model = None,
    json: options.Json = False,
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Tell how the model does on slices of the data: by a column, by SQL, from a manifest; or find where it is weak.

    Without a slice named it looks for weak ones. --metrics adds the means of label metrics to named slices; with
    --discover slices are made of those columns.
    """
    from qm_cli.slice_language import Wanted

    wanted = Wanted(manifest, options.split(by), tuple(condition or ()))
    if discover and not wanted.nothing:
        raise UsageError("--discover does not go with --by, --slice and --slices", "leave one out")
    from qm_cli.run_folder import open_run

    run = open_run(target, model)
    patterns = options.split(metrics)
    if wanted.nothing:
        from qm_cli.slice_discovery import Hunt, discovery_report

        hunt = Hunt(level, patterns, depth, min_support, top, cluster, seed, iou, confidence)
        report = discovery_report(run, hunt)
    else:
        from qm_cli.slicing import Request

        report = _report(run, Request(wanted, iou, confidence, patterns, cluster, resamples, seed))
    _deliver(report, json, wanted.nothing)


def _report(run: Run, request: Request) -> dict[str, Any]:
    """Of objects, or of classes."""
    from qm_cli.answer_slicing import answer_slice_report, holds_answers
    from qm_cli.slicing import slice_report

    return answer_slice_report(run, request) if holds_answers(run) else slice_report(run, request)


def _deliver(report: dict[str, Any], json: bool, discover: bool) -> None:
    if json:
        from qm_cli.output import deliver
        from qm_cli.render.as_json import as_json

        deliver(as_json(report), None)
        return
    from qm_cli.render import terminal_slices

    show = terminal_slices.show_discovery if discover else terminal_slices.show_slices
    show(report)
