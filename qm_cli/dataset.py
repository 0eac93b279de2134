"""A dataset folder → which files are its labels, predictions and images, by convention, `qm.toml` and options."""

from __future__ import annotations

import atexit
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from qm_cli import storage
from qm_cli.console import say
from qm_cli.errors import InputError, first_of, nearest
from qm_cli.label_candidates import json_files, names_annotations
from qm_cli.storage import shown

SETTINGS_FILE = "qm.toml"
SETTINGS = ("labels", "predictions", "images", "prob_categories", "embeddings")
EMBEDDING_FILES = ("embeddings.npy", "embeddings.parquet")
PACKED = ("", ".gz", ".zst")
LABEL_ENDINGS = tuple(f".json{packing}" for packing in PACKED)
PREDICTION_ENDINGS = (*LABEL_ENDINGS, ".parquet", ".arrow", ".feather")
LABEL_PLACES = "labels.json, annotations/*.json or Annotations/*.xml"
LAYOUT = f"{LABEL_PLACES}, predictions.json or predictions/*.json, images/"
RUN_FOLDER = "qm-run"
EXAMPLES = 5
LINE_ENDINGS = tuple(f"{ending}{packing}" for ending in (".jsonl", ".ndjson", ".csv", ".tsv") for packing in PACKED)
TABLE_LABEL_ENDINGS = (*LINE_ENDINGS, ".parquet", ".arrow", ".feather")
TABLE_PREDICTION_ENDINGS = (*LINE_ENDINGS, ".npy")
"""Files of classes and text, taken where no other file of labels or predictions is there."""
STDIN = Path("-")
VOC_FOLDERS = ("Annotations", "annotations")
IMAGE_FOLDERS = ("images", "JPEGImages")


class DatasetFiles(Struct, frozen=True):
    """What a dataset folder holds. predictions: file by model name. settings: the content of qm.toml.

    embeddings: a file with a vector per image.
    """

    root: Path
    labels: Path | None
    predictions: dict[str, Path]
    images: Path | None
    settings: dict[str, Any] = field(default_factory=dict)
    embeddings: Path | None = None

    @property
    def prob_categories(self) -> tuple[str, ...]:
        """The order of class probabilities as qm.toml gives it, empty for the label file's."""
        value = self.settings.get("prob_categories", [])
        if not isinstance(value, list):
            where = shown(self.root / SETTINGS_FILE)
            message = f"{where}: prob_categories: expected a list, got {value!r}"
            raise InputError(message, 'prob_categories = ["car", …]')
        return tuple(str(name) for name in value)


def find(
    folder: Path,
    labels: Path | None = None,
    predictions: Sequence[Path] = (),
    images: Path | None = None,
    embeddings: Path | None = None,
) -> DatasetFiles:
    """The files of a dataset; options win over qm.toml, and both over the convention.

    `images = false` in qm.toml says that there are none, so that none is missed.
    Raises InputError for a missing folder, a file in its place, an unknown key in qm.toml, several candidates for the
    labels, a named file that is missing, and a folder in which there is nothing to work on.
    """
    folder = storage.local(folder)
    _refuse_no_folder(folder)
    settings = _settings(folder)
    found_labels = _existing(labels, "--labels") or _set_path(folder, settings, "labels") or _labels(folder)
    models = _given_models(predictions) or _set_models(folder, settings) or _models(folder)
    pictures = _existing(images, "--images")
    if pictures is None and settings.get("images") is not False:
        pictures = _set_path(folder, settings, "images") or _images(folder, found_labels)
    if found_labels is None:
        _tell_of_labels(folder, pictures, set(models.values()))
    vectors = _existing(embeddings, "--embeddings") or _set_path(folder, settings, "embeddings") or _vectors(folder)
    return DatasetFiles(folder, found_labels, models, pictures, settings, vectors)


def _tell_of_labels(folder: Path, images: Path | None, predictions: set[Path]) -> None:
    """Name the files that may be the labels. Raises InputError where there is nothing else to work on."""
    files = [file for file in json_files(folder, (*IMAGE_FOLDERS, RUN_FOLDER)) if file not in predictions]
    alike = [path for path in files if names_annotations(path)]
    if alike:
        names = first_of([str(path.relative_to(folder)) for path in alike], EXAMPLES)
        looks = "looks like COCO labels" if len(alike) == 1 else "look like COCO labels"
        message = f"{folder}: no labels: looked for {LABEL_PLACES}; {names} {looks}"
        hint = f"write: qm score {folder if images else alike[0].parent} --labels {alike[0]}"
        if images is None and not predictions:
            raise InputError(message, hint)
        say(f"qm: {message} ({hint})")
    elif images is None and not predictions:
        names = ", ".join(str(path.relative_to(folder)) for path in files[:EXAMPLES])
        if (folder / "run.json").is_file():
            raise InputError(f"{shown(folder)}: is a run folder", "name the dataset that it was scored from")
        found = f"; no COCO labels are in {names}" if files else ""
        raise InputError(f"{shown(folder)}: no labels, predictions or images found{found}", f"expected {LAYOUT}")


def is_stream(path: Path) -> bool:
    """Standard input, or what can be read only once and only from the start: a pipe, a device, an object store."""
    return (
        path == STDIN
        or storage.uri_of(path) is not None
        or (path.exists() and not path.is_file() and not path.is_dir())
    )


def on_disk(path: Path) -> Path:
    """The path itself; for a stream a temporary file with all that came out of it, removed at the end.

    For a folder of an object store a temporary one with all its files; for a name that is no UTF-8 a link to it.
    """
    return _spooled(path) if is_stream(path) else storage.by_text(path)


@cache
def _spooled(path: Path) -> Path:
    folder = tempfile.mkdtemp(prefix="qm-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = Path(folder) / ("stream" if path == STDIN else path.name)
    if storage.uri_of(path):
        if storage.is_folder(path):
            storage.fetch_folder(str(path), target)
        else:
            storage.fetch(path, target)
        return target
    with target.open("wb") as file, nullcontext(sys.stdin.buffer) if path == STDIN else path.open("rb") as stream:
        shutil.copyfileobj(stream, file)
    return target


def model_name(path: Path) -> str:
    """File name without what tells its format: better.json.gz → better. Bytes that are no UTF-8 stand as \\udc80 …"""
    name = path.name.encode(errors="backslashreplace").decode()
    for ending in sorted((*PREDICTION_ENDINGS, *TABLE_PREDICTION_ENDINGS), key=len, reverse=True):
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return "stdin" if path == STDIN else name


def _refuse_no_folder(folder: Path) -> None:
    if storage.is_folder(folder):
        return
    if storage.exists(folder):
        hint = "name the folder, or give the file by --labels"
        raise InputError(f"{shown(folder)}: a file, not a dataset folder", hint)
    raise InputError(f"{shown(folder)}: no such folder", "check the path")


def _settings(folder: Path) -> dict[str, Any]:
    path = folder / SETTINGS_FILE
    if not storage.is_file(path):
        return {}
    import tomllib

    try:
        content = tomllib.loads(storage.read(str(folder), SETTINGS_FILE).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{shown(path)}: not valid TOML: {error}", "see docs/formats.md for an example") from None
    for key in content:
        if key not in SETTINGS:
            hint = nearest(key, list(SETTINGS)) or f"known keys: {', '.join(SETTINGS)}"
            raise InputError(f"{shown(path)}: unknown key {key!r}", hint)
    return content


def _existing(path: Path | None, what: str) -> Path | None:
    if path is None or path == STDIN or storage.exists(path):
        return path
    raise InputError(f"{shown(path)}: no such file or folder", f"named by {what}")


def _set_path(folder: Path, settings: dict[str, Any], key: str) -> Path | None:
    value = settings.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        hint = f'{key} = "…"' + (" or false" if key == "images" else "")
        raise InputError(f"{shown(folder / SETTINGS_FILE)}: {key}: expected a path, got {value!r}", hint)
    return _existing(_placed(folder, value), f"{key} in {shown(folder / SETTINGS_FILE)}")


def _placed(folder: Path, value: str) -> Path:
    """A path of qm.toml: relative to the folder, absolute, or a URI."""
    return Path(value) if storage.uri_of(value) else folder / value


def _given_models(paths: Sequence[Path]) -> dict[str, Path]:
    return _named([path for path in paths if _existing(path, "--predictions")])


def _set_models(folder: Path, settings: dict[str, Any]) -> dict[str, Path]:
    value = settings.get("predictions")
    if value is None:
        return {}
    where = f"predictions in {shown(folder / SETTINGS_FILE)}"
    named = value if isinstance(value, dict) else None
    paths = list(named.values()) if named is not None else [value] if isinstance(value, str) else value
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise InputError(f"{where}: expected a path, a list of paths or a table name → path, got {value!r}", "")
    files = [_placed(folder, path) for path in paths]
    for file in files:
        _existing(file, where)
    return dict(zip(named, files, strict=True)) if named is not None else _named(files)


def _named(paths: list[Path]) -> dict[str, Path]:
    """Models by name; a folder stands for the files in it. Two files of one name are told apart by their folders."""
    files = [file for path in paths for file in (_prediction_files(path) if storage.is_folder(path) else [path])]
    models: dict[str, Path] = {}
    for file in files:
        name = model_name(file)
        name = name if name not in models else f"{file.parent.name}/{name}"
        if name in models:
            taken = f"the model name {name!r} is taken by {shown(models[name])}"
            raise InputError(f"{shown(file)}: {taken}", "rename one of the files")
        models[name] = file
    return models


def _prediction_files(folder: Path) -> list[Path]:
    return _candidates(folder, PREDICTION_ENDINGS) or _candidates(folder, TABLE_PREDICTION_ENDINGS)


def _candidates(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Visible files of the folder with one of the endings, in natural order."""
    if not storage.is_folder(folder):
        return []
    names = (name for name in storage.file_names(folder) if not name.startswith("."))
    return sorted((folder / name for name in names if name.lower().endswith(endings)), key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts epoch2 before epoch10."""
    parts = re.split(r"([0-9]+)", path.name)
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts]


def _labels(folder: Path) -> Path | None:
    beside = _there(folder, "labels", LABEL_ENDINGS)
    candidates = [*beside, *_candidates(folder / "annotations", LABEL_ENDINGS)]
    candidates += [] if candidates else [folder / name for name in VOC_FOLDERS if _holds_voc(folder / name)]
    candidates = candidates or _there(folder, "labels", TABLE_LABEL_ENDINGS)
    if len(candidates) > 1:
        names = ", ".join(str(path.relative_to(folder)) for path in candidates)
        raise InputError(f"{shown(folder)}: more than one label file: {names}", "choose one by --labels or in qm.toml")
    return candidates[0] if candidates else None


def _holds_voc(folder: Path) -> bool:
    return storage.is_folder(folder) and any(name.endswith(".xml") for name in storage.file_names(folder))


def _there(folder: Path, name: str, endings: tuple[str, ...]) -> list[Path]:
    """The files of the name, with any of the endings, that are there."""
    return [path for ending in endings if storage.is_file(path := folder / f"{name}{ending}")]


def _models(folder: Path) -> dict[str, Path]:
    for endings in (PREDICTION_ENDINGS, TABLE_PREDICTION_ENDINGS):
        files = [*_there(folder, "predictions", endings), *_candidates(folder / "predictions", endings)]
        if files:
            return _named(files)
    return {}


def _images(folder: Path, labels: Path | None) -> Path | None:
    """The folder `images`; with a label file else the dataset folder itself, below which its file names may lie."""
    for name in IMAGE_FOLDERS:
        if storage.is_folder(folder / name):
            return folder / name
    return folder if labels is not None else None


def _vectors(folder: Path) -> Path | None:
    """The file of embeddings beside the labels."""
    found = _there(folder, "", EMBEDDING_FILES)
    if len(found) > 1:
        raise InputError(
            f"{shown(folder)}: has {' and '.join(EMBEDDING_FILES)}", "keep one, or name it by --embeddings"
        )
    return found[0] if found else None
