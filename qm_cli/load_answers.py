"""Files → Answers: labels and predictions of any format that holds answers without geometry."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from qm_cli import dataset, link_answers
from qm_cli.answers import Answers
from qm_cli.errors import UsageError
from qm_cli.ingest import answers_columnar, answers_json, answers_npy, archives, category_map
from qm_cli.link_categories import CategoryMap
from qm_cli.link_images import MATCH_BY
from qm_cli.link_predictions import Linking
from qm_cli.raw import RawLabels, RawPredictions

LINES = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv")


@dataclass(frozen=True)
class AnswerSource:
    """What to read, and how; the options are those of `load.Source`.

    unscored: the score of predictions that have none where others have one; None leaves them out.
    """

    labels: Path
    predictions: Path
    match_by: str = "id"
    map_categories: str | None = None
    missing_score: float | None = None
    prob_categories: tuple[str, ...] = ()
    unscored: float | None = None


def load_answers(source: AnswerSource) -> Answers:
    """The linked answers of both files. Raises InputError, one line with the way out, for what cannot be used."""
    if source.match_by not in MATCH_BY:
        raise UsageError(f"--match-by: {source.match_by!r} is none of {', '.join(MATCH_BY)}", "")
    if source.labels == source.predictions and dataset.is_stream(source.labels):
        raise UsageError("standard input can be only one of the two files", "name the other file")
    options = Linking(source.match_by, _mapping(source.map_categories), source.missing_score)
    with tempfile.TemporaryDirectory(prefix="qm-") as name:
        labels, kinds = _labels(source.labels, Path(name) / "labels")
        predictions = _predictions(source.predictions, Path(name) / "predictions")
        names = source.prob_categories
        if not names and isinstance(predictions, RawPredictions):
            names = answers_columnar.probability_names(predictions.keys)
        return link_answers.link(
            labels, kinds, predictions, _shown(source.predictions), options, names, source.unscored
        )


def _mapping(option: str | None) -> CategoryMap:
    if option is None or option in ("name", "contiguous"):
        return option
    if not Path(option).is_file():
        raise UsageError(f"--map-categories: {option!r} is neither name, contiguous nor a file", "check the path")
    return category_map.read(Path(option))


def _shown(path: Path) -> str:
    return "standard input" if path == dataset.STDIN else str(path)


def _plain(path: Path, folder: Path) -> Path:
    folder.mkdir()
    return archives.plain(dataset.on_disk(path), folder, _shown(path))


def _kind(plain: Path, path: Path) -> str:
    """object | list | lines | table: by the content, and by the name where the content says nothing."""
    kind = archives.kind(plain, _shown(path))
    if kind in ("parquet", "arrow"):
        return "table"
    if kind == "list":
        return kind
    name = path.name.lower().removesuffix(".gz").removesuffix(".zst")
    if name.endswith(LINES) or (kind == "object" and _starts_a_second(plain)):
        return "lines"
    return "table" if kind == "other" else kind


def _starts_a_second(path: Path) -> bool:
    """Whether the first line holds a whole object and another line follows: JSON lines, whatever the name."""
    with path.open("rb") as file:
        first = file.readline(1 << 20).strip()
        return first.endswith(b"}") and file.readline(1 << 10).lstrip()[:1] == b"{"


def _labels(path: Path, folder: Path) -> tuple[RawLabels, dict[str, str]]:
    plain = _plain(path, folder)
    kind = _kind(plain, path)
    if kind != "table":
        return answers_json.read(plain, kind, _shown(path))
    raw = answers_columnar.read(plain, _shown(path))
    return RawLabels(raw.where, {}, {}, raw.columns, derived=True), {}


def _predictions(path: Path, folder: Path) -> RawPredictions | npt.NDArray[Any]:
    plain = _plain(path, folder)
    if answers_npy.is_npy(plain):
        return answers_npy.read(plain, _shown(path))
    kind = _kind(plain, path)
    if kind == "table":
        return answers_columnar.read(plain, _shown(path))
    raw, _ = answers_json.read(plain, kind, _shown(path))
    return RawPredictions(raw.where, raw.label, tuple(raw.label))
