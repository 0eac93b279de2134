"""qm compare: what differs between two models, how sure that is, and which labels and images it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from qm_cli import options
from qm_cli.errors import UsageError

COMPARISON = "Comparison"

Targets = Annotated[
    list[Path],
    typer.Argument(metavar="A B", help="Two runs; one run with two models; or a label file and two prediction files."),
]
FirstModel = Annotated[
    str | None, typer.Option("--model", help="Which model of A, where it has several.", rich_help_panel=options.INPUT)
]
SecondModel = Annotated[
    str | None, typer.Option("--model-b", help="Which model of B, where it has several.", rich_help_panel=options.INPUT)
]
Resamples = Annotated[
    int,
    typer.Option("--resamples", min=100, max=100_000, help="Bootstrap resamples.", rich_help_panel=COMPARISON),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        help="Resample all images with one value of this image column together: video_id.",
        rich_help_panel=COMPARISON,
    ),
]
Manifest = Annotated[
    Path | None,
    typer.Option("--slices", help="JSON or CSV file that names slices to compare on.", rich_help_panel=COMPARISON),
]
By = Annotated[
    list[str] | None,
    typer.Option("--by", help="Compare on a slice per value of a column: weather.", rich_help_panel=COMPARISON),
]
Condition = Annotated[
    list[str] | None,
    typer.Option(
        "--slice",
        metavar="NAME=SQL",
        help='Compare on a slice by SQL, repeatable: "dark=brightness < 0.2".',
        rich_help_panel=COMPARISON,
    ),
]
ChangesFile = Annotated[
    Path | None,
    typer.Option(
        "--changes",
        help="Write what became of each label and detection: .csv, .jsonl or .parquet.",
        rich_help_panel=options.OUTPUT,
    ),
]


def compare(
    targets: Targets,
    model: FirstModel = None,
    model_b: SecondModel = None,
    task: options.Task = None,
    sigmas: options.Sigmas = None,
    buffer: options.Buffer = 70.0,
    pycocotools_area: options.PycocotoolsArea = False,
    angle: options.Angle = "degrees",
    convention: options.OwnConvention = None,
    iou: options.OwnIoU = None,
    confidence: options.OwnConfidence = None,
    categories: options.Categories = None,
    resamples: Resamples = 1000,
    cluster: Cluster = None,
    manifest: Manifest = None,
    by: By = None,
    condition: Condition = None,
    seed: options.Seed = 0,
    match_by: options.MatchBy = "id",
    map_categories: options.MapCategories = None,
    missing_score: options.MissingScore = None,
    prob_categories: options.ProbCategories = None,
    changes: ChangesFile = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Compare two models on the same labels: differences with paired-bootstrap intervals, and what changed where."""
    if len(targets) > 3:
        raise UsageError(f"{len(targets)} targets", "give two runs, one run, or LABELS A B")
    if changes is not None and changes.suffix not in (".csv", ".jsonl", ".parquet"):
        raise UsageError(f"--changes: {str(changes)!r} is neither .csv, .jsonl nor .parquet", "name it so")
    from qm_cli import comparing
    from qm_cli.slice_language import Wanted
    from qm_cli.tasks import measure_from, refuse_reading

    naming: dict[str, Any] = {"match_by": match_by, "map_categories": map_categories, "missing_score": missing_score}
    naming |= {"prob_categories": options.split([prob_categories])} if prob_categories else {}
    naming |= {"task": task, "measure": measure_from(sigmas, buffer, pycocotools_area, angle)}
    if len(targets) < 3:
        refuse_reading(naming)
    request = comparing.Request(
        tuple(targets),
        (model, model_b),
        options.named(convention),
        iou,
        confidence,
        options.split(categories),
        cluster,
        resamples,
        seed,
        naming if len(targets) == 3 else None,
        task,
        Wanted(manifest, options.split(by), tuple(condition or ())),
    )
    report, rows = comparing.compare(request)
    if changes is not None:
        from qm_cli.output import deliver
        from qm_cli.render import rows as formats

        forms = {".csv": formats.as_csv, ".jsonl": formats.as_json_lines, ".parquet": formats.as_parquet}
        deliver(forms[changes.suffix](rows), changes)
    if json:
        from qm_cli.output import deliver
        from qm_cli.render.as_json import as_json

        deliver(as_json(report), None)
    else:
        from qm_cli.render.terminal_comparison import show_comparison

        show_comparison(report)
    return 0
