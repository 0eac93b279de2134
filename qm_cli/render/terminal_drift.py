"""The drift between two sets → the terminal."""

from __future__ import annotations

from typing import Any

from qm_cli.render.terminal import plain_console, print_table_on, show_notes, shown


def show_drift(report: dict[str, Any]) -> None:
    """Every number, those that drifted most first, each distance beside its noise floor; then the category mix."""
    console = plain_console()
    console.print(f"A {_named(report['a'])}, B {_named(report['b'])}", style="bold", markup=False, highlight=False)
    rows = sorted(report["metrics"], key=lambda row: (not row["drifted"], -_excess(row)))
    columns = ["metric", "median A", "median B", "KS", "floor", "p", "Wasserstein", "floor", "PSI", "floor", ""]
    cells = [
        (
            row["metric"],
            row["a"]["median"],
            row["b"]["median"],
            row["ks"],
            row["ks_floor"],
            row["p"],
            *(row[name] for name in ("wasserstein", "wasserstein_floor", "psi", "psi_floor")),
            "drift" if row["drifted"] else "",
        )
        for row in rows
    ]
    print_table_on(console, columns, cells)
    mixes = [
        (
            f"categories of {row['level']}s",
            *(row[name] for name in ("psi", "psi_floor", "total_variation", "total_variation_floor")),
            "drift" if row["drifted"] else "",
        )
        for row in report["mixes"]
    ]
    if mixes:
        print_table_on(console, ["mix", "PSI", "floor", "total variation", "floor", ""], mixes)
    show_notes(report["notes"], console)
    count = sum(row["drifted"] for row in [*report["metrics"], *report["mixes"]])
    console.print(f"{count} of {shown(len(rows) + len(mixes))} above the noise floor", highlight=False)


def _named(side: dict[str, Any]) -> str:
    model = f" {side['model']}" if side["model"] else ""
    return f"{side['target']}{model} ({side['images']:,} images)"


def _excess(row: dict[str, Any]) -> float:
    """How many times its floor the KS distance is."""
    return float(row["ks"] / row["ks_floor"]) if row["ks"] is not None and row["ks_floor"] else 0.0
