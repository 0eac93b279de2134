"""The evaluation of one model under the convention its settings name."""

from __future__ import annotations

from collections.abc import Callable

from qm_cli.conventions import coco, encord, labelbox, labelbox_sdk, lvis, ultralytics, voc
from qm_cli.errors import UsageError
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

    Raises UsageError for a convention of classes alone.
    """
    if settings.convention in OF_CLASSES:
        raise UsageError(
            f"--convention {settings.convention}: has rules for classes alone", f"there are {', '.join(CONVENTIONS)}"
        )
    return CONVENTIONS[settings.convention](tables, settings.of(tables.measure))
