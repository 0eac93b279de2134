"""The evaluation of one model under the convention its settings name."""

from __future__ import annotations

from collections.abc import Callable

from qm_cli.conventions import coco, encord, labelbox, labelbox_sdk, lvis, ultralytics, voc
from qm_cli.errors import InputError, UsageError
from qm_cli.evaluated import Evaluation
from qm_cli.settings import OF_CLASSES, Settings
from qm_cli.tables import Tables

__all__ = ["CONVENTIONS", "Evaluation", "evaluate_tables"]

CONVENTIONS: dict[str, Callable[[Tables, Settings], Evaluation]] = {
    "coco": coco.evaluate,
    "labelbox": labelbox.evaluate,
    "labelbox-sdk": labelbox_sdk.evaluate,
    "voc07": voc.evaluate,
    "voc12": voc.evaluate,
    "encord": encord.evaluate,
    "ultralytics": ultralytics.evaluate,
    "lvis": lvis.evaluate,
}


def evaluate_tables(tables: Tables, settings: Settings) -> Evaluation:
    """Match, count and summarise as the convention says; what is compared is the tables' word.

    Raises UsageError for a convention of classes alone, InputError where boxes are compared and a side has none.
    """
    if settings.convention in OF_CLASSES:
        raise UsageError(
            f"--convention {settings.convention}: has rules for classes alone", f"there are {', '.join(CONVENTIONS)}"
        )
    _refuse_boxless(tables)
    return CONVENTIONS[settings.convention](tables, settings.of(tables.measure))


def _refuse_boxless(tables: Tables) -> None:
    """Rows without a box are classes, or have another shape than the task's; nothing of them would match."""
    if tables.measure.task != "bbox":
        return
    for level, what in (("label", "labels"), ("prediction", "predictions")):
        rows = tables.count(level)
        if rows and tables.table(level)["bbox"].null_count == rows:
            message = f"task bbox: none of the {rows:,} {what} has a `bbox`"
            raise InputError(message, "name what they have: --task segm, obb, polyline …, or classification")
