"""Suspicions about labels → the rows of a review queue, and what each suggests."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.analysis.suspicions import EVERY_REASON, REASONS, Suspicions
from qm_cli.arrays import compute, one_chunk, strings_to_arrow, to_arrow
from qm_cli.run_folder import Run
from qm_cli.suggesting import ADD, CHANGE_BOX, CHANGE_CATEGORY, CHANGE_SHAPE, GONE, REMOVE, Suggestion
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
ACTIONS = (ADD, CHANGE_CATEGORY, CHANGE_BOX, REMOVE, CHANGE_CATEGORY, CHANGE_CATEGORY)
"""What each of EVERY_REASON suggests, in their order."""
VISIBLE = 2.0


def image_rows(tables: Tables, found: Suspicions) -> RowArray:
    """The image of each: int64[n]."""
    label = np.append(tables.values("label", "image_row"), -1)[found.label]
    prediction = np.append(tables.values("prediction", "image_row"), -1)[found.prediction]
    return np.where(found.label >= 0, label, prediction).astype(np.int64)


def _actions(tables: Tables, found: Suspicions, rows: RowArray | slice = slice(None)) -> npt.NDArray[np.object_]:
    """What each suggests: a box that is to move is a shape that is to change, where shapes are compared."""
    actions = np.array(ACTIONS, object)[found.reason[rows]]
    if tables.measure.task != "bbox":
        actions[actions == CHANGE_BOX] = CHANGE_SHAPE
    actions[found.remove[rows]] = REMOVE
    return actions


def listed(tables: Tables, found: Suspicions) -> pa.Table:
    """Everything in the queue, a row each; what does not apply is null.

    Its id is the reason, then the label's id, or the prediction's where there is no label.
    """
    actions, image = _actions(tables, found), image_rows(tables, found)
    own = np.append(tables.values("label", "category_row"), -1)[found.label]
    names, boxes = tables.category["name"], one_chunk(tables.label["bbox"])
    label_id, prediction_id = _taken(tables.label["id"], found.label), _taken(tables.prediction["id"], found.prediction)
    reasons = strings_to_arrow([reason.replace(" ", "-") for reason in EVERY_REASON]).take(to_arrow(found.reason))
    called = compute.coalesce(label_id.cast(pa.string()), prediction_id.cast(pa.string()))
    predicted = np.where(found.remove | (found.prediction < 0), -1, found.prediction + len(boxes))
    suggested = np.where(actions == CHANGE_CATEGORY, found.label, predicted)
    either = pa.chunked_array([boxes, one_chunk(tables.prediction["bbox"]).cast(boxes.type)])
    return pa.table(
        {
            "id": compute.binary_join_element_wise(reasons, called, ":"),
            "reason": strings_to_arrow(EVERY_REASON).take(to_arrow(found.reason)),
            "issue": pa.array(found.issue.tolist(), pa.bool_()),
            "suspicion": to_arrow(found.suspicion),
            "image_id": _taken(tables.image["id"], image),
            "file_name": _taken(tables.image["file_name"], image),
            "label_id": label_id,
            "category": _taken(names, own),
            "bbox": _taken(tables.label["bbox"], found.label),
            "action": strings_to_arrow(actions.tolist()),
            "suggested_category": _taken(names, found.category),
            "suggested_bbox": _taken(either, suggested),
            "prediction_id": prediction_id,
            "score": to_arrow(np.append(tables.values("prediction", "score"), np.nan)[found.prediction]),
        }
    )


def _taken(column: pa.ChunkedArray, rows: RowArray) -> pa.Array:
    """column[rows], null for −1."""
    return one_chunk(column).take(to_arrow(np.where(rows >= 0, rows, np.nan)).cast(pa.int64()))


def with_image_columns(run: Run, tables: Tables, found: Suspicions, queue: pa.Table) -> pa.Table:
    """The queue with the columns of the images that have another name than its own."""
    image = run.table("image").take(to_arrow(image_rows(tables, found)))
    for name in image.column_names:
        if name not in queue.column_names:
            queue = queue.append_column(name, image[name])
    return queue


def suggestion(tables: Tables, found: Suspicions, row: int) -> Suggestion:
    """What one of them suggests."""
    label, prediction = int(found.label[row]), int(found.prediction[row])
    action = _actions(tables, found, np.array([row]))[0]
    category = int(found.category[row])
    if category < 0:
        category = int(tables.values("label", "category_row")[label])
    owner = ("label", label) if label >= 0 else ("prediction", prediction)
    image = int(tables.values(owner[0], "image_row")[owner[1]])
    level, place = ("label", label) if action in (REMOVE, CHANGE_CATEGORY) else ("prediction", prediction)
    box = tuple(tables.values(level, "bbox")[place].tolist())
    shape = _shape(tables, prediction) if action in (ADD, CHANGE_SHAPE) else {}
    if action == CHANGE_SHAPE and "keypoints" not in shape:
        shape = {**shape, "bbox": box}
    elif action == CHANGE_SHAPE:
        shape = {name: value for name, value in shape.items() if name != "area"}
    used = prediction if action != REMOVE and EVERY_REASON[found.reason[row]] in REASONS else GONE
    return Suggestion(action, image, label, category, box, shape, used)


def _shape(tables: Tables, prediction: int) -> dict[str, Any]:
    """A prediction's mask, or keypoints, as columns of the label table; nothing where boxes are compared."""
    table, task = tables.prediction, tables.measure.task
    if task == "segm":
        row = {name: table[name][prediction].as_py() for name in ("mask_counts", "mask_size", "shape_area")}
        return {"mask_counts": row["mask_counts"], "mask_size": row["mask_size"], "area": row["shape_area"]}
    if task == "keypoints":
        points = np.array(tables.values("prediction", "keypoints")[prediction]).reshape(-1, 3)
        seen = points[:, 2] > 0
        seen = seen if seen.any() else ~seen
        points = np.where(seen[:, None], np.column_stack([points[:, :2], np.full(len(points), VISIBLE)]), 0.0)
        return {"keypoints": points.ravel().tolist(), "num_keypoints": int(seen.sum())}
    return {}
