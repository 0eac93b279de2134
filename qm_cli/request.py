"""What `qm score` is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from qm_cli import dataset
from qm_cli.dataset import DatasetFiles
from qm_cli.decode import PIXEL_LIMIT
from qm_cli.errors import InputError, UsageError, nearest
from qm_cli.image_task import Access
from qm_cli.kept_results import Kept
from qm_cli.scoring import LOCAL, Resources, Selection, selection
from qm_cli.settings import BOXES, Measure, Settings
from qm_cli.storage import shown


class Request(Struct, frozen=True):
    """A dataset folder (or a single image folder), and how to read and score it."""

    dataset: Path
    labels: Path | None = None
    predictions: tuple[Path, ...] = ()
    images: Path | None = None
    match_by: str = "id"
    map_categories: str | None = None
    missing_score: float | None = None
    prob_categories: tuple[str, ...] = ()
    task: str | None = None
    measure: Measure = BOXES
    settings: Settings = field(default_factory=Settings)
    metrics: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    plugins: tuple[Path, ...] = ()
    values: tuple[Path, ...] = ()
    embeddings: Path | None = None
    embedder: str | None = None
    thumbnails: bool = False
    limit: int | None = None
    seed: int = 0
    workers: int | None = None
    shards: int | None = None
    model: str | None = None
    backend: str = LOCAL
    ray_address: str | None = None
    resume: bool = False
    pixel_limit: int = PIXEL_LIMIT
    outside: bool = False

    def files(self) -> DatasetFiles:
        """The files of the dataset, of one model alone where it is named."""
        files = dataset.find(self.dataset, self.labels, self.predictions, self.images, self.embeddings)
        if self.embedder is not None and self.embeddings is not None:
            raise UsageError("--embeddings and --embedder exclude each other", "give one of them")
        if self.embedder is not None:
            files = replace(files, embeddings=None)
        if self.model is None:
            return files
        names = list(files.predictions)
        if self.model not in names:
            hint = nearest(self.model, names) or f"it has {', '.join(names) or 'none'}"
            raise InputError(f"{shown(files.root)}: no model {self.model!r}", hint)
        return replace(files, predictions={self.model: files.predictions[self.model]})

    def naming(self, files: DatasetFiles) -> dict[str, Any]:
        """How files name images and categories, and the score of those that have none."""
        own = {name: getattr(self, name) for name in ("match_by", "map_categories", "missing_score")}
        return {**own, "prob_categories": self.prob_categories or files.prob_categories}

    def resources(self, images: Path | None, kept: Kept | None = None) -> Resources:
        """Where its images are and who decodes them."""
        access = Access(self.pixel_limit, self.outside)
        return Resources(images, self.workers, self.shards, self.backend, self.ray_address, access, kept)

    def selection(self) -> Selection:
        named = () if self.embedder is None else (f"embedding.embedder={self.embedder}",)
        return selection(self.metrics, self.kinds, self.plugins, (*named, *self.set), self.seed, self.thumbnails)
