"""Score one set of tables: evaluate where there is something to evaluate, then run the chosen metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli import catalog, engine
from qm_cli.analyses import EVERYTHING
from qm_cli.analysis.counts import matched_iou
from qm_cli.analysis.false_positive_reasons import false_positive_reasons
from qm_cli.backends.local import open_backend
from qm_cli.columns import Sources, available
from qm_cli.console import progress
from qm_cli.engine import Plan, Scores
from qm_cli.error_names import NONE
from qm_cli.evaluation import Evaluation, evaluate_tables
from qm_cli.metric import Metric
from qm_cli.renaming import with_free_names
from qm_cli.settings import Settings
from qm_cli.tables import Tables

SEEDED = "seed"
IMAGES_LOOKED_FOR = 100


@dataclass(frozen=True)
class Selection:
    """The metrics to run, all there are, and the options set for them."""

    chosen: Mapping[str, Metric]
    known: Mapping[str, Metric]
    options: Mapping[str, Mapping[str, Any]]

    def without(self, done: set[str]) -> Selection:
        """The same selection less the metrics that are done."""
        rest = {name: metric for name, metric in self.chosen.items() if name not in done}
        return Selection(rest, self.known, self.options)


def selection(
    patterns: Sequence[str] = (),
    kinds: Sequence[str] = (),
    plugins: Sequence[Path] = (),
    settings: Sequence[str] = (),
    seed: int = 0,
) -> Selection:
    """Metrics by pattern and kind, with the options of `--set`; the seed goes to every metric that takes one."""
    known = catalog.load(plugins)
    seeded = {metric.name: {SEEDED: seed} for metric in known.values() if SEEDED in metric.options}
    options = {name: dict(values) for name, values in seeded.items()}
    for name, values in catalog.options_from(known, settings).items():
        options.setdefault(name, {}).update(values)
    return Selection(catalog.select(known, patterns, kinds), known, options)


@dataclass(frozen=True)
class Resources:
    """Where the image files are and how many processes may decode them, in how many tasks."""

    images: Path | None = None
    workers: int | None = None
    shards: int | None = None


@dataclass(frozen=True)
class Scored:
    """Tables with their scores; evaluation is None where labels, predictions or boxes are missing.

    analyses: the names of those its report holds.
    """

    tables: Tables
    plan: Plan
    scores: Scores
    evaluation: Evaluation | None
    analyses: tuple[str, ...] = EVERYTHING


def can_evaluate(tables: Tables) -> bool:
    """Whether there are labels and predictions, all of them with boxes."""
    if not (tables.has_labels and tables.has_predictions):
        return False
    return all(tables.table(level)["bbox"].null_count == 0 for level in ("label", "prediction"))


def images_there(tables: Tables, folder: Path | None) -> Path | None:
    """The image folder, or None when not one of the first images is in it: then there are no images to look at."""
    if folder is None or tables.count("image") == 0:
        return folder
    names = tables.image["file_name"].slice(0, IMAGES_LOOKED_FOR).to_pylist()
    return folder if any(name and (folder / name).exists() for name in names) else None


def score_tables(
    tables: Tables,
    chosen: Selection,
    settings: Settings,
    resources: Resources,
    analyses: tuple[str, ...] = EVERYTHING,
) -> Scored:
    """Evaluate, plan and run: every score of one model, or of the data alone."""
    resources = replace(resources, images=images_there(tables, resources.images))
    evaluation = evaluate_tables(tables, settings) if can_evaluate(tables) else None
    plan = plan_for(tables, chosen, _promised(tables), resources)
    sources = evaluation_columns(evaluation, plan) if evaluation else {}
    with open_backend(resources.workers) as backend, progress("images") as advance:
        scores = engine.run(
            tables,
            plan,
            sources,
            resources.images,
            backend,
            resources.shards,
            chosen.options,
            advance,
        )
    return Scored(with_free_names(tables, scores), plan, scores, evaluation, analyses)


def plan_for(tables: Tables, chosen: Selection, sources: Sources, resources: Resources) -> Plan:
    """What will run and what cannot, and why; nothing is computed."""
    have = available(tables, sources, images=resources.images is not None)
    return engine.plan(chosen.chosen, chosen.known, have)


def planned(tables: Tables, chosen: Selection, resources: Resources) -> Plan:
    """The plan of a run that has not evaluated yet."""
    resources = replace(resources, images=images_there(tables, resources.images))
    return plan_for(tables, chosen, _promised(tables), resources)


def _promised(tables: Tables) -> Sources:
    """The columns an evaluation of these tables can give, without their values."""
    return dict.fromkeys(EVALUATION_COLUMNS, np.zeros(0)) if can_evaluate(tables) else {}


def _matched_iou(evaluation: Evaluation) -> npt.NDArray[np.float64]:
    return matched_iou(evaluation.tables, evaluation.settings.task, evaluation.outcomes)


def _prediction_error(evaluation: Evaluation) -> npt.NDArray[np.int8]:
    kinds = evaluation.error_kinds
    return kinds.prediction_kind if kinds else np.full(evaluation.tables.count("prediction"), NONE, np.int8)


def _label_error(evaluation: Evaluation) -> npt.NDArray[np.int8]:
    kinds = evaluation.error_kinds
    return kinds.label_kind if kinds else np.full(evaluation.tables.count("label"), NONE, np.int8)


def _reason(evaluation: Evaluation) -> npt.NDArray[np.int8]:
    return false_positive_reasons(evaluation.outcomes, evaluation.pairs.best_iou, evaluation.settings.iou)


EVALUATION_COLUMNS: dict[tuple[str, str], Callable[[Evaluation], npt.NDArray[Any]]] = {
    ("prediction", "matched_label_row"): lambda evaluation: evaluation.outcomes.matched_label,
    ("prediction", "matched_iou"): _matched_iou,
    ("prediction", "best_iou"): lambda evaluation: evaluation.pairs.best_iou,
    ("prediction", "counted"): lambda evaluation: evaluation.outcomes.counted,
    ("prediction", "error_code"): _prediction_error,
    ("prediction", "reason_code"): _reason,
    ("label", "matched_prediction_row"): lambda evaluation: evaluation.outcomes.matched_prediction,
    ("label", "counts"): lambda evaluation: evaluation.outcomes.label_counts,
    ("label", "error_code"): _label_error,
}
"""Columns that metrics may take, by level and name → how an evaluation gives them."""


def evaluation_columns(evaluation: Evaluation, plan: Plan) -> Sources:
    """What matching found, as columns: those that a step of the plan reads."""
    read = {(origin.level, origin.name) for step in plan.steps for origin in step.inputs.values()}
    return {key: column(evaluation) for key, column in EVALUATION_COLUMNS.items() if key in read}
