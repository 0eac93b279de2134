"""Raw predictions → the prediction table of one model. Whole-array operations: there may be millions of rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace

from qm_cli import link_categories, link_images
from qm_cli.arrays import all_finite, flat_values, to_arrow, to_numpy, valid
from qm_cli.arrays import compute as pc
from qm_cli.errors import InputError, UsageError, nearest
from qm_cli.findings import Finding, finding, flagged
from qm_cli.link_boxes import CheckedBoxes, box_column, box_findings, boxless, checked
from qm_cli.link_categories import CategoryMap
from qm_cli.link_ids import (
    Linked,
    Mask,
    Rows,
    distinct,
    empty_table,
    filled,
    first_of_each,
    refuse_all,
    sorted_by_image,
)
from qm_cli.link_labels import identifiers_or_places, metadata
from qm_cli.link_shapes import Shapes, image_sizes, shapes_of, sorted_runs, with_boxes
from qm_cli.raw import Columns, RawPredictions
from qm_cli.settings import BOXES, Measure

SCORE_NAMES = ("confidence", "conf", "prob", "probability", "scores", "score_", "Score", "confidences", "logit")
BOX_NAMES = ("box", "boxes", "xyxy", "xywh", "bbox_xyxy", "bounding_box")
FIELDS = (
    *("image_id", "category_id", "bbox", "score", "id", "probs", "logits"),
    *("file_name", "category_name", "category", "shape"),
)
SUM_TOLERANCE = 1e-3
Numbers = npt.NDArray[np.float64]


class Linking(Struct, frozen=True):
    """How predictions name images and categories, and the score of those that have none.

    prob_categories: names or ids in the order of the probabilities; empty for the order of the category table.
    tolerant: what makes two files useless for each other is a finding, not an error. measure: what objects are compared
    by; a prediction without that shape is of no use.
    """

    match_by: str = "id"
    map_categories: CategoryMap = None
    missing_score: float | None = None
    tolerant: bool = False
    prob_categories: tuple[str, ...] = ()
    measure: Measure = BOXES


def prediction_table(
    raw: RawPredictions | None, image: pa.Table, category: pa.Table, options: Linking, labels_have_boxes: bool = True
) -> Linked:
    """The prediction table of one model, linked to the images and categories.

    Raises InputError when there is no score at all, probabilities of another length than the categories, and (unless
    tolerant) when not a single image or category is the labels'.
    """
    if raw is None or raw.count == 0:
        return Linked(empty_table("prediction"), [])
    raw, places, findings = _without_empty(raw, options.tolerant)
    if raw.count == 0:
        return Linked(empty_table("prediction"), findings)
    columns = raw.columns
    ids = identifiers_or_places(columns, places)
    names = [name for name in ("probs", "logits") if name in columns]
    probabilities: dict[str, Numbers] = {
        name: _per_category(raw, name, category, options.prob_categories) for name in names
    }
    findings += finding("prediction-unread-answers", raw.unread)
    findings += _incomplete(ids, columns, probabilities)
    shaped = options.measure.task != "bbox"
    classes = not shaped and boxless(columns["bbox"]) and (bool(probabilities) or not labels_have_boxes)
    image_row, image_findings = link_images.image_rows(raw, image, options.match_by)
    findings += image_findings + _image_findings(raw, image, image_row, ids, options)
    category_row, category_findings = _category_rows(raw, image_row, category, probabilities, ids, options)
    findings += category_findings
    score = _scores(raw, probabilities if classes else {}, options)
    if boxless(columns["bbox"]) and not (shaped or classes or options.tolerant):
        raise InputError(f"{raw.where}: {raw.lacking('bbox', BOX_NAMES)}", "write bbox as [x, y, width, height]")
    boxes = checked(columns["bbox"])
    good_box = np.ones(raw.count, bool) if classes else boxes.good
    shapes = None
    if shaped:
        size = image_sizes(image, image_row)
        where, measure, tolerant = raw.where, options.measure, options.tolerant
        shapes = shapes_of("prediction", columns, size, ids, where, measure, tolerant, raw.runs)
        area = _areas(boxes, shapes, options.measure)
        boxes, good_box = with_boxes(boxes, shapes), shapes.good
        findings += shapes.findings
    elif not classes:
        findings += box_findings("prediction", ids, boxes, image_row, image)
    findings += _value_findings(raw, ids, score, probabilities, options)
    if options.missing_score is not None:
        score = np.where(np.isnan(score), options.missing_score, score)
    content = {
        "id": ids,
        "image_row": to_arrow(image_row),
        "category_row": to_arrow(category_row),
        "bbox": box_column(boxes.values),
        "score": to_arrow(score),
        "source_row": places,
        **{name: to_arrow(values) for name, values in probabilities.items()},
        **metadata(columns, "prediction"),
    }
    keep = (image_row >= 0) & (category_row >= 0) & good_box & ~np.isnan(score)
    if not (keep.any() or options.tolerant):
        refuse_all(raw.where, raw.count, "predictions", findings)
    if shapes is None:
        return Linked(sorted_by_image(content, keep, image_row), findings)
    content |= {**shapes.columns, "shape_area": to_arrow(area)}
    table = sorted_by_image(content, keep, image_row)
    return Linked(table, findings, sorted_runs(shapes, keep, image_row), shapes.only_upright(keep))


def _areas(boxes: CheckedBoxes, shapes: Shapes, measure: Measure) -> Numbers:
    """What area ranges go by: the shape's own; as pycocotools has it the box's, where the first prediction has one."""
    if not (measure.pycocotools_area and len(boxes.good) and boxes.good[0]):
        return shapes.area
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(boxes.good, boxes.values[:, 2] * boxes.values[:, 3], shapes.area)


def _without_empty(raw: RawPredictions, tolerant: bool) -> tuple[RawPredictions, pa.Array, list[Finding]]:
    """The rows with anything in them, their places in the file, and the finding of the others."""
    places = np.arange(raw.count)
    there = filled(raw.columns, FIELDS, raw.count)
    if there.all():
        return raw, to_arrow(places), []
    found = flagged("prediction-empty", to_arrow(places), ~there)
    if not (there.any() or tolerant):
        refuse_all(raw.where, raw.count, "predictions", found)
    kept = {name: column.filter(to_arrow(there)) for name, column in raw.columns.items()}
    return replace(raw, columns=kept), to_arrow(places[there]), found


def _image_findings(
    raw: RawPredictions, image: pa.Table, image_row: Rows, ids: pa.Array, options: Linking
) -> list[Finding]:
    given = raw.columns["image_id"]
    named = valid(given) | (image_row >= 0)
    detail = "" if named.any() else link_images.missing(raw, image, options.match_by, options.tolerant)
    unknown = (image_row < 0) & named
    found = flagged("prediction-missing-image-id", ids, ~named, detail)
    if not unknown.any():
        return found
    detail, other = link_images.unmatched(raw, image, image_row, options.match_by, options.tolerant)
    return [*found, *_distinctly("prediction-unknown-image", given, unknown, detail), *other]


def _category_rows(
    raw: RawPredictions,
    image_row: Rows,
    category: pa.Table,
    probabilities: dict[str, Numbers],
    ids: pa.Array,
    options: Linking,
) -> tuple[Rows, list[Finding]]:
    """Row of each prediction's category; where none is given, the most probable one."""
    given = link_categories.given(raw, options.map_categories)
    rows, found = link_categories.category_rows(raw, category, options.map_categories)
    named = valid(given) | (rows >= 0)
    if probabilities and not named.all():
        values = next(iter(probabilities.values()))
        likely = np.where(np.isnan(values).any(1), -1, np.nan_to_num(values, nan=-np.inf).argmax(1)).astype(np.int32)
        rows = np.where(named, rows, likely)
        found += flagged("prediction-derived-category", ids, ~named & (rows >= 0))
        named = named | (rows >= 0)
    detail = "" if named.any() else link_categories.missing(raw, category, options.tolerant)
    unknown = (rows < 0) & named
    found += flagged("prediction-missing-category-id", ids, ~named & (image_row >= 0), detail)
    if unknown.any():
        detail, other = link_categories.unmatched(raw, category, rows, options.map_categories, options.tolerant)
        found += _distinctly("prediction-unknown-category", given, unknown & (image_row >= 0), detail) + other
    return rows, found


def _distinctly(code: str, names: pa.Array, mask: Mask, detail: str) -> list[Finding]:
    """A finding that counts every row and shows each name once."""
    return [
        Finding(code, found.count, tuple(str(name.as_py()) for name in distinct(names, mask)[:5]), detail)
        for found in flagged(code, names, mask, detail)
    ]


def _per_category(raw: RawPredictions, name: str, category: pa.Table, order: tuple[str, ...]) -> Numbers:
    """Probabilities or logits as float64[n, categories]; a row without them is NaN."""
    lists = raw.columns[name]
    size = category.num_rows
    lengths = np.nan_to_num(to_numpy(pc.list_value_length(lists)), nan=-1)
    wrong = (lengths != size) & valid(lists)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        message = f"{raw.where}: [{row}].{name} has {int(lengths[row])} numbers, there are {size} categories"
        raise InputError(message, "one number per category, in the order of `categories` in the label file")
    values = np.asarray(to_numpy(flat_values(lists) if lists.null_count == 0 else lists.flatten()), np.float64).reshape(
        -1, size
    )
    if order:
        values = values[:, _places(order, category)]
    if not all_finite(values):
        values = np.where(np.isfinite(values).all(1, keepdims=True), values, np.nan)
    if lists.null_count == 0:
        return values
    rows = np.full((raw.count, size), np.nan)
    rows[valid(lists)] = values
    return rows


def _incomplete(ids: pa.Array, columns: Columns, probabilities: dict[str, Numbers]) -> list[Finding]:
    """Rows with probabilities of which one is no number; `_per_category` has made all of the row NaN."""
    wrong = np.zeros(len(ids), bool)
    for name, values in probabilities.items():
        wrong |= np.isnan(values[:, 0]) & valid(columns[name]) if values.shape[1] else False
    return flagged("prediction-probs-null", ids, wrong)


def _places(order: tuple[str, ...], category: pa.Table) -> list[int]:
    """Where each category's probability stands, for probabilities in another order than the category table's."""
    names, ids = category["name"].to_pylist(), [str(one) for one in category["id"].to_pylist()]
    places = [[place for place, given in enumerate(order) if given in pair] for pair in zip(names, ids, strict=True)]
    wrong = [name for name, found in zip(names, places, strict=True) if len(found) != 1]
    if wrong or len(order) != len(names):
        message = f"--prob-categories: {len(order)} names for {len(names)} categories"
        hint = f"{wrong[0]!r} must stand there once" if wrong else "name every category once"
        raise UsageError(message, hint)
    return [found[0] for found in places]


def _scores(raw: RawPredictions, probabilities: dict[str, Numbers], options: Linking) -> Numbers:
    """The score as given; of classes, whose probabilities are given here, else the largest probability."""
    given = raw.columns["score"]
    if given.null_count == 0:
        return np.asarray(to_numpy(given), np.float64)
    score = np.asarray(to_numpy(given), np.float64)
    if "probs" in probabilities:
        score = np.where(np.isnan(score), probabilities["probs"].max(1), score)
    elif "logits" in probabilities:
        shifted = probabilities["logits"] - probabilities["logits"].max(1, keepdims=True)
        score = np.where(np.isnan(score), 1 / np.exp(shifted).sum(1), score)
    if np.isnan(score).all() and not options.tolerant and options.missing_score is None:
        hint = "--missing-score 1 gives all 1"
        if raw.image_names:
            hint = f"it has images of its own, as labels have: labels come first, then predictions; or {hint}"
        raise InputError(f"{raw.where}: no prediction has a score{_resembling(raw)}", hint)
    return score


def _resembling(raw: RawPredictions) -> str:
    keys = [key for key in raw.keys if key in SCORE_NAMES or (key != "score" and nearest(key.lower(), ["score"]))]
    return f"; `{keys[0]}` looks like one: call it `score`" if keys else ""


def _value_findings(
    raw: RawPredictions, ids: pa.Array, score: Numbers, probabilities: dict[str, Numbers], options: Linking
) -> list[Finding]:
    missing = np.isnan(score)
    code = "prediction-missing-score" if options.missing_score is None else "prediction-filled-score"
    found = flagged(code, ids, missing, _resembling(raw).removeprefix("; ") if missing.all() else "")
    if np.nanmin(score, initial=0) < 0 or np.nanmax(score, initial=1) > 1:
        found += flagged("prediction-score-range", ids, (score < 0) | (score > 1))
    if "probs" in probabilities:
        values = probabilities["probs"]
        odd = (np.abs(values.sum(1) - 1) > SUM_TOLERANCE) | (values < 0).any(1) | (values > 1).any(1)
        found += flagged("prediction-probs-sum", ids, odd)
    given = raw.columns.get("id")
    if given is not None and given.null_count < len(given):
        found += flagged("prediction-duplicate-id", ids, valid(given) & ~first_of_each(given))
    return found
