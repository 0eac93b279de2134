"""qm similar: which images or labels look most like one of them, or like a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from qm_cli import options

Target = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]
LOOKING = "Looking"
To = Annotated[
    str, typer.Option("--to", help="An id or file name in the run, or an image file.", rich_help_panel=LOOKING)
]
Top = Annotated[int, typer.Option("--top", "-n", min=1, help="Only the nearest N.", rich_help_panel=LOOKING)]
Level = Annotated[
    Literal["image", "label"], typer.Option("--level", help="What to look among.", rich_help_panel=LOOKING)
]


def similar(
    target: Target,
    to: To,
    top: Top = 20,
    level: Level = "image",
    output: options.Output = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Find what looks alike: the nearest images, or labelled objects, by the embeddings of a run.

    Distance is 1 − cosine: 0 = the same, up to 0.03 nearly the same picture. A file from outside is embedded as the
    run's images were.
    """
    from qm_cli.output import deliver
    from qm_cli.render.as_json import as_json
    from qm_cli.run_folder import open_run
    from qm_cli.similarity import similar as found

    run = open_run(target)
    report = found(run, to, level, top)
    if json or output is not None:
        deliver(as_json(report), output)
        return 0
    from qm_cli.render.terminal_similar import show_similar

    show_similar(report)
    return 0
