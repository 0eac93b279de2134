"""Images of one set that another one holds too, exactly, nearly or as parts of one recording: `qm leakage`, as data."""

from __future__ import annotations

import re
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from qm_cli.arrays import compute, objects, one_chunk, strings_to_arrow, to_numpy, valid
from qm_cli.errors import InputError, UsageError
from qm_cli.kernels.hamming_across import nearest_across
from qm_cli.kernels.perceptual import bits_of
from qm_cli.report import report_of
from qm_cli.request import Request
from qm_cli.run import ScoredDataset, score_mentioned
from qm_cli.run_columns import one_model
from qm_cli.run_folder import DEFAULT_NAME, Run, is_run, open_run
from qm_cli.run_tables import settings_of_run, tables_of_run
from qm_cli.storage import shown
from qm_cli.subset import only_images

Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.object_]
HASHES = ("pixel_hash", "perceptual_hash")
RECORDING = "video_id"
NONE = -1


class Images(Struct, frozen=True):
    """The images of one set. recording: what each was recorded in, null where that is not known."""

    target: str
    id: Values
    file_name: Values
    pixel_hash: pa.Array
    perceptual_hash: pa.Array
    recording: pa.Array
    run: Run | None


def leakage(
    train: Path, validation: Path, radius: int = 4, recording: str | None = None, model: str | None = None
) -> dict[str, Any]:
    """Which images of `validation` are in `train`, by the strongest of three kinds: exact, near, recording.

    Both are run folders, or dataset folders whose images are then hashed. radius: bits of 64 in which perceptual hashes
    of near images differ at most. recording: a regular expression on file names whose first group, else whole match,
    names the recording; without one `video_id` does, where both sets have it. A run's evaluation is given with all
    images and without those that leak. Raises UsageError for a pattern or a model that does not fit.
    """
    pattern = _pattern(recording)
    known, held = _images(train, pattern, None), _images(validation, pattern, model)
    found = {"exact": _equal(held.pixel_hash, known.pixel_hash), "near": NONE, "recording": NONE}
    found["near"], distance = _near(held, known, radius)
    found["recording"] = _equal(held.recording, known.recording)
    kinds = _strongest(found)
    leaked = np.flatnonzero(kinds != "")
    rows = [_row(held, known, int(row), str(kinds[row]), found, distance) for row in leaked]
    return {
        "train": {"target": known.target, "images": len(known.id)},
        "validation": {"target": held.target, "images": len(held.id)},
        "radius": radius,
        "recording": recording or (RECORDING if known.recording.null_count < len(known.id) else None),
        "leaked": len(leaked),
        "share": len(leaked) / len(held.id) if len(held.id) else None,
        "counts": {kind: int(np.count_nonzero(kinds == kind)) for kind in found},
        "images": rows,
        "evaluation": _evaluations(held.run, kinds == ""),
        "notes": [*_notes(known), *_notes(held)],
    }


def _pattern(recording: str | None) -> re.Pattern[str] | None:
    if recording is None:
        return None
    try:
        return re.compile(recording)
    except re.error as error:
        raise UsageError(f"--recording {recording!r}: {error}", r"write e.g. --recording '^(.+)_\d+\.jpg$'") from error


def _images(target: Path, pattern: re.Pattern[str] | None, model: str | None) -> Images:
    source: Run | ScoredDataset
    if is_run(target) or is_run(target / DEFAULT_NAME):
        source = run = open_run(target, model)
    else:
        source, run = score_mentioned(Request(target), " ".join(HASHES)), None
    columns = source.columns("image")
    missing = [name for name in HASHES if name not in columns]
    if missing:
        raise InputError(f"{shown(target)}: its images have no {missing[0]}", _way_to_hashes(target, run))
    wanted = ["id", "file_name", *HASHES, *([RECORDING] if RECORDING in columns else [])]
    table = source.table("image", wanted)
    names = objects(table["file_name"].to_pylist())
    recorded = one_chunk(table[RECORDING]) if RECORDING in wanted else pa.nulls(len(names))
    if pattern is not None:
        recorded = strings_to_arrow([_recording(pattern, name) for name in names])
        if len(names) and recorded.null_count == len(names):
            raise UsageError(
                f"{target}: --recording {pattern.pattern!r} fits no file name", f"the first is {names[0]!r}"
            )
    pixel_hash, perceptual_hash = (one_chunk(table[name]) for name in HASHES)
    ids = objects(table["id"].to_pylist())
    return Images(str(target), ids, names, pixel_hash, perceptual_hash, recorded, run)


def _way_to_hashes(target: Path, run: Run | None) -> str:
    """The command that gives a run with hashes, beside the one that has none."""
    tried = set() if run is None else {one["metric"] for one in run.summary()["skipped"]}
    if run is None or run.manifest["images"] is None or tried & {f"image.{name}" for name in HASHES}:
        return "its image files were not there: score it with --images FOLDER"
    dataset = target if run.path != target else target.parent if target.name == DEFAULT_NAME else None
    place, fresh = ("DATASET", "NEW") if dataset is None else (quote(str(dataset)), quote(f"{dataset}-hashes"))
    metrics = ",".join(f"image.{name}" for name in HASHES)
    return f"compare a run that has them: qm score {place} --metrics {metrics} -o {fresh}"


def _recording(pattern: re.Pattern[str], name: str | None) -> str | None:
    match = pattern.search(name or "")
    if match is None:
        return None
    whole: str | None = match.group(1) if pattern.groups else match.group(0)
    return whole


def _one_form(values: pa.Array) -> pa.Array:
    """Texts as strings, in whatever form they were written."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _one_form(values.dictionary_decode())
    return values.cast(pa.string()) if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else values


def _equal(values: pa.Array, others: pa.Array) -> Rows:
    """Row of the first of `others` that is equal, −1 for none and for null: int64[n]. A text equals no number."""
    values, others = _one_form(values), _one_form(others)
    kinds = {pa.types.is_string(one.type) for one in (values, others)}
    if len(kinds) > 1 or any(pa.types.is_null(one.type) for one in (values, others)):
        return np.full(len(values), NONE, np.int64)
    found = compute.index_in(values, value_set=others, skip_nulls=True)
    return np.where(valid(found), to_numpy(found), NONE).astype(np.int64)


def _near(held: Images, known: Images, radius: int) -> tuple[Rows, Rows]:
    """Row of the image that looks most alike, and in how many bits it differs: int64[n] twice, −1 for none."""
    rows, hashes = _hashes(held)
    known_rows, known_hashes = _hashes(known)
    found, bits = nearest_across(hashes, known_hashes, radius)
    near, distance = np.full(len(held.id), NONE, np.int64), np.full(len(held.id), NONE, np.int64)
    hit = found >= 0
    near[rows[hit]], distance[rows[hit]] = known_rows[found[hit]], bits[hit]
    return near, distance


def _hashes(images: Images) -> tuple[Rows, npt.NDArray[np.uint64]]:
    return np.flatnonzero(valid(images.perceptual_hash)), bits_of(images.perceptual_hash.drop_null().to_pylist())


def _strongest(found: dict[str, Any]) -> npt.NDArray[np.str_]:
    """The first kind that holds for each image, an empty word for none."""
    kinds = np.full(len(found["exact"]), "", "<U9")
    for kind in reversed(found):
        kinds[found[kind] >= 0] = kind
    return kinds


def _row(held: Images, known: Images, row: int, kind: str, found: dict[str, Any], distance: Rows) -> dict[str, Any]:
    other = int(found[kind][row])
    return {
        "id": held.id[row],
        "file_name": held.file_name[row],
        "kind": kind,
        "train_id": known.id[other],
        "train_file_name": known.file_name[other],
        "bits": int(distance[row]) if kind == "near" else 0 if kind == "exact" else None,
        "recording": held.recording[row].as_py() if kind == "recording" else None,
    }


def _evaluations(run: Run | None, kept: npt.NDArray[np.bool_]) -> dict[str, Any] | None:
    """The run's numbers with all images and without those that leak; None where there is nothing to evaluate."""
    if run is None or not run.models or "prediction" not in run.table_names():
        return None
    one_model(run)
    if run.summary()["models"][run.model or run.models[0]] is None:
        return None
    tables, settings = tables_of_run(run), settings_of_run(run)
    parts = {"all": tables, "without_leaked": only_images(tables, kept)}
    return {
        name: {"images": part.count("image"), **report_of(part, settings)["metrics"]}
        for name, part in parts.items()
        if part.count("image")
    }


def _notes(images: Images) -> list[str]:
    unread = images.pixel_hash.null_count
    return [f"{images.target}: {unread} images could not be read and are not compared"] if unread else []
