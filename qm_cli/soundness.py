"""Is a dataset's input sound? The findings of each model's files, and mended copies of them on request."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qm_cli import dataset
from qm_cli.analysis.check import SEVERITIES, check
from qm_cli.analysis.mend import mend
from qm_cli.dataset import DatasetFiles
from qm_cli.errors import UsageError
from qm_cli.findings import Finding
from qm_cli.load import load_tables

DATA = "data"


def files_to_check(target: Path, labels: Path | None, predictions: Sequence[Path], images: Path | None) -> DatasetFiles:
    """The files of a dataset folder, or of a label file and prediction files that are named outright."""
    if target.is_dir():
        return dataset.find(target, labels, predictions, images)
    if labels is not None:
        raise UsageError(f"{target} and --labels {labels} are both label files", "name one")
    return DatasetFiles(target.parent, target, {dataset.model_name(path): path for path in predictions}, images)


def check_files(files: DatasetFiles, fix: Path | None = None, **naming: Any) -> dict[str, Any]:
    """Findings by file group: those of labels and images once, then each model's own; counts by severity.

    naming: match_by, map_categories and missing_score as `load.Source` takes them.
    """
    models: dict[str, Path | None] = {**files.predictions} or {DATA: None}
    findings: dict[str, list[Finding]] = {DATA: []}
    for name, path in models.items():
        tables = load_tables(
            files.labels,
            path,
            shapes=True,
            images=files.images,
            tolerant=True,
            **naming,
        )
        found = check(tables, files.images if not findings[DATA] else None)
        for one in found:
            group = (
                findings[DATA] if not one.code.startswith(("prediction", "mapping")) else findings.setdefault(name, [])
            )
            if one not in group:
                group.append(one)
    return {
        "labels": None if files.labels is None else str(files.labels),
        "predictions": {name: str(path) for name, path in files.predictions.items()},
        "images": None if files.images is None else str(files.images),
        "rows": {level: tables.count(level) for level in ("image", "category", "label")},
        "counts": _counts(findings),
        "findings": {name: [one.as_dict() for one in rows] for name, rows in findings.items()},
        "mended": _mended(files, fix),
    }


def _counts(findings: dict[str, list[Finding]]) -> dict[str, int]:
    """Kinds of finding per severity."""
    counts = Counter(one.rule.severity for rows in findings.values() for one in rows)
    return {severity: counts[severity] for severity in SEVERITIES}


def _mended(files: DatasetFiles, fix: Path | None) -> list[dict[str, Any]]:
    if fix is None:
        return []
    if files.labels is None:
        raise UsageError("--fix mends a label file, and there is none", "name one with --labels")
    mended = mend(files.labels, fix, files.predictions)
    if fix.is_dir() and files.images is not None:
        _point_to_images(fix, files.images)
    return [one.as_dict() | {"sentence": one.sentence()} for one in mended]


def _point_to_images(folder: Path, images: Path) -> None:
    """A mended folder finds the images where they are."""
    place = os.path.relpath(images.resolve(), folder.resolve())
    (folder / dataset.SETTINGS_FILE).write_text(f"images = {json.dumps(place)}\n")
