"""LVIS (reference: lvis-api 0.5.3): COCO's matching on the best 300 detections an image, of judged categories alone.

Told difference: where lvis-api remembers matches by id, so that an id of 0 counts as none, rows are remembered here.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace

from qm_cli.analysis.average_precision import AveragePrecision, average_precision, category_means, summary_values
from qm_cli.analysis.confusion import confusion_matrix
from qm_cli.analysis.counts import Outcomes, mean_of_defined, outcomes_of
from qm_cli.analysis.summary_numbers import averaged_by_category, definition, reached, summary_numbers
from qm_cli.arrays import compute as pc
from qm_cli.arrays import one_chunk, to_arrow, to_numpy
from qm_cli.confidence_rules import counting, told
from qm_cli.errors import InputError
from qm_cli.evaluated import Evaluation, Numbers, RankedPart
from qm_cli.kernels.segments import place_in_run
from qm_cli.label_flags import label_flag
from qm_cli.link_ids import linked
from qm_cli.matching import Matches, match_tables
from qm_cli.overlap import prediction_areas
from qm_cli.settings import Settings
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

BEST_OF_IMAGE = 300
FREQUENCIES = {"r": "rare", "c": "common", "f": "frequent"}


class Judged(Struct, frozen=True):
    """The part of the tables that takes part, and what of it is told apart.

    label, prediction: rows of the whole tables, int64[kept]; ignored: bool[kept labels]; excused: predictions of a
    category that is not labelled exhaustively in their image, bool[kept predictions].
    """

    tables: Tables
    label: RowArray
    prediction: RowArray
    ignored: BoolArray
    excused: BoolArray


def evaluate(tables: Tables, settings: Settings) -> Evaluation:
    """Match once, then read everything off the matches. Raises InputError without `neg_category_ids`."""
    settings = replace(settings, max_detections=(BEST_OF_IMAGE,))
    judged = _judged(tables)
    matches = match_tables(judged.tables, settings, judged.ignored)
    curves = average_precision(judged.tables, matches, settings, judged.excused)
    found = _outcomes(tables, judged, matches, settings)
    return Evaluation(
        tables,
        settings,
        found,
        confusion_matrix(tables, found, settings),
        _numbers(tables, curves, settings),
        f"{reached(settings.iou)}, {told(settings)}, best {BEST_OF_IMAGE} of an image",
        curves=curves,
        max_detections=settings.max_detections,
        notes=_notes(tables, judged),
        at_any_confidence=lambda: _outcomes(tables, judged, matches, replace(settings, confidence=-math.inf)),
        ranked_part=RankedPart(judged.tables, matches, judged.excused),
    )


def _judged(tables: Tables) -> Judged:
    filled = tables.values("label", "area") > 0
    label = np.flatnonzero(filled)
    judged = best_of_image(tables, BEST_OF_IMAGE) & in_judged_categories(tables, filled)
    prediction = np.flatnonzero(judged & (prediction_areas(tables) > 0))
    part = replace(
        tables,
        label=uncrowded(tables.label.take(pa.array(label))),
        prediction=tables.prediction.take(pa.array(prediction)),
        _views={},
    )
    return Judged(part, label, prediction, label_flag(tables, "ignore")[label], in_open_categories(tables)[prediction])


def in_judged_categories(tables: Tables, labels: BoolArray) -> BoolArray:
    """Predictions of a category that their image holds or says it does not: bool[predictions].

    labels: those that take part, bool[labels]. Raises InputError without `neg_category_ids`.
    """
    if "neg_category_ids" not in tables.image.column_names:
        hint = "give LVIS's own label file, or another convention"
        raise InputError("convention lvis: no image has neg_category_ids", hint)
    held = _cells(tables, "label")[labels]
    return np.isin(_cells(tables, "prediction"), np.concatenate([held, _listed_cells(tables, "neg_category_ids")]))


def in_open_categories(tables: Tables) -> BoolArray:
    """Predictions of a category that is not labelled exhaustively in their image: bool[predictions]."""
    return np.isin(_cells(tables, "prediction"), _listed_cells(tables, "not_exhaustive_category_ids"))


def uncrowded(label: pa.Table) -> pa.Table:
    """lvis-api knows no crowds: every label is an object."""
    place = label.schema.get_field_index("iscrowd")
    return label.set_column(place, "iscrowd", to_arrow(np.zeros(len(label), bool)))


def best_of_image(tables: Tables, limit: int) -> BoolArray:
    """The predictions among the `limit` best of their image, over all categories; ties by input order: bool[n]."""
    image = tables.values("prediction", "image_row")
    order = np.lexsort((-tables.values("prediction", "score"), image))
    best = np.empty(len(image), bool)
    best[order] = place_in_run(image[order]) < limit
    return best


def _cells(tables: Tables, level: str) -> RowArray:
    """(image, category) of each row as one number: int64[n]."""
    image, category = tables.values(level, "image_row"), tables.values(level, "category_row")
    keys: RowArray = image.astype(np.int64) * tables.count("category") + category
    return keys


def _listed_cells(tables: Tables, column: str) -> RowArray:
    """(image, category) of the categories that images list by id; ids of no category are passed over."""
    if column not in tables.image.column_names:
        return np.zeros(0, np.int64)
    lists = one_chunk(tables.image[column])
    rows = linked(lists.flatten(), one_chunk(tables.category["id"]))[0].astype(np.int64)
    image = to_numpy(pc.list_parent_indices(lists)).astype(np.int64)
    keys: RowArray = (image * tables.count("category") + rows)[rows >= 0]
    return keys


def _outcomes(tables: Tables, judged: Judged, matches: Matches, settings: Settings) -> Outcomes:
    """Predictions that take no part, and unmatched ones of a category not labelled exhaustively, are not counted."""
    matched = np.full(tables.count("prediction"), -1, np.int64)
    taken = matches.label[matches.lane(settings.iou)]
    matched[judged.prediction[matches.row]] = np.where(taken >= 0, np.append(judged.label, -1)[taken], -1)
    counted = np.zeros(len(matched), bool)
    counted[judged.prediction] = ~judged.excused | (matched[judged.prediction] >= 0)
    counted &= counting(settings.convention, tables.values("prediction", "score"), settings.confidence)
    counts = np.zeros(tables.count("label"), bool)
    counts[judged.label] = ~matches.ignored[0]
    return outcomes_of(matched, counted, counts)


def _numbers(tables: Tables, curves: AveragePrecision, settings: Settings) -> Numbers:
    numbers = summary_numbers(settings)
    values = {number.name: summary_values(curves, number, settings) for number in numbers}
    definitions = {number.name: definition(number, settings, "of an image") for number in numbers}
    overall: dict[str, float | int | None] = {name: mean_of_defined(part) for name, part in values.items()}
    for letter, word in FREQUENCIES.items():
        overall[f"AP{letter}"] = mean_of_defined(values["AP"][..., frequencies(tables) == letter])
        definitions[f"AP{letter}"] = f"{definitions['AP']}, {word} categories (frequency {letter})"
    return Numbers(
        overall, {name: category_means(values[name]) for name in averaged_by_category(settings)}, definitions
    )


def frequencies(tables: Tables) -> npt.NDArray[np.object_]:
    """r, c or f of each category, None where it has none."""
    if "frequency" not in tables.category.column_names:
        return np.full(tables.count("category"), None, object)
    return to_numpy(one_chunk(tables.category["frequency"]))


def _notes(tables: Tables, judged: Judged) -> tuple[str, ...]:
    found = []
    if "not_exhaustive_category_ids" not in tables.image.column_names:
        found.append("no image has not_exhaustive_category_ids: every category is taken as labelled exhaustively")
    if "frequency" not in tables.category.column_names:
        found.append("no category has a frequency: APr, APc and APf are undefined")
    left_out = tables.count("prediction") - len(judged.prediction)
    if left_out:
        found.append(
            f"{left_out} predictions are left out: beyond the best {BEST_OF_IMAGE} of an image, without an area, or of "
            "a category that its image neither holds nor lists in neg_category_ids"
        )
    crowd = int(np.count_nonzero(tables.values("label", "iscrowd")))
    if crowd:
        found.append(f"{crowd} crowd labels count as objects: lvis-api knows no crowds")
    return tuple(found)
