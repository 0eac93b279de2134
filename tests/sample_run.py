"""The sample data's run of both models, scored once per process, and gate files beside it."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from qm_cli.run import score

SAMPLE = Path(__file__).parent.parent / "sample_data"
LABELS, WORSE, BETTER = (
    SAMPLE / "labels.json",
    *(SAMPLE / "predictions" / f"{name}.json" for name in ("worse", "better")),
)
METRICS = ("image.*_hash", "image.*_group", "image.brightness", "label.area_relative")


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="qm-sample-")
    score(SAMPLE, Path(folder.name) / "run", metrics=METRICS)
    return folder


def sample_run() -> Path:
    """The run; nothing may be written into it."""
    return Path(_folder().name) / "run"
