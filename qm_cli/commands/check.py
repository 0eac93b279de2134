"""qm check: is the input sound? Every finding with a code, a count and the first examples; a mended copy on request."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from qm_cli import options

Target = Annotated[
    Path, typer.Argument(metavar="DATASET|LABELS", help="A dataset folder, or a file of labels.", show_default=False)
]
PredictionFile = Annotated[
    Path | None, typer.Argument(metavar="[PREDICTIONS]", help="With a label file: its predictions.", show_default=False)
]
INDENT = " " * 10
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
    """Every finding in a few whole lines, with all there is to know and the way out; then the sums."""
    from qm_cli.render.terminal import plain_console, show_prose

    console = plain_console()

    def line(text: str, style: str | None = None) -> None:
        console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)

    files = {"data": report["labels"] or report["images"], **report["predictions"]}
    for name, findings in report["findings"].items():
        if findings:
            line(f"{name} ({files[name]})" if files.get(name) else name, "bold cyan")
        for found in findings:
            dropped = ", left out" if found["dropped"] else ""
            sentence = f"  {found['severity']:<8}{found['code']}: {found['count']:,} × {found['meaning']}{dropped}"
            show_prose(console, sentence, indent=INDENT)
            told = [f"first: {', '.join(found['examples'])}", found["detail"], f"way out: {found['hint']}"]
            for text in filter(None, told):
                show_prose(console, f"{INDENT}{text}", "dim", INDENT)
        if findings:
            line("")
    for mended in report["mended"]:
        show_prose(console, f"mended: {mended['sentence']}")
    rows = ", ".join(_counted(count, level) for level, count in report["rows"].items())
    kinds = ", ".join(_counted(count, severity) for severity, count in report["counts"].items())
    show_prose(console, f"{rows}; kinds of finding: {kinds}", "bold")


def _counted(count: int, noun: str) -> str:
    """The count with the word in its number.

    >>> _counted(1, "image"), _counted(1234, "category"), _counted(2, "info")
    ('1 image', '1,234 categories', '2 info')
    """
    plural = {"category": "categories", "info": "info"}.get(noun, f"{noun}s")
    return f"{count:,} {noun if count == 1 else plural}"
