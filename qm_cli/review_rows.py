"""Suspicions about labels → the rows of a review queue, and what each suggests."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.analysis.suspicions import EVERY_REASON, Suspicions
from qm_cli.arrays import one_chunk, strings_to_arrow, to_arrow
from qm_cli.run_folder import Run
from qm_cli.suggesting import ADD, CHANGE_BOX, CHANGE_CATEGORY, CHANGE_SHAPE, REMOVE, Suggestion
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


def _action(tables: Tables, found: Suspicions, row: int) -> str:
    """A box that is to move is a shape that is to change, where shapes are compared."""
    if found.remove[row]:
        return REMOVE
    action = ACTIONS[found.reason[row]]
    return CHANGE_SHAPE if action == CHANGE_BOX and tables.measure.task != "bbox" else action


def listed(tables: Tables, found: Suspicions) -> pa.Table:
    """Everything in the queue, a row each; what does not apply is null.

    Its id is the reason, then the label's id, or the prediction's where there is no label.
    """
    actions, image = [_action(tables, found, row) for row in range(len(found.reason))], image_rows(tables, found)
    own = np.append(tables.values("label", "category_row"), -1)[found.label]
    names, boxes = tables.category["name"], {level: tables.table(level)["bbox"] for level in ("label", "prediction")}
    label_id, prediction_id = _taken(tables.label["id"], found.label), _taken(tables.prediction["id"], found.prediction)
    stays = np.array([action == CHANGE_CATEGORY for action in actions], bool)
    place = {
        "label": _taken(boxes["label"], np.where(stays, found.label, -1)).to_pylist(),
        "prediction": _taken(boxes["prediction"], np.where(found.remove | stays, -1, found.prediction)).to_pylist(),
    }
    ids = [
        f"{EVERY_REASON[reason].replace(' ', '-')}:{prediction if label is None else label}"
        for reason, label, prediction in zip(
            found.reason.tolist(), label_id.to_pylist(), prediction_id.to_pylist(), strict=True
        )
    ]
    return pa.table(
        {
            "id": strings_to_arrow(ids),
            "reason": strings_to_arrow(EVERY_REASON).take(to_arrow(found.reason)),
            "issue": pa.array(found.issue.tolist(), pa.bool_()),
            "suspicion": to_arrow(found.suspicion),
            "image_id": _taken(tables.image["id"], image),
            "file_name": _taken(tables.image["file_name"], image),
            "label_id": label_id,
            "category": _taken(names, own),
            "bbox": _taken(boxes["label"], found.label),
            "action": strings_to_arrow(actions),
            "suggested_category": _taken(names, found.category),
            "suggested_bbox": pa.array(
                [one or other for one, other in zip(place["label"], place["prediction"], strict=True)],
                boxes["label"].type,
            ),
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
    action = _action(tables, found, row)
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
    return Suggestion(action, image, label, category, box, shape)


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
