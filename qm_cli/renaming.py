"""User columns whose names the written tables need for something else are kept under another name, and told."""

from __future__ import annotations

from msgspec.structs import replace

from qm_cli import schema
from qm_cli.engine import Scores
from qm_cli.findings import Finding
from qm_cli.tables import LEVELS, Tables

PREFIX = "given_"
RESERVED = {"label": {"image_id", "category", "file_name"}, "prediction": {"image_id", "category", "file_name"}}


def with_free_names(tables: Tables, scores: Scores) -> Tables:
    """Metadata called like a metric that was computed, or like a column of every written table, becomes given_NAME."""
    findings: list[Finding] = []
    for level in LEVELS:
        table = tables.table(level)
        taken = (RESERVED.get(level, set()) | scores.columns.get(level, {}).keys()) - schema.known_columns(level).keys()
        clashes = [name for name in table.column_names if name in taken]
        if clashes:
            new = [_free(name, table.column_names) if name in taken else name for name in table.column_names]
            tables = replace(tables, **{level: table.rename_columns(new)}, _views={})
            findings.append(Finding("metadata-renamed", len(clashes), tuple(f"{level}.{name}" for name in clashes)))
    return tables.with_findings(findings)


def _free(name: str, names: list[str]) -> str:
    new = PREFIX + name
    while new in names:
        new = PREFIX + new
    return new
