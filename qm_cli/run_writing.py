"""A scored dataset → the files of its run folder."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
from msgspec import Struct, field

from qm_cli import __version__, run_folder
from qm_cli.console import FOREIGN
from qm_cli.custom_values import custom_report
from qm_cli.dataset import DatasetFiles
from qm_cli.grid_tables import grid_tables
from qm_cli.insights import insights
from qm_cli.render.as_json import as_json
from qm_cli.render.summary_markdown import summary_markdown
from qm_cli.run_tables import evaluation_tables, sample_tables, vectors_by_row
from qm_cli.schema import SCHEMA_VERSION
from qm_cli.scores import write_parquet
from qm_cli.scoring import Scored
from qm_cli.settings import Settings
from qm_cli.storage import shown
from qm_cli.summary import all_findings, run_summary

IN_SUMMARY = ("thresholds",)
RECORDED_PACKAGES = ("numpy", "pyarrow", "duckdb", "opencv-python-headless", "pillow", "shapely")


class Parts(Struct, frozen=True):
    """data: the scores of the dataset itself; models: those of each model, the same object when there is one model.

    custom: the values of the user's own metrics, None where there are none. answers: what else was asked, by name; the
    summary keeps those IN_SUMMARY.
    """

    data: Scored
    models: Mapping[str, Scored]
    custom: pa.Table | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def several(self) -> bool:
        return len(self.models) > 1


def write_run(
    folder: Path, parts: Parts, files: DatasetFiles, settings: Settings, seed: int, started: float, told: bool = True
) -> dict[str, Any]:
    """Write tables, summary and manifest into `folder`; the summary. told: importances and outliers are in it.

    The parts have no vectors any more afterwards: those are let go before the rest is computed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        finishing = [_write_tables(threads, folder, parts.data, base=True)]
        if parts.several:
            for name, scored in parts.models.items():
                (folder / name).mkdir(parents=True)
                finishing.append(_write_tables(threads, folder / name, scored, base=False))
        inputs = threads.submit(_inputs, files)
        summary = run_summary(parts.data, parts.models)
        for report in summary["models"].values():
            if report is not None:
                report.update({name: parts.answers[name] for name in IN_SUMMARY if name in parts.answers})
        for finish in finishing:
            finish()
    for part in (parts.data, *parts.models.values()):
        part.scores.forget_vectors()
    if told:
        summary |= insights(folder, list(parts.models), settings, seed)
    if parts.custom is not None:
        write_parquet(parts.custom, folder / "custom_metric.parquet")
        summary["custom_metrics"] = custom_report(parts.custom)
    (folder / run_folder.SUMMARY).write_text(as_json(summary))
    (folder / "summary.md").write_text(summary_markdown(summary), errors=FOREIGN)
    manifest = _manifest(parts, files, inputs.result(), settings, seed, time.perf_counter() - started)
    (folder / run_folder.MANIFEST).write_text(as_json(manifest))
    return summary


def _write_tables(threads: ThreadPoolExecutor, folder: Path, scored: Scored, base: bool) -> Callable[[], None]:
    """Start to write the tables of a part, each as soon as it is made, and count its grid meanwhile; how to wait."""

    def write(tables: Iterable[tuple[str, pa.Table]]) -> list[Future[None]]:
        return [threads.submit(write_parquet, table, folder / f"{name}.parquet") for name, table in tables]

    evaluation = scored.evaluation
    grid = threads.submit(lambda: write(grid_tables(evaluation).items())) if evaluation else None
    writing = write(sample_tables(scored.tables, scored.scores, base))
    if evaluation:
        writing += write(evaluation_tables(evaluation, scored.analyses).items())
    for name, vectors, order in vectors_by_row(scored.tables, scored.scores):
        writing.append(threads.submit(write_parquet, vectors, folder / f"{name}.parquet", order))

    def finish() -> None:
        for file in [*writing, *(grid.result() if grid else ())]:
            file.result()

    return finish


def _inputs(files: DatasetFiles) -> dict[str, dict[str, Any]]:
    """What is known of each input file, by its part."""
    paths = {"labels": files.labels, **{f"predictions {name}": path for name, path in files.predictions.items()}}
    if files.embeddings is not None:
        paths["embeddings"] = files.embeddings
    return {name: input_facts(path) for name, path in paths.items() if path is not None}


def _manifest(
    parts: Parts, files: DatasetFiles, inputs: Mapping[str, Any], settings: Settings, seed: int, seconds: float
) -> dict[str, Any]:
    """Inputs with their SHA-256, settings, versions, seed, counts in and left out, and the time taken."""
    scored = [parts.data, *parts.models.values()]
    findings = list(dict.fromkeys(found for part in scored for found in all_findings(part)))
    return {
        "schema_version": SCHEMA_VERSION,
        "qm": __version__,
        "python": platform.python_version(),
        "packages": {name: version(name) for name in RECORDED_PACKAGES},
        "models": list(parts.models),
        "inputs": dict(inputs),
        "images": None if files.images is None else shown(files.images),
        "settings": _evaluated(scored, settings).as_dict(),
        "seed": seed,
        "embedders": {level: dict(facts) for part in scored for level, facts in part.embedders.items()},
        "predictions": {name: part.tables.count("prediction") for name, part in parts.models.items()},
        "rows": {level: parts.data.tables.count(level) for level in ("image", "category", "label")},
        "left_out": {found.code: found.count for found in findings if found.rule.drops},
        "findings": [found.as_dict() for found in findings],
        "seconds": round(seconds, 3),
    }


def _evaluated(scored: Sequence[Scored], settings: Settings) -> Settings:
    """The settings as the first evaluation of the run used them, as asked for where there was none."""
    return next((part.evaluation.settings for part in scored if part.evaluation), settings)


def input_facts(path: Path) -> dict[str, Any]:
    """Path, size and SHA-256 of an input file; the path alone for what is no regular file (stdin)."""
    if not path.is_file():
        return {"path": shown(path)}
    facts = path.stat()
    size = {"bytes": facts.st_size, "modified": facts.st_mtime_ns}
    return {"path": str(path.resolve()), **size, "sha256": run_folder.sha256_of(path)}
