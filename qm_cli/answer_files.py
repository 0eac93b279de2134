"""Which form a file of answers has, and its raw columns or matrix: one reader for every command."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy.typing as npt

from qm_cli import dataset, json_lists
from qm_cli.answer_task import GEOMETRY, beginning, document_of_answers
from qm_cli.errors import InputError
from qm_cli.ingest import (
    answers_columnar,
    answers_json,
    answers_npy,
    archives,
    predictions_columnar,
)
from qm_cli.json_lines import first_object, starts_a_second
from qm_cli.raw import RawLabels, RawPredictions

LINES = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv")
NPY = "npy"
SHAPES = frozenset(key.decode().strip('"') for key in GEOMETRY)
ROW_IDS = frozenset(("image_id", "data_row_id", "id", "dataRow"))
NAMED = frozenset(("category_id", "category", "category_name", "label", "answer", "probs", "location"))
CATEGORIES = frozenset(("category_id", "category", "category_name", "label", "probs"))
SPANS = frozenset(("start", "span"))
FIELD = re.compile(rb'"(\w+)"\s*:')
NAMED_ANSWER = re.compile(rb'"answer"\s*:\s*[{\[]')
"""The answer to a question of classes, as Labelbox writes it."""
HEAD = 1 << 16
OWN = frozenset(("answer", "start", "span"))
"""Fields that objects do not have, whatever else there is."""


def form(plain: Path, path: Path, where: str) -> str:
    """object | list | lines | table | npy: by the content, and by the name where the content says nothing.

    plain: the file as it is on disk, unpacked; path: as it was given.
    """
    if answers_npy.is_npy(plain):
        return NPY
    kind = archives.kind(plain, where)
    if kind in ("parquet", "arrow"):
        return "table"
    if kind == "list":
        return kind
    if _bare(path).endswith(LINES) or (kind == "object" and starts_a_second(plain)):
        return "lines"
    return "table" if kind == "other" else kind


def holds_answers(path: Path) -> bool:
    """Whether a file holds answers as COCO's fields do not say them: told from its form, its first row, or its names.

    COCO's own rows without a box are read with objects, and so is what is not there.
    """
    if path.is_dir() or not (path == dataset.STDIN or path.exists()):
        return False
    with tempfile.TemporaryDirectory(prefix="qm-") as folder:
        plain = beginning(dataset.on_disk(path), Path(folder))
        if holds_no_objects(plain, path, str(path)):
            return True
        kind = archives.kind(plain, str(path))
        if kind == "object":
            return document_of_answers(plain)
        columnar = kind in ("parquet", "arrow")
        first = (predictions_columnar if columnar else json_lists).first_prediction(plain)
        return names_an_answer({name for name, value in first.items() if value not in (None, [])})


def holds_no_objects(plain: Path, path: Path, where: str) -> bool:
    """Whether the form says so: CSV, NumPy, and JSON lines the first of which has no shape hold answers."""
    if answers_npy.is_npy(plain) or _bare(path).endswith((*TABLES, ".npy")):
        return True
    lines = _bare(path).endswith(LINES) or (archives.kind(plain, where) == "object" and starts_a_second(plain))
    return lines and not any(first_object(plain).get(name) for name in SHAPES)


def names_an_answer(fields: Collection[str]) -> bool:
    """Whether the filled fields of a row are those of an answer, and not those of a COCO result.

    >>> names_an_answer(["id", "category"]), names_an_answer(["image_id", "category_id", "score"])
    (True, False)
    """
    given = set(fields)
    if given & SHAPES or not given & ROW_IDS:
        return False
    if given & OWN:
        return True
    coco = "image_id" in given and not given.isdisjoint(("category_id", "probs", "logits"))
    probable = any(name.startswith(answers_columnar.PROBABILITY) for name in given)
    return not coco and (probable or bool(given & NAMED))


def holds_text(path: Path) -> bool:
    """Whether a file's first rows are text entities, or free text without any category."""
    with tempfile.TemporaryDirectory(prefix="qm-") as folder:
        plain = beginning(dataset.on_disk(path), Path(folder))
        if answers_npy.is_npy(plain):
            return False
        fields = _first_fields(plain)
    if fields & CATEGORIES:
        return bool(fields & SPANS)
    return bool(fields & {*SPANS, "answer"})


def _first_fields(plain: Path) -> set[str]:
    """The names that the beginning of a file gives its columns or fields; `category` too for answers with names."""
    if answers_columnar.path_is_columnar(plain):
        return set(answers_columnar.column_names(plain))
    with plain.open("rb") as file:
        head = file.read(HEAD)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{"):
        named = {"category"} if NAMED_ANSWER.search(head) else set()
        return named | {name.decode() for name in FIELD.findall(head)}
    return set(re.split(r"[,\t]", head.partition(b"\n")[0].decode("utf-8-sig", "replace").strip().replace('"', "")))


def _bare(path: Path) -> str:
    return path.name.lower().removesuffix(".gz").removesuffix(".zst")


def read_labels(plain: Path, path: Path, where: str) -> tuple[RawLabels, dict[str, str]]:
    """Raw labels, and the declared type of each question. Messages call the file `where`."""
    kind = form(plain, path, where)
    if kind == NPY:
        raise InputError(f"{where}: class probabilities are no labels", "write labels as JSON, JSONL, CSV or Parquet")
    if kind != "table":
        return answers_json.read(plain, kind, where)
    raw = answers_columnar.read(plain, where)
    return RawLabels(raw.where, {}, {}, raw.columns, derived=True), {}


def read_predictions(plain: Path, path: Path, where: str) -> RawPredictions | npt.NDArray[Any]:
    """Raw predictions, or a matrix of class probabilities. Messages call the file `where`."""
    kind = form(plain, path, where)
    if kind == NPY:
        return answers_npy.read(plain, where)
    if kind == "table":
        return answers_columnar.read(plain, where)
    raw, _ = answers_json.read(plain, kind, where)
    return RawPredictions(raw.where, raw.label, tuple(raw.label))
