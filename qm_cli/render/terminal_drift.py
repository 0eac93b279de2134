"""The drift between two sets → the terminal."""

from __future__ import annotations

from typing import Any

from qm_cli.render.terminal import chance, plain_console, print_table_on, short, show_notes, show_prose, shown

LEAST_SHOWN, ROWS_SHOWN = 10, 40
FLOOR = (
    "KS: the largest difference of the cumulative shares, 0..1; PSI: population stability index; floor: what two sets"
    " of these sizes show by chance; drift: KS or PSI above its floor"
)


def show_drift(report: dict[str, Any]) -> None:
    """Every number, those that drifted most first, each distance beside its noise floor; then the category mix."""
    console = plain_console()
    console.print(f"A {_named(report['a'])}, B {_named(report['b'])}", style="bold", markup=False, highlight=False)
    rows = sorted(report["metrics"], key=lambda row: (not row["drifted"], -_excess(row)))
    drifted = sum(row["drifted"] for row in rows)
    told = rows[: min(max(drifted, LEAST_SHOWN), ROWS_SHOWN)]
    columns = ["metric", "median A", "median B", "KS (floor)", "p", "PSI (floor)", "verdict"]
    cells = [
        (
            row["metric"],
            *(None if side["median"] is None else short(side["median"]) for side in (row["a"], row["b"])),
            _beside(row, "ks"),
            chance(row["p"]),
            _beside(row, "psi"),
            "drift" if row["drifted"] else "–",
        )
        for row in told
    ]
    print_table_on(console, columns, cells)
    if len(rows) > len(told):
        left = f"… and {len(rows) - len(told):,} more metrics"
        show_prose(console, f"{left}, {drifted - min(drifted, len(told))} of them drifted: --json has all", "dim")
        console.print()
    mixes = [
        (
            f"categories of {row['level']}s",
            *(_beside(row, name) for name in ("psi", "total_variation")),
            "drift" if row["drifted"] else "–",
        )
        for row in report["mixes"]
    ]
    if mixes:
        print_table_on(console, ["mix", "PSI (floor)", "total variation (floor)", "verdict"], mixes)
    show_notes(report["notes"], console)
    show_prose(console, FLOOR, "dim", "  ")
    count = sum(row["drifted"] for row in [*report["metrics"], *report["mixes"]])
    console.print(f"{count} of {shown(len(rows) + len(mixes))} above the noise floor", highlight=False)


def _beside(row: dict[str, Any], name: str) -> str | None:
    """A distance and, in brackets, what chance alone makes of it."""
    value, floor = row[name], row[f"{name}_floor"]
    if value is None:
        return None
    return f"{short(value)} ({'–' if floor is None else short(floor)})"


def _named(side: dict[str, Any]) -> str:
    model = f" {side['model']}" if side["model"] else ""
    return f"{side['target']}{model} ({side['images']:,} images)"


def _excess(row: dict[str, Any]) -> float:
    """How many times its floor the KS distance is."""
    return float(row["ks"] / row["ks_floor"]) if row["ks"] is not None and row["ks_floor"] else 0.0
