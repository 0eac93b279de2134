"""The drift between two sets → the terminal."""

from __future__ import annotations

from typing import Any

from qm_cli.render.terminal import plain_console, print_table_on, show_notes, shown


def show_drift(report: dict[str, Any]) -> None:
    """Every number, those that drifted most first, each distance beside its noise floor; then the category mix."""
    console = plain_console()
    console.print(f"A {_named(report['a'])}, B {_named(report['b'])}", style="bold", markup=False, highlight=False)
    rows = sorted(report["metrics"], key=lambda row: (not row["drifted"], -_excess(row)))
    columns = ["metric", "median A", "median B", "KS (floor)", "p", "Wasserstein (floor)", "PSI (floor)", ""]
    cells = [
        (
            row["metric"],
            _median(row["a"]),
            _median(row["b"]),
            _beside(row, "ks"),
            row["p"],
            *(_beside(row, name) for name in ("wasserstein", "psi")),
            "drift" if row["drifted"] else "",
        )
        for row in rows
    ]
    print_table_on(console, columns, cells)
    mixes = [
        (
            f"categories of {row['level']}s",
            *(_beside(row, name) for name in ("psi", "total_variation")),
            "drift" if row["drifted"] else "",
        )
        for row in report["mixes"]
    ]
    if mixes:
        print_table_on(console, ["mix", "PSI (floor)", "total variation (floor)", ""], mixes)
    show_notes(report["notes"], console)
    count = sum(row["drifted"] for row in [*report["metrics"], *report["mixes"]])
    console.print(f"{count} of {shown(len(rows) + len(mixes))} above the noise floor", highlight=False)


def _beside(row: dict[str, Any], name: str) -> str | None:
    """A distance and, in brackets, what chance alone makes of it."""
    value, floor = row[name], row[f"{name}_floor"]
    if value is None:
        return None
    return f"{_short(value)} ({'–' if floor is None else _short(floor)})"


def _median(side: dict[str, Any]) -> str | None:
    return None if side["median"] is None else _short(side["median"])


def _short(value: float) -> str:
    """A number in at most 7 characters.

    >>> _short(0.12345), _short(76800.0), _short(3.14159)
    ('0.123', '76,800', '3.14')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _named(side: dict[str, Any]) -> str:
    model = f" {side['model']}" if side["model"] else ""
    return f"{side['target']}{model} ({side['images']:,} images)"


def _excess(row: dict[str, Any]) -> float:
    """How many times its floor the KS distance is."""
    return float(row["ks"] / row["ks_floor"]) if row["ks"] is not None and row["ks_floor"] else 0.0
