"""qm leakage: images that two sets share, and what a model scores without them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qm_cli import options

SHARING = "What counts as shared"
Train = Annotated[Path, typer.Argument(metavar="TRAIN", help="What the model learnt from: a run or dataset folder.")]
Validation = Annotated[Path, typer.Argument(metavar="VAL", help="What it is tested on: a run or dataset folder.")]
Radius = Annotated[
    int,
    typer.Option(
        "--radius", min=0, max=16, help="Bits of 64 in which near images differ at most.", rich_help_panel=SHARING
    ),
]
Recording = Annotated[
    str | None,
    typer.Option(
        "--recording",
        help="Regular expression on file names; its first group names the recording.",
        rich_help_panel=SHARING,
    ),
]
Lines = Annotated[
    bool,
    typer.Option(
        "--lines", help="Only the ids of VAL's images, one a line, for a pipe.", rich_help_panel=options.OUTPUT
    ),
]


def leakage(
    train: Train,
    validation: Validation,
    radius: Radius = 4,
    recording: Recording = None,
    model: options.Model = None,
    lines: Lines = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Find images of VAL that TRAIN holds too: the same pixels, nearly the same, or of one recording."""
    from qm_cli.leaking import leakage as found
    from qm_cli.output import deliver

    report = found(train, validation, radius, recording, model)
    if json:
        from qm_cli.render.as_json import as_json

        deliver(as_json(report), None)
    elif lines:
        deliver("".join(f"{row['id']}\n" for row in report["images"]), None)
    else:
        from qm_cli.render.terminal_leakage import show_leakage

        show_leakage(report)
    return 0
