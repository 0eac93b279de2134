"""Gates on the images of a run: copies, near copies, unreadable files, findings by code, and images of another run."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.analysis.gate_checks import Ceiling, DataRules, Leakage
from qm_cli.analysis.gating import counted
from qm_cli.arrays import compute, one_chunk, to_numpy, valid
from qm_cli.errors import InputError
from qm_cli.kernels.hamming_across import nearest_across
from qm_cli.kernels.perceptual import bits_of
from qm_cli.run_folder import Run, open_run

BoolArray = npt.NDArray[np.bool_]
COPIES = {"exact_duplicates": "duplicate_group", "near_duplicates": "near_duplicate_group"}
WORDS = {
    "exact_duplicates": "have the pixels of an earlier one",
    "near_duplicates": "look nearly like an earlier one",
    "unreadable": "could not be read",
    "leakage": "are in the other run too",
}
PIXELS = "pixel_hash"
EXAMPLES = 3
DATA = "data"


def image_checks(run: Run, rules: DataRules) -> list[dict[str, Any]]:
    """One check per rule that is asked for. Raises InputError where the run has not what a rule needs."""
    checks = [
        _check(run, name, ceiling, copies(run, column))
        for name, column in COPIES.items()
        if (ceiling := getattr(rules, name)) is not None
    ]
    if rules.unreadable is not None:
        checks.append(_check(run, "unreadable", rules.unreadable, ~valid(_column(run, PIXELS))))
    checks += [_finding_check(run, code, ceiling) for code, ceiling in rules.findings]
    for leak in rules.leakage:
        checks.append(_check(run, "leakage", leak.ceiling, _leaked(run, leak), f"{leak.against.name}, {leak.by}"))
    return checks


def _column(run: Run, name: str) -> pa.Array:
    if name not in run.columns("image"):
        raise InputError(
            f"{run.path}: has no image.{name}", f"score its images: qm score DATASET --metrics image.{name}"
        )
    return one_chunk(run.table("image", [name])[name])


def copies(run: Run, column: str) -> BoolArray:
    """Images of a group whose first they are not: bool[images]."""
    group, own = _column(run, column), one_chunk(run.table("image", ["id"])["id"])
    differs = compute.not_equal(group.cast(pa.string()), own.cast(pa.string()))
    copies: BoolArray = to_numpy(compute.fill_null(differs, False))
    return copies


def _leaked(run: Run, leak: Leakage) -> BoolArray:
    """Images whose hash, or one near it, the other run has: bool[images]."""
    other = open_run(leak.against)
    if other.path.resolve() == run.path.resolve():
        raise InputError(f"{leak.against}: is the gated run itself", "name the run of the training data")
    own, known = _column(run, leak.by), _column(other, leak.by)
    if leak.by == PIXELS:
        shared: BoolArray = to_numpy(compute.is_in(own, value_set=known.drop_null())) & valid(own)
        return shared
    leaked = np.zeros(len(own), np.bool_)
    own_bits, known_bits = (bits_of(hashes.drop_null().to_pylist()) for hashes in (own, known))
    leaked[valid(own)] = nearest_across(own_bits, known_bits, leak.radius)[0] >= 0
    return leaked


def _check(run: Run, name: str, ceiling: Ceiling, found: BoolArray, of: str = "") -> dict[str, Any]:
    """A ceiling on the images under the mask; a share is of all images."""
    title = f"{name} ({of})" if of else name
    count, images = int(np.count_nonzero(found)), len(found)
    reason = f"{count} of {images} images {WORDS[name]} (first: {', '.join(_names(run, found))})" if count else ""
    return _row(title, name, ceiling, count, images, reason)


def _row(title: str, name: str, ceiling: Ceiling, count: int, rows: int, reason: str) -> dict[str, Any]:
    if ceiling.share is None:
        return counted(f"{DATA}: {title}", name, None, count, ceiling.count or 0, reason)
    share = count / rows if rows else None
    return counted(
        f"{DATA}: {title} share", name, None, share, float(ceiling.share), reason or "there are no rows", rows
    )


def _names(run: Run, found: BoolArray) -> list[str]:
    """The first images under the mask, as people call them."""
    table = run.table("image", ["id", *(["file_name"] if "file_name" in run.columns("image") else [])])
    names = table.take(pa.array(np.flatnonzero(found)[:EXAMPLES])).to_pylist()
    return [str(one.get("file_name") or one["id"]) for one in names]


def _finding_check(run: Run, code: str, ceiling: Ceiling) -> dict[str, Any]:
    """How often a finding was made; a share is of the rows of its level, those that were dropped among them."""
    found = [one for one in findings_of(run) if one["code"] == code]
    count = sum(int(one["count"]) for one in found)
    first = ", ".join(found[0]["examples"]) if found else ""
    reason = f"{count} × {found[0]['meaning']}" + (f" (first: {first})" if first else "") if found else ""
    return _row(f"findings@{code}", "findings", ceiling, count, _rows(run, code, found), reason)


def findings_of(run: Run) -> list[dict[str, Any]]:
    """Those of the run's model, and those of the data that it does not have itself."""
    summary = run.summary()
    model = run.model or (run.models[0] if len(run.models) == 1 else None)
    own = (summary["models"].get(model) or {}).get("findings", [])
    known = {one["code"] for one in own}
    others = [
        one
        for one in summary.get("findings", [])
        if one["code"] not in known and not one["code"].startswith("prediction-")
    ]
    return [*own, *others]


def _rows(run: Run, code: str, found: list[dict[str, Any]]) -> int:
    """Rows of the table that a code is about, images where it is about none."""
    level = code.partition("-")[0]
    level = level if level in run.table_names() else "image"
    dropped = sum(int(one["count"]) for one in found if one["dropped"])
    return int(run.table(level, ["id"]).num_rows) + dropped
