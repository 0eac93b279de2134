"""Predictions → the images they are for: by id, by file name, by stem; and what would fit when ids do not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from qm_cli.arrays import compute as pc
from qm_cli.arrays import one_chunk, to_numpy
from qm_cli.errors import InputError
from qm_cli.findings import Finding, finding
from qm_cli.link_ids import Rows, distinct, linked, rows_of, shown, with_none
from qm_cli.raw import RawPredictions

FOLDERS = r"^.*[/\\]"
SUFFIX = r"(?i)\.(jpe?g|png|bmp|gif|tiff?|webp|ppm|pgm|jp2|avif|heic|dng)$"
LEADING_ZEROS = r"^0+([0-9]+)$"
MATCH_BY = ("id", "file_name", "stem")
ALIKE = ("image", "img_id", "imageId", "img", "filename", "image_name", "image_path", "file", "path")


def image_rows(raw: RawPredictions, image: pa.Table, match_by: str) -> tuple[Rows, list[Finding]]:
    """Row of each prediction's image, −1 for none, and how it was found when not by ids of one type."""
    if match_by == "id":
        rows, as_text = linked(raw.columns["image_id"], one_chunk(image["id"]))
        return rows, finding("ids-differ-in-type", [raw.where] if as_text else [])
    names = _names(raw)
    encoded = names.dictionary_encode()
    by_name = np.append(name_rows(encoded.dictionary, image, match_by), np.int32(-1))
    rows = by_name[with_none(encoded.indices)]
    matched = int((by_name[:-1] >= 0).sum())
    detail = f"{matched} of {len(by_name) - 1} images matched by {match_by}"
    return rows, finding("mapping-image", [raw.where], detail)


def _names(raw: RawPredictions) -> pa.Array:
    """What the file calls each image: the file_name, the name in its own image table, or the id as text."""
    column = raw.columns.get("file_name")
    if column is not None and column.type == pa.string():
        return column
    ids = raw.columns["image_id"]
    if raw.image_names:
        own = rows_of(ids, raw.image_names["id"]) if ids.type == raw.image_names["id"].type else None
        if own is not None and (own >= 0).all():
            return raw.image_names["file_name"].take(_indices(own))
    return ids.cast(pa.string())


def _indices(rows: Rows) -> pa.Array:
    return pa.Array.from_buffers(pa.int32(), len(rows), [None, pa.py_buffer(np.ascontiguousarray(rows))])


def name_rows(names: pa.Array, image: pa.Table, match_by: str) -> Rows:
    """Row of the image each distinct name stands for, −1 for none: the whole path, its last part or its stem.

    A last part or stem that several images share stands for none of them.
    """
    known = one_chunk(image["file_name"])
    if match_by == "stem":
        return _unambiguous(_stems(names), _stems(known))
    rows = _unambiguous(names, known)
    shorter = _unambiguous(_last_parts(names), _last_parts(known))
    return np.where(rows >= 0, rows, shorter)


def _unambiguous(names: pa.Array, known: pa.Array) -> Rows:
    rows = with_none(pc.index_in(names, value_set=known))
    encoded = known.dictionary_encode()
    codes = with_none(encoded.indices)
    shared = np.append(np.bincount(codes[codes >= 0], minlength=len(encoded.dictionary)) > 1, False)[codes]
    taken = np.append(shared, False)[rows]
    missing = to_numpy(pc.is_null(names))
    return np.where(taken | missing, np.int32(-1), rows)


def _last_parts(names: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(names, FOLDERS, "")


def _stems(names: pa.Array) -> pa.Array:
    """Last part without its image suffix; of a number also without leading zeros, as exporters drop them."""
    return pc.replace_substring_regex(pc.replace_substring_regex(_last_parts(names), SUFFIX, ""), LEADING_ZEROS, r"\1")


def missing(raw: RawPredictions, image: pa.Table, match_by: str, tolerant: bool) -> str:
    """What would help where no prediction says what image it is for. Raises InputError with it, unless tolerant."""
    cause = _fitting(raw, image, 0, match_by)
    lacking = raw.lacking("image_id", ALIKE)
    if not tolerant:
        raise InputError(f"{raw.where}: {lacking}", cause or "write image_id")
    return cause or lacking


def unmatched(
    raw: RawPredictions, image: pa.Table, rows: Rows, match_by: str, tolerant: bool
) -> tuple[str, list[Finding]]:
    """What would fit better, in words, and a finding when less than half of the image ids are the labels'.

    Raises InputError when not a single one is (unless tolerant): the two files cannot be meant for each other so.
    """
    ids = distinct(raw.columns["image_id"])
    matched = len(distinct(raw.columns["image_id"], rows >= 0))
    cause = _fitting(raw, image, matched, match_by)
    counted = f"{matched} of its {len(ids)} image ids match"
    detail = f"{counted}; {cause}" if cause else counted
    if matched == 0 and len(ids) and not tolerant:
        known = shown(one_chunk(image["id"]))
        raise InputError(
            f"{raw.where}: none of its {len(ids)} image ids ({shown(ids)}) is among the {image.num_rows} images of the "
            f"labels ({known})",
            cause or "are both files of one set?",
        )
    other = 2 * matched < len(ids)
    return detail, finding("prediction-other-set", ids.to_pylist(), detail) if other else []


def _fitting(raw: RawPredictions, image: pa.Table, matched: int, match_by: str) -> str:
    """The other way of matching that fits most images, if it fits more than now."""
    names, ids = distinct(_names(raw)), distinct(raw.columns["image_id"])
    fits = {by: int((name_rows(names, image, by) >= 0).sum()) for by in MATCH_BY[1:] if by != match_by}
    if match_by != "id":
        fits["id"] = int((linked(ids, one_chunk(image["id"]))[0] >= 0).sum())
    best = max(fits, key=lambda by: fits[by])
    count = len(ids if best == "id" else names)
    return f"--match-by {best} would match {fits[best]} of {count}" if fits[best] > matched else ""
