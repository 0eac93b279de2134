"""Files → Answers: labels and predictions of any format that holds answers without geometry."""

from __future__ import annotations

import tempfile
from pathlib import Path

from msgspec import Struct

from qm_cli import answer_files, dataset, link_answers
from qm_cli.answers import Answers
from qm_cli.errors import UsageError
from qm_cli.ingest import answers_columnar, archives, category_map
from qm_cli.link_images import MATCH_BY
from qm_cli.link_predictions import Linking
from qm_cli.raw import RawPredictions


class AnswerSource(Struct, frozen=True):
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
    options = Linking(source.match_by, category_map.chosen(source.map_categories), source.missing_score)
    with tempfile.TemporaryDirectory(prefix="qm-") as name:
        places = [
            (_plain(path, Path(name) / side), path, _shown(path))
            for side, path in (("labels", source.labels), ("predictions", source.predictions))
        ]
        labels, kinds = answer_files.read_labels(*places[0])
        predictions = answer_files.read_predictions(*places[1])
        names = source.prob_categories
        if not names and isinstance(predictions, RawPredictions):
            names = answers_columnar.probability_names(predictions.keys)
        return link_answers.link(
            labels, kinds, predictions, _shown(source.predictions), options, names, source.unscored
        )


def _shown(path: Path) -> str:
    return "standard input" if path == dataset.STDIN else str(path)


def _plain(path: Path, folder: Path) -> Path:
    folder.mkdir()
    return archives.plain(dataset.on_disk(path), folder, _shown(path))
