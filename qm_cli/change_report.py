"""What became of labels and detections, counted by category and size and listed, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.analysis.changes import DETECTION_CHANGES, LABEL_CHANGES, NEW, Changes, size_of
from qm_cli.analysis.slices import Matched, Members, inside
from qm_cli.arrays import strings_to_arrow
from qm_cli.evaluation import Evaluation
from qm_cli.overlap import prediction_areas

RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
REGRESSED_SHOWN = 20


def change_counts(
    first: Evaluation, second: Evaluation, found: Changes, slices: Sequence[tuple[str, Sequence[Members]]] = ()
) -> dict[str, Any]:
    """Counts of each change, over all, by category, size and slice; the first model's detections only where they went.

    slices: name, and members in either model's rows.
    """
    tables, settings = first.tables, first.settings
    names = tables.category["name"].to_pylist()
    sizes = [limits.name for limits in settings.area_ranges]
    gone = found.first == DETECTION_CHANGES.index("gone_false_positive")
    label = found.label >= 0
    counted = found.second >= 0
    groups = {
        "labels": (
            LABEL_CHANGES,
            found.label[label],
            tables.values("label", "category_row")[label],
            size_of(tables.values("label", "area")[label], settings),
        ),
        "detections": (
            DETECTION_CHANGES,
            np.concatenate([found.second[counted], found.first[gone]]),
            np.concatenate([_categories(second)[counted], _categories(first)[gone]]),
            np.concatenate([_sizes(second)[counted], _sizes(first)[gone]]),
        ),
    }
    sliced = _sliced(first, second, slices, (label, counted, gone))
    return {
        kind: {
            "total": _tally(words, code),
            "by_category": [{"name": name, **_tally(words, code[category == row])} for row, name in enumerate(names)],
            "by_size": [
                {"name": name, **_tally(words, code[size == place])} for place, name in enumerate(sizes) if place
            ],
            "by_slice": [{"name": name, **_tally(words, code[mask])} for name, mask in sliced[kind]],
        }
        for kind, (words, code, category, size) in groups.items()
    }


def _inside(one: Evaluation, members: Members) -> BoolArray:
    """Predictions in a slice; of one that is not of whole images under COCO's rule alone."""
    if members.whole:
        on_images: BoolArray = members.images[one.tables.values("prediction", "image_row")]
        return on_images
    return inside(Matched(one.tables, one.matches, one.outcomes, one.settings), members)


def _sliced(
    first: Evaluation,
    second: Evaluation,
    slices: Sequence[tuple[str, Sequence[Members]]],
    rows: tuple[BoolArray, BoolArray, BoolArray],
) -> dict[str, list[tuple[str, BoolArray]]]:
    """Which of the rows that are counted each slice holds. rows: labels, the second's detections, the first's."""
    label, counted, gone = rows
    found: dict[str, list[tuple[str, BoolArray]]] = {"labels": [], "detections": []}
    for name, members in slices:
        own = [_inside(one, part) for one, part in zip((first, second), members, strict=True)]
        found["labels"].append((name, _labels_in(first, members[0])[label]))
        found["detections"].append((name, np.concatenate([own[1][counted], own[0][gone]])))
    return found


def _labels_in(evaluation: Evaluation, members: Members) -> BoolArray:
    """Labels of a slice; none where it says nothing of labels."""
    rows: RowArray = evaluation.tables.values("label", "image_row")
    if members.whole:
        return members.images[rows]
    return np.zeros(len(rows), bool) if members.labels is None else members.labels


def _tally(words: tuple[str, ...], code: npt.NDArray[np.int8]) -> dict[str, int]:
    return dict(zip(words, np.bincount(code, minlength=len(words)).tolist(), strict=True))


def _categories(evaluation: Evaluation) -> RowArray:
    rows: RowArray = evaluation.tables.values("prediction", "category_row")
    return rows


def _sizes(evaluation: Evaluation) -> RowArray:
    return size_of(prediction_areas(evaluation.tables), evaluation.settings)


def regressed_images(first: Evaluation, second: Evaluation, found: Changes) -> list[dict[str, Any]]:
    """The images with the most errors (false positives and false negatives) more than before; ties by broken labels."""
    images = first.tables.count("image")

    def per_image(evaluation: Evaluation, level: str, mask: npt.NDArray[np.bool_]) -> RowArray:
        return np.bincount(evaluation.tables.values(level, "image_row")[mask], minlength=images)

    before, after = (
        per_image(one, "prediction", one.outcomes.false_positive) + per_image(one, "label", one.outcomes.false_negative)
        for one in (first, second)
    )
    words = [LABEL_CHANGES.index(word) for word in ("fixed", "broken")]
    fixed, broken = (per_image(first, "label", found.label == word) for word in words)
    new = per_image(second, "prediction", found.second == NEW)
    worse = after - before
    order = np.lexsort((np.arange(images), -broken, -worse))[:REGRESSED_SHOWN]
    ids, files = first.tables.image["id"], first.tables.image["file_name"]
    return [
        {
            "id": ids[int(row)].as_py(),
            "file_name": files[int(row)].as_py(),
            "errors_a": int(before[row]),
            "errors_b": int(after[row]),
            "broken": int(broken[row]),
            "fixed": int(fixed[row]),
            "new_false_positives": int(new[row]),
        }
        for row in order
        if worse[row] > 0
    ]


def change_rows(first: Evaluation, second: Evaluation, found: Changes) -> pa.Table:
    """A row for each label that counts, each detection of the second model, and each that only the first had.

    prediction_a, prediction_b: the detection each model found a label with, or that stands in its place.
    """
    label = np.flatnonzero(found.label >= 0)
    matched = [one.outcomes.matched_prediction[label] for one in (first, second)]
    counted = np.flatnonzero(found.second >= 0)
    gone = np.flatnonzero(found.first == DETECTION_CHANGES.index("gone_false_positive"))
    sizes = np.array([limits.name for limits in first.settings.area_ranges])
    label_size = size_of(first.tables.values("label", "area")[label], first.settings)
    words = [
        *(LABEL_CHANGES[code] for code in found.label[label]),
        *(DETECTION_CHANGES[code] for code in (*found.second[counted], *found.first[gone])),
    ]
    place_a = np.concatenate([matched[0], found.partner[counted], gone])
    place_b = np.concatenate([matched[1], counted, np.full(len(gone), -1)])
    kinds = np.repeat(["label", "detection"], [len(label), len(counted) + len(gone)])
    image_row, category_row = (
        np.concatenate(
            [
                first.tables.values("label", name)[label],
                second.tables.values("prediction", name)[counted],
                first.tables.values("prediction", name)[gone],
            ]
        )
        for name in ("image_row", "category_row")
    )
    size = np.concatenate([label_size, _sizes(second)[counted], _sizes(first)[gone]])
    label_place = np.concatenate([label, np.full(len(counted) + len(gone), -1)])
    return pa.table(
        {
            "object": strings_to_arrow(kinds.tolist()),
            "change": strings_to_arrow(words),
            "image_id": first.tables.image["id"].take(pa.array(image_row)),
            "category": first.tables.category["name"].take(pa.array(category_row)),
            "size": strings_to_arrow(sizes[size].tolist()),
            "label_id": first.tables.label["id"].take(_nullable(label_place)),
            **_detections(first, second, place_a, place_b),
        }
    )


def _detections(first: Evaluation, second: Evaluation, place_a: RowArray, place_b: RowArray) -> dict[str, pa.Array]:
    """Id, category and score of either model's detection, null where there is none."""
    names = first.tables.category["name"]
    return {
        "prediction_a": first.tables.prediction["id"].take(_nullable(place_a)),
        "prediction_b": second.tables.prediction["id"].take(_nullable(place_b)),
        "category_a": names.take(_taken(first, place_a)),
        "category_b": names.take(_taken(second, place_b)),
        "score_a": first.tables.prediction["score"].take(_nullable(place_a)),
        "score_b": second.tables.prediction["score"].take(_nullable(place_b)),
    }


def _nullable(rows: RowArray) -> pa.Array:
    """Row numbers with null for −1."""
    return pa.array(rows, pa.int64(), mask=rows < 0)


def _taken(evaluation: Evaluation, rows: RowArray) -> pa.Array:
    """Category rows of predictions, null for −1."""
    categories = np.append(_categories(evaluation), -1)[rows].astype(np.int64)
    return _nullable(categories)
