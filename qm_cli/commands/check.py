"""qm check: is the input sound? Every finding with a code, a count and the first examples; a mended copy on request."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from qm_cli import options

Target = Annotated[
    Path, typer.Argument(metavar="DATASET|LABELS", help="A dataset folder, or a COCO label file.", show_default=False)
]
PredictionFile = Annotated[
    Path | None, typer.Argument(metavar="[PREDICTIONS]", help="With a label file: its predictions.", show_default=False)
]
Fix = Annotated[
    Path | None,
    typer.Option(
        "--fix", help="Folder for a mended copy of the files; the originals stay.", rich_help_panel=options.OUTPUT
    ),
]


def check(
    target: Target,
    prediction_file: PredictionFile = None,
    labels: options.Labels = None,
    predictions: options.Predictions = None,
    images: options.Images = None,
    match_by: options.MatchBy = "id",
    map_categories: options.MapCategories = None,
    missing_score: options.MissingScore = None,
    fix: Fix = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Check labels, predictions and image files; exit 1 when there are errors."""
    from qm_cli.soundness import check_files, files_to_check

    given = [*([str(prediction_file)] if prediction_file else []), *(predictions or [])]
    files = files_to_check(target, Path(labels) if labels else None, [Path(path) for path in given], images)
    report = check_files(files, fix, match_by=match_by, map_categories=map_categories, missing_score=missing_score)
    if json:
        from qm_cli.render.as_json import as_json

        sys.stdout.write(as_json(report))
    else:
        _show(report)
    return 1 if report["counts"]["error"] else 0


def _show(report: dict[str, Any]) -> None:
    from qm_cli.render.terminal import plain_console, show_table

    console = plain_console()
    for name, rows in report["findings"].items():
        cells = [
            (f["severity"], f["code"], f["count"], f["meaning"], ", ".join(f["examples"]), f["hint"]) for f in rows
        ]
        if cells:
            show_table([f"{name}: severity", "code", "count", "meaning", "first", "way out"], cells)
    for line in report["mended"]:
        console.print(f"mended: {line['sentence']}", highlight=False, markup=False)
    counts = ", ".join(f"{count} {severity}" for severity, count in report["counts"].items())
    rows = ", ".join(f"{count:,} {level}" for level, count in report["rows"].items())
    console.print(f"{rows}; kinds of finding: {counts}", style="bold", highlight=False, markup=False)
