"""qm drift: whether a second set is distributed as a first one is, beside the noise of random halves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qm_cli import options

First = Annotated[Path, typer.Argument(metavar="A", help="The reference: a run folder, or a prediction file.")]
Second = Annotated[Path, typer.Argument(metavar="B", help="What is held against it: a run folder or prediction file.")]
FirstModel = Annotated[
    str | None, typer.Option("--model", help="Which model of A, where it has several.", rich_help_panel=options.INPUT)
]
SecondModel = Annotated[
    str | None, typer.Option("--model-b", help="Which model of B, where it has several.", rich_help_panel=options.INPUT)
]


def drift(
    first: First,
    second: Second,
    model: FirstModel = None,
    model_b: SecondModel = None,
    metrics: options.Metrics = None,
    seed: options.Seed = 0,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Tell drift from noise: KS, Wasserstein and PSI of every metric, and the category mix; labels are not needed."""
    from qm_cli.drifting import compare_distributions

    report = compare_distributions((first, second), (model, model_b), options.split(metrics), seed)
    if json:
        from qm_cli.output import deliver
        from qm_cli.render.as_json import as_json

        deliver(as_json(report), None)
    else:
        from qm_cli.render.terminal_drift import show_drift

        show_drift(report)
    return 0
