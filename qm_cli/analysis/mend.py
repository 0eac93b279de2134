"""Mended copies of label and prediction files: what can be put right is, the rest is left out, and all of it listed."""

from __future__ import annotations

import gzip
import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from qm_cli import dataset, storage
from qm_cli.analysis.mend_rows import Log, Mended, Row, mend_annotations, mend_predictions
from qm_cli.errors import InputError, UsageError

MARKER = "# written by qm check --fix, which may write it anew"
LABELS, PREDICTIONS = "labels.json", "predictions"
TABLE = {".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".arrow", ".npy"}
WRITTEN = {LABELS, PREDICTIONS, dataset.SETTINGS_FILE}


def mend(
    labels: Path,
    output: Path,
    predictions: Mapping[str, Path] | None = None,
    images: Path | None = None,
    prob_categories: Sequence[str] = (),
) -> list[Mended]:
    """Write mended copies and say what was mended. The originals are only read.

    output: a new .json file for the labels alone; else a folder, which becomes a dataset: labels.json,
    predictions/MODEL.json and a qm.toml that names the images and the order of probabilities. Unknown fields are kept.
    Raises InputError for files that are no JSON of these kinds, UsageError when something else is in the place.
    """
    alone = _is_file(output)
    refuse_foreign(output, [labels, *(predictions or {}).values()])
    document = _document(labels)
    log = Log(labels.name)
    sizes = _mend_entries(document, log)
    names = {category["id"] for category in document["categories"]}
    document["annotations"] = mend_annotations(document.get("annotations") or [], sizes, names, log)
    files: dict[str, Any] = {LABELS: document}
    mended = log.mended()
    for model, path in () if alone else (predictions or {}).items():
        log = Log(path.name)
        rows = _predictions(path)
        kept = mend_predictions(rows, sizes, names, log)
        if rows and not kept:
            raise InputError(f"{path}: nothing would be left", "no row can be used; qm check says what would fit")
        files[f"{PREDICTIONS}/{model.replace('/', '-')}.json"] = kept
        mended += log.mended()
    content = {name: msgspec.json.encode(value) for name, value in files.items()}
    try:
        if alone:
            _write_file(output, content[LABELS])
        else:
            settings = _settings(output, images, prob_categories)
            _write_folder(output.resolve(), content | {dataset.SETTINGS_FILE: settings.encode()})
    except OSError as error:
        raise InputError(f"{output}: cannot be written: {error.strerror}", "name another place") from None
    return mended


def _is_file(output: Path) -> bool:
    """Whether the output is a label file rather than a folder."""
    return output.suffix == ".json"


def refuse_foreign(output: Path, inputs: Sequence[Path] = ()) -> None:
    """Raises UsageError where a mended copy would replace anything but an earlier one."""
    for place in (output, output / LABELS):
        if any(source.exists() and place.exists() and place.samefile(source) for source in inputs):
            raise UsageError(f"{place}: is an input; a mended copy never replaces it", "name another place")
    if not output.exists():
        return
    if _is_file(output) or not output.is_dir():
        raise UsageError(f"{output}: exists already, and nothing of yours is replaced", "name another place")
    entries = {entry.name for entry in output.iterdir()}
    settings = output / dataset.SETTINGS_FILE
    own = settings.is_file() and settings.read_bytes().startswith(MARKER.encode())
    foreign = sorted(entries - WRITTEN if own else entries)
    if foreign:
        found = f"{', '.join(foreign[:3])}{', …' if len(foreign) > 3 else ''}"
        raise UsageError(f"{output}: the folder holds {found}", "name a new folder, or one of an earlier --fix")


def _document(path: Path) -> Row:
    document = _decoded(path)
    keys = ("images", "categories")
    if not isinstance(document, dict) or not all(_are_rows(document.get(key)) for key in keys):
        raise InputError(f"{path}: no COCO label file", "only labels with images and categories can be mended")
    if not _are_rows(document.get("annotations") or []):
        raise InputError(f"{path}: annotations is no list of objects", "only a COCO label file can be mended")
    return document


def _predictions(path: Path) -> list[Row | None]:
    content = _decoded(path)
    rows: Any = content.get("predictions", content.get("annotations")) if isinstance(content, dict) else content
    if not _are_rows(rows):
        raise InputError(f"{path}: no list of predictions", "only a COCO results list can be mended")
    return list(rows)


def _are_rows(rows: Any) -> bool:
    return isinstance(rows, list) and all(row is None or isinstance(row, dict) for row in rows)


def _decoded(path: Path) -> Any:
    """JSON, packed or not."""
    path = dataset.on_disk(path)
    if path.is_dir():
        raise InputError(f"{path}: a folder of files cannot be mended", "--fix mends COCO JSON alone")
    if TABLE & set(path.suffixes):
        raise InputError(f"{path}: a table cannot be mended", "--fix mends COCO JSON alone")
    content = path.read_bytes()
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        elif content[:4] == b"\x28\xb5\x2f\xfd":
            content = pa.CompressedInputStream(pa.BufferReader(content), "zstd").read()
        return msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (OSError, EOFError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: cannot be mended: {error}", "only whole, valid JSON can be") from None


def _settings(folder: Path, images: Path | None, prob_categories: Sequence[str]) -> str:
    """The qm.toml of a mended folder: it finds the images where they are, and misses none where there were none."""
    lines = [MARKER]
    if images is None:
        lines.append("images = false")
    else:
        place = storage.uri_of(images) or os.path.relpath(images.resolve(), folder.resolve())
        lines.append(f"images = {json.dumps(place, ensure_ascii=False)}")
    if prob_categories:
        lines.append(f"prob_categories = {json.dumps(list(prob_categories), ensure_ascii=False)}")
    return "\n".join([*lines, ""])


def _write_file(target: Path, content: bytes) -> None:
    """Whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.write_bytes(content)
    part.replace(target)


def _write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Whole or not at all: written beside its place and moved in."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as beside:
        fresh, old = Path(beside) / "new", Path(beside) / "old"
        for name, content in files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(content)
        if target.exists():
            target.rename(old)
        try:
            fresh.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise


def _mend_entries(document: Row, log: Log) -> dict[Any, tuple[float, float]]:
    """Images and categories: each id once, no size below 0. The size of each image, NaN where it has none."""
    for level, key in (("image", "images"), ("category", "categories")):
        kept: dict[Any, Row] = {}
        for place, entry in enumerate(document[key]):
            if entry is None or entry.get("id") is None:
                log.add(f"{level}-missing-id", "removed", place)
            elif entry["id"] in kept:
                log.add(f"{level}-duplicate-id", "removed", entry["id"])
            else:
                kept[entry["id"]] = entry
        document[key] = list(kept.values())
    sizes = {}
    for image in document["images"]:
        size = [image.get(side) for side in ("width", "height")]
        if any(side is not None and side <= 0 for side in size):
            log.add("image-bad-size", "size removed", image["id"])
            image.pop("width", None), image.pop("height", None)
            size = [None, None]
        sizes[image["id"]] = (math.nan, math.nan) if None in size else (float(size[0]), float(size[1]))
    return sizes
