"""qm review: labels that are probably wrong and objects that were overlooked, and the labels as they would be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qm_cli import options
from qm_cli.errors import UsageError

REVIEW = "Review"

Target = Annotated[Path, typer.Argument(help="A run folder, or a dataset folder that holds one.")]
Top = Annotated[int | None, typer.Option("--top", "-n", min=0, help="How many at most.", rich_help_panel=REVIEW)]
Least = Annotated[
    float,
    typer.Option(
        "--min-suspicion",
        **options.SHARE,
        help="Leave out what is less suspicious, 0..1.",
        rich_help_panel=REVIEW,
    ),
]
Issues = Annotated[
    bool,
    typer.Option(
        "--issues", help="Only what ObjectLab's rule, or confident learning, calls wrong.", rich_help_panel=REVIEW
    ),
]
Patch = Annotated[
    Path | None,
    typer.Option(
        "--patch",
        help="Write the label file with the suggestions accepted; the original stays as it is.",
        rich_help_panel=options.OUTPUT,
    ),
]
Accept = Annotated[
    Path | None,
    typer.Option(
        "--accept",
        help="With --patch: only the ids in this file, one a line; - reads stdin. Without it all of the queue"
        " but what lowers AP, and but one of those that take the same label or prediction.",
        rich_help_panel=options.OUTPUT,
    ),
]
Loss = Annotated[
    bool,
    typer.Option(
        "--allow-loss",
        help="With --patch: suggestions that lower AP, which the model speaks against on the whole, too.",
        rich_help_panel=options.OUTPUT,
    ),
]


def review(
    target: Target,
    top: Top = 50,
    min_suspicion: Least = 0.5,
    issues: Issues = False,
    where: options.Where = None,
    model: options.Model = None,
    patch: Patch = None,
    accept: Accept = None,
    allow_loss: Loss = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Review labels that a model speaks against: overlooked, of the wrong category, off their place, drawn twice.

    The most suspicious first, each with a suggestion and what accepting it would add to AP, or to accuracy of classes:
    delta_AP or delta_accuracy, by which --where may filter.
    """
    for option, given in (("--accept", accept is not None), ("--allow-loss", allow_loss)):
        if given and patch is None:
            raise UsageError(f"{option} goes with --patch", "name the file to write with --patch")
    if accept is not None and allow_loss:
        raise UsageError("--accept and --allow-loss exclude each other", "ids are accepted whatever they add")
    from qm_cli.output import deliver, named_lines
    from qm_cli.reviewing import review_queue, write_patch
    from qm_cli.run_folder import open_run

    run = open_run(target, model)
    queue = review_queue(run, min_suspicion, top, where, issues)
    report = queue.report
    if patch is not None:
        ids = named_lines(accept) if accept else None
        report = {**report, "patch": write_patch(run, queue, ids, patch, allow_loss)}
    if json:
        from qm_cli.render.as_json import as_json

        deliver(as_json(report), None)
        return
    from qm_cli.render.terminal_review import show_review

    show_review(report)
