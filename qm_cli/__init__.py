"""qm: quality metrics for vision datasets and models, over plain files."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["Settings", "__version__", "evaluate", "open_run", "score"]
INTERRUPTED = 130
"""The exit code of a command that was interrupted, here because even the entry has it before anything is imported."""

_HOMES = {
    "Settings": "qm_cli.settings",
    "evaluate": "qm_cli.run",
    "open_run": "qm_cli.run_folder",
    "score": "qm_cli.run",
}


def __getattr__(name: str) -> Any:
    """Public names are imported when first used, so that `import qm_cli` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'qm_cli' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
