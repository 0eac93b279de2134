"""qm metrics: which metrics there are, and what one means and needs."""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from typing import Annotated

import typer

from qm_cli import options
from qm_cli.errors import UsageError

Name = Annotated[str | None, typer.Argument(help="One metric to explain, e.g. entropy or image.entropy.")]
Level = Annotated[
    list[str] | None,
    typer.Option("--level", help="Only image, label, prediction, category … metrics.", rich_help_panel="Metrics"),
]


def metrics(
    name: Name = None,
    level: Level = None,
    kind: options.Kind = None,
    plugin: options.Plugin = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """List all metrics with level, kind, unit, range, direction and needs; or explain one."""
    from qm_cli import catalog, metric_listing

    levels, kinds = options.split(level), options.split(kind)
    if name is not None and (levels or kinds):
        raise UsageError("--level and --kind filter the list", f"leave them out, or NAME ({name})")
    known = catalog.load(plugin or ())
    found = metric_listing.found(known, name) if name else metric_listing.listed(known, levels, kinds)
    if json:
        from qm_cli.render.as_json import as_json

        sys.stdout.write(as_json({"metrics": found}))
    else:
        from qm_cli.render.metric_text import metric_explained, metric_list
        from qm_cli.table_widths import PIPE_COLUMNS

        room = get_terminal_size().columns if sys.stdout.isatty() else PIPE_COLUMNS
        texts = [metric_explained(one, room) for one in found] if name else [metric_list(found, room)]
        sys.stdout.write("\n".join(texts))
    return 0
