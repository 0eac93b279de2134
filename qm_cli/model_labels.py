"""The labels that several models of a dataset share: read once, with every category that any of the files names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from qm_cli.answer_objects import categories_of_all
from qm_cli.errors import UsageError
from qm_cli.load import read_labels, read_predictions, task_of_all
from qm_cli.raw import RawLabels
from qm_cli.settings import TASKS


def labels_of_models(
    root: Path, labels: Path | None, predictions: Mapping[str, Path], task: str | None, **how: Any
) -> tuple[RawLabels | None, str | None]:
    """The label file's content for `Source.labels_read`, None where there is none; and the task, None for classes.

    how: as in `load.Source`. Raises UsageError for models of different tasks, and where predictions serve as labels.
    """
    task = task or task_of_all(root, predictions)
    shaped = task if task in TASKS else None
    if labels is None:
        return None, shaped
    raw = read_labels(labels, shaped or "bbox", **how)
    if raw.kinds is not None and not len(raw.category.get("id", ())):
        read = [read_predictions(path) for path in predictions.values()]
        return replace(raw, category=categories_of_all(raw, read)), shaped
    if raw.derived and raw.kinds is None:
        raise UsageError(f"{labels}: predictions serve as labels for one model at a time", "name one --predictions")
    return raw, shaped
