"""`qm rank --back-test`: an order of a labelled run held against chance, in errors found and in average precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import replace

from qm_cli.analysis.back_test import back_test, random_rows
from qm_cli.arrays import number_or_none, to_arrow, to_numpy
from qm_cli.batch import Batch
from qm_cli.errors import UsageError
from qm_cli.evaluation import evaluate_tables
from qm_cli.ranking import Ranking, rank
from qm_cli.report import evaluation_report
from qm_cli.run_folder import Run
from qm_cli.run_tables import tables_of_run
from qm_cli.selection import LAST
from qm_cli.settings import Settings
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]

ERRORS = ("false_positives", "false_negatives")
DEFAULT_SHARE = 0.1
AVERAGE_PRECISIONS = ("AP", "AP50")
RANDOM_BATCHES = 10
SPREAD = 1.96
CERTAIN = 1.0


def back_test_report(asked: Ranking, run: Run | None, rows: RowArray | None) -> dict[str, Any]:
    """How many errors the first --top images of the order hold, and what average precision would be without them.

    Errors are false positives and false negatives at the run's IoU and confidence. Without --top or --budget the
    batch is a tenth of the images. Raises UsageError for what has no labels to test on.
    """
    if run is None:
        raise UsageError("--back-test takes a run", "score a dataset with labels and predictions")
    if asked.choice.level != "image":
        raise UsageError("--back-test is of images", "leave out --level")
    if asked.choice.unlabeled_only:
        raise UsageError("--back-test needs labelled images", "leave out --unlabeled-only")
    errors = _errors(run)
    choice = replace(asked.choice, top=None, no_values=LAST)
    everything = rank(replace(asked, batch=Batch(), choice=choice), run, run, rows, tells=False)
    pool = np.sort(everything.selection.rows)
    pool = pool[~np.isnan(errors[pool])]
    size = max(round(len(pool) * DEFAULT_SHARE), 1)
    top = asked.choice.top if asked.choice.top is not None or asked.batch.budget is not None else size
    answer = rank(replace(asked, choice=replace(asked.choice, top=top)), run, run, rows)
    first = answer.selection.rows
    first = first[~np.isnan(errors[first])]
    found = back_test(errors[pool], np.searchsorted(pool, first), asked.batch.seed)
    settings = Settings.from_dict(run.manifest["settings"])
    return {
        "run": run.place,
        "model": answer.model,
        "acquisition": asked.choice.column,
        "diverse": asked.batch.diverse,
        "sample": asked.batch.sample,
        "task": settings.task,
        "iou": settings.iou,
        "confidence": settings.confidence,
        "seed": asked.batch.seed,
        **found,
        "mended": _mended(run, settings, first, pool, asked.batch.seed),
    }


def _errors(run: Run) -> FloatArray:
    """False positives and false negatives of each image, NaN where it was not evaluated: float64[images]."""
    missing = [name for name in ERRORS if name not in run.columns("image")]
    if missing:
        hint = "score labels and predictions; of several models name one by --model"
        raise UsageError(f"{run.path}: images have no {missing[0]} to test an order on", hint)
    table = run.table("image", list(ERRORS))
    return np.asarray(sum(to_numpy(table[name]).astype(np.float64) for name in ERRORS))


def _mended(run: Run, settings: Settings, first: RowArray, pool: RowArray, seed: int) -> dict[str, Any] | None:
    """AP now, AP were the model right on the chosen images, and on random ones; None where there is no AP.

    A proxy of what labelling them can give at most: the model is taken to learn these images by heart and nothing
    else. Random: mean of 10 seeded batches of the same size and ± 1.96 of their standard deviations.
    """
    boxed = all(run.table(level, ["bbox"])["bbox"].null_count == 0 for level in ("label", "prediction"))
    if not boxed or len(first) == 0:
        return None
    tables = tables_of_run(run)
    now, then = (_precisions(one, settings) for one in (tables, with_right_answers(tables, first)))
    by_chance = np.array(
        [
            list(_precisions(with_right_answers(tables, pool[batch]), settings).values())
            for batch in random_rows(len(pool), len(first), RANDOM_BATCHES, seed)
        ]
    )
    report: dict[str, Any] = {}
    for place, name in enumerate(AVERAGE_PRECISIONS):
        values = by_chance[:, place]
        spread = SPREAD * float(values.std(ddof=1))
        mean = float(values.mean())
        facts = {"now": now[name], "mended": then[name], "gain": then[name] - now[name]}
        chance = {
            "random": mean - now[name],
            "random_low": mean - now[name] - spread,
            "random_high": mean - now[name] + spread,
        }
        report[name] = {key: number_or_none(value) for key, value in {**facts, **chance}.items()}
    return report


def _precisions(tables: Tables, settings: Settings) -> dict[str, float]:
    metrics = evaluation_report(evaluate_tables(tables, settings))["metrics"]
    return {name: np.nan if metrics[name] is None else float(metrics[name]) for name in AVERAGE_PRECISIONS}


def with_right_answers(tables: Tables, images: RowArray) -> Tables:
    """The tables with the labels of these images for their predictions, with a score of 1; crowds are no answers."""
    chosen = np.zeros(tables.count("image"), bool)
    chosen[images] = True
    kept = np.flatnonzero(~chosen[tables.values("prediction", "image_row")])
    right = np.flatnonzero(chosen[tables.values("label", "image_row")] & ~tables.values("label", "iscrowd"))
    old, labels = tables.prediction.take(to_arrow(kept)), tables.label.take(to_arrow(right))
    place = np.arange(len(right)) + tables.count("prediction")
    own = {
        "id": to_arrow(place).cast(old.schema.field("id").type),
        "score": pa.array(np.full(len(right), CERTAIN)),
        "source_row": to_arrow(place),
    }
    columns = [own[name] if name in own else labels[name] for name in old.column_names]
    answers = pa.Table.from_arrays([_one(column) for column in columns], schema=old.schema.remove_metadata())
    joined = pa.concat_tables([old.replace_schema_metadata(None).cast(answers.schema), answers]).combine_chunks()
    order = np.argsort(to_numpy(joined["image_row"]), kind="stable")
    return replace(tables, prediction=joined.take(to_arrow(order)).combine_chunks(), _views={})


def _one(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
