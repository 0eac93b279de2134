"""Score one set of tables: evaluate where there is something to evaluate, then run the chosen metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import Struct, field
from msgspec.structs import replace

from qm_cli import catalog, engine
from qm_cli.analyses import EVERYTHING
from qm_cli.backends.local import open_backend, prepare
from qm_cli.backends.ray import open_cluster
from qm_cli.classification import ClassEvaluation
from qm_cli.classification_tables import evaluate_classes, holds_classes
from qm_cli.columns import Sources, available
from qm_cli.console import progress
from qm_cli.embedding import Embedder
from qm_cli.engine import Plan, Scores
from qm_cli.errors import UsageError
from qm_cli.evaluation import Evaluation, evaluate_tables
from qm_cli.evaluation_columns import class_columns, evaluation_columns, promised
from qm_cli.image_task import Access
from qm_cli.kept_results import Kept
from qm_cli.metric import Metric
from qm_cli.renaming import with_free_names
from qm_cli.settings import Settings, measure_name
from qm_cli.storage import stamps
from qm_cli.tables import Tables
from qm_cli.thumbnail import THUMBNAIL
from qm_cli.work import Backend

SEEDED = "seed"
LOCAL, RAY = "local", "ray"
EMBEDDING, FILE = "embedding", "file"
IMAGES_LOOKED_FOR = 100
WHOLE_IMAGE = "whole_image"
OF_WHOLE_IMAGES = ("image.neighbour_agreement",)


class Selection(Struct, frozen=True):
    """The metrics to run, all there are, and the options set for them; named: those asked for by their full names."""

    chosen: Mapping[str, Metric]
    known: Mapping[str, Metric]
    options: Mapping[str, Mapping[str, Any]]
    named: frozenset[str] = frozenset()

    def without(self, done: set[str]) -> Selection:
        """The same selection less the metrics that are done."""
        rest = {name: metric for name, metric in self.chosen.items() if name not in done}
        return replace(self, chosen=rest)

    def fitting(self, given: Sources) -> Selection:
        """Less what is of classes of whole images, where there are none; what is named stays, to be told why not."""
        return self if ("label", WHOLE_IMAGE) in given else self.without(set(OF_WHOLE_IMAGES) - self.named)


def selection(
    patterns: Sequence[str] = (),
    kinds: Sequence[str] = (),
    plugins: Sequence[Path] = (),
    settings: Sequence[str] = (),
    seed: int = 0,
    thumbnails: bool = False,
) -> Selection:
    """Metrics by pattern and kind, with the options of `--set`; the seed goes to every metric that takes one.

    thumbnails: those too, which no pattern names.
    """
    known = catalog.load(plugins)
    seeded = {metric.name: {SEEDED: seed} for metric in known.values() if SEEDED in metric.options}
    options = {name: dict(values) for name, values in seeded.items()}
    for name, values in catalog.options_from(known, settings).items():
        options.setdefault(name, {}).update(values)
    chosen, extra = catalog.select(known, patterns, kinds), {THUMBNAIL.id: THUMBNAIL} if thumbnails else {}
    if extra.keys() & known.keys():
        raise UsageError(f"metric {THUMBNAIL.id} has the name of what --thumbnails writes", "rename the metric")
    return Selection({**chosen, **extra}, {**known, **extra}, options, frozenset(",".join(patterns).split(",")))


class Resources(Struct, frozen=True):
    """Where the image files are, who decodes them, in how many tasks, and what is known of them from before."""

    images: Path | None = None
    workers: int | None = None
    shards: int | None = None
    backend: str = LOCAL
    ray_address: str | None = None
    access: Access = field(default_factory=Access)
    kept: Kept | None = None

    def prepared(self, chosen: Selection) -> None:
        """Start what opens image files beside the reading of the tables, where any metric is about pixels."""
        measures = any(metric.per_sample for metric in chosen.chosen.values())
        if measures and self.images is not None and self.backend == LOCAL and self.workers != 0:
            prepare()

    @contextmanager
    def opened(self) -> Iterator[Backend]:
        """The backend for as long as the block lasts. Raises UsageError for one that there is not."""
        if self.backend == RAY:
            if self.workers == 0:
                raise UsageError("--workers 0 is this process alone, not with --backend ray", "leave one out")
            with open_cluster(self.ray_address, self.workers) as cluster:
                yield cluster
        elif self.backend == LOCAL:
            with open_backend(self.workers) as processes:
                yield processes
        else:
            raise UsageError(f"--backend: {self.backend!r} is none of {LOCAL}, {RAY}", "")


class Scored(Struct, frozen=True):
    """Tables with their scores; evaluation is None where labels, predictions or boxes are missing, classes where there
    is a box or neither labels nor predictions.

    analyses: the names of those its report holds. embedders: level → what made its embeddings, as `run.json` says it.
    """

    tables: Tables
    plan: Plan
    scores: Scores
    evaluation: Evaluation | None
    analyses: tuple[str, ...] = EVERYTHING
    embedders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    classes: ClassEvaluation | None = None


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
    return folder if any(stamp is not None for stamp in stamps(str(folder), names)) else None


def score_tables(
    tables: Tables,
    chosen: Selection,
    settings: Settings,
    resources: Resources,
    analyses: tuple[str, ...] = EVERYTHING,
) -> Scored:
    """Evaluate, plan and run: every score of one model, or of the data alone."""
    resources = replace(resources, images=images_there(tables, resources.images))
    settings = settings.of(tables.measure)
    evaluation = evaluate_tables(tables, settings) if can_evaluate(tables) else None
    tables, given = without_vectors(tables)
    whole = whole_images(tables)
    classes = evaluate_classes(tables, settings) if evaluation is None and holds_classes(tables) else None
    of_classes = class_columns(tables, classes) if classes else {}
    chosen = chosen.without({f"{level}.{name}" for level, name in given}).fitting(whole)
    plan = plan_for(tables, chosen, {**_offered(tables), **of_classes, **given, **whole}, resources)
    sources = {**(evaluation_columns(evaluation, plan) if evaluation else of_classes), **given, **whole}
    embedders = embedders_of(plan, chosen, given)
    with resources.opened() as backend, progress("images") as advance:
        scores = engine.run(
            tables,
            plan,
            sources,
            resources.images,
            backend,
            resources.shards,
            chosen.options,
            advance,
            resources.access,
            resources.kept,
        )
    measure = measure_name(settings.task)
    told = {place: metric.measured_by(measure) for place, metric in scores.metrics.items()}
    scores = replace(scores, metrics=told)
    return Scored(with_free_names(tables, scores), plan, scores, evaluation, analyses, embedders, classes)


def whole_images(tables: Tables) -> Sources:
    """Which labels are of the whole image, having no box: bool[labels]; nothing where none is."""
    if not tables.label["bbox"].null_count:
        return {}
    return {("label", WHOLE_IMAGE): np.isnan(tables.values("label", "bbox")).any(axis=1)}


def without_vectors(tables: Tables) -> tuple[Tables, Sources]:
    """The tables less the embeddings that were read into them, and those as columns of their own: float32[n, d]."""
    if EMBEDDING not in tables.image.column_names or not pa.types.is_fixed_size_list(tables.image[EMBEDDING].type):
        return tables, {}
    vectors = np.asarray(tables.values("image", EMBEDDING), np.float32)
    bare = replace(tables, image=tables.image.drop_columns([EMBEDDING]), _views={})
    return bare, {("image", EMBEDDING): vectors}


def embedders_of(plan: Plan, chosen: Selection, sources: Sources) -> dict[str, dict[str, Any]]:
    """Level → what makes its embeddings: FILE for those read, else the embedder with its settings, found to work."""
    found: dict[str, dict[str, Any]] = {level: {"name": FILE} for level, name in sources if name == EMBEDDING}
    for metric in (step.metric for step in plan.steps):
        if metric.name == EMBEDDING and metric.vector and metric.built_in:
            options = engine.options_of(metric, chosen.options)
            facts = {**options, "name": options["embedder"]}
            embedder = Embedder(**{key: facts[key] for key in Embedder.__struct_fields__})
            found[metric.level] = embedder.facts()
    return found


def plan_for(tables: Tables, chosen: Selection, sources: Sources, resources: Resources) -> Plan:
    """What will run and what cannot, and why; nothing is computed."""
    have = available(tables, sources, images=resources.images is not None)
    return engine.plan(chosen.chosen, chosen.known, have)


def planned(tables: Tables, chosen: Selection, resources: Resources) -> Plan:
    """The plan of a run that has not evaluated yet."""
    resources = replace(resources, images=images_there(tables, resources.images))
    bare, given = without_vectors(tables)
    offered = _offered(bare)
    if not offered and holds_classes(bare):
        offered = class_columns(bare, evaluate_classes(bare, Settings()))
    whole = whole_images(bare)
    chosen = chosen.without({f"{level}.{name}" for level, name in given}).fitting(whole)
    return plan_for(bare, chosen, {**offered, **given, **whole}, resources)


def _offered(tables: Tables) -> Sources:
    """The columns an evaluation of these tables can give, where there can be one."""
    return promised(tables) if can_evaluate(tables) else {}
