"""Is a dataset's input sound? The findings of each model's files, and mended copies of them on request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qm_cli import dataset, storage
from qm_cli.analysis.check import SEVERITIES, check
from qm_cli.analysis.classification_questions import questions
from qm_cli.analysis.mend import mend, refuse_foreign
from qm_cli.arrays import one_chunk, valid
from qm_cli.classification_tables import answers_of, holds_classes
from qm_cli.dataset import DatasetFiles
from qm_cli.errors import UsageError
from qm_cli.findings import Finding, flagged
from qm_cli.ingest.image_folder import holds_images
from qm_cli.load_dataset import load_tables
from qm_cli.storage import shown
from qm_cli.tables import Tables
from qm_cli.whole_images import problems_of

DATA = "data"


def files_to_check(target: Path, labels: Path | None, predictions: Sequence[Path], images: Path | None) -> DatasetFiles:
    """The files of a dataset folder, or of a label file and prediction files that are named outright."""
    target = storage.local(target)
    if storage.is_folder(target):
        return dataset.find(target, labels, predictions, images)
    if labels is not None:
        raise UsageError(f"{target} and --labels {labels} are both label files", "name one")
    return DatasetFiles(target.parent, target, {dataset.model_name(path): path for path in predictions}, images)


def check_files(files: DatasetFiles, fix: Path | None = None, **naming: Any) -> dict[str, Any]:
    """Findings by file group: those of labels and images once, then each model's own; counts by severity.

    naming: match_by, map_categories and missing_score as `load.Source` takes them.
    """
    if fix is not None:
        if files.labels is None:
            raise UsageError("--fix mends a label file, and there is none", "name one with --labels")
        refuse_foreign(fix, [files.labels, *files.predictions.values()])
    models: dict[str, Path | None] = {**files.predictions} or {DATA: None}
    findings: dict[str, list[Finding]] = {DATA: []}
    predictions = 0
    for name, path in models.items():
        tables = load_tables(
            files.labels,
            path,
            shapes=True,
            images=files.images,
            tolerant=True,
            **naming,
        )
        predictions += tables.count("prediction")
        for one in [
            *check(tables, None if findings[DATA] else _images(files, tables), problems_of),
            *_of_answers(tables),
            *_without_images(files, tables),
        ]:
            group = findings.setdefault(name, []) if _is_of_model(one, path) else findings[DATA]
            if one not in group:
                group.append(one)
    rows = {level: tables.count(level) for level in ("image", "category", "label")}
    return {
        "labels": None if files.labels is None else shown(files.labels),
        "predictions": {name: shown(path) for name, path in files.predictions.items()},
        "images": None if files.images is None else shown(files.images),
        "rows": {**rows, "prediction": predictions},
        "counts": _counts(findings),
        "findings": {name: [one.as_dict() for one in found] for name, found in findings.items()},
        "mended": _mended(files, fix),
    }


def _images(files: DatasetFiles, tables: Tables) -> Path | None:
    """The folder to look into; none where there are classes of data rows that are no files."""
    named = tables.image["file_name"].null_count < tables.count("image")
    if holds_classes(tables) and (not named or _are_elsewhere(files)):
        return None
    return files.images


def _are_elsewhere(files: DatasetFiles) -> bool:
    """Whether nobody said where images are, and the dataset folder holds none: they are not what is checked."""
    return files.images == files.root and "images" not in files.settings and not holds_images(files.root)


def _without_images(files: DatasetFiles, tables: Tables) -> list[Finding]:
    """Data rows of classes that are called like image files where there are no images at all."""
    names = one_chunk(tables.image["file_name"])
    if not holds_classes(tables) or names.null_count == len(names) or not _are_elsewhere(files):
        return []
    return flagged("image-without-folder", names, valid(names))


def _of_answers(tables: Tables) -> list[Finding]:
    """What is odd in the answers to questions; text entities are answers to none."""
    if not holds_classes(tables) or "start" in tables.label.column_names:
        return []
    return questions(answers_of(tables), None)[1]


def _is_of_model(one: Finding, path: Path | None) -> bool:
    """Whether a finding is about a prediction file: by its code, or because that is what it names."""
    return one.code.startswith(("prediction", "mapping")) or one.examples in (("predictions",), (path and shown(path),))


def _counts(findings: dict[str, list[Finding]]) -> dict[str, int]:
    """Kinds of finding per severity."""
    counts = Counter(one.rule.severity for rows in findings.values() for one in rows)
    return {severity: counts[severity] for severity in SEVERITIES}


def _mended(files: DatasetFiles, fix: Path | None) -> list[dict[str, Any]]:
    if fix is None or files.labels is None:
        return []
    mended = mend(files.labels, fix, files.predictions, files.images, files.prob_categories)
    return [one.as_dict() | {"sentence": one.sentence()} for one in mended]
