"""What two sets share → the terminal."""

from __future__ import annotations

from typing import Any

from qm_cli.render.terminal import plain_console, print_table_on, show_notes, shown

SHOWN = 20
NUMBERS = ("images", "AP", "AP50", "precision", "recall", "f1")


def show_leakage(report: dict[str, Any]) -> None:
    """How many images leak and how, the first of them, and the evaluation with and without."""
    console = plain_console()
    train, validation = report["train"], report["validation"]
    share = "" if report["share"] is None else f" ({100 * report['share']:.1f} %)"
    title = f"{report['leaked']:,} of {validation['images']:,} images{share} of {validation['target']}"
    console.print(f"{title} are in {train['target']} too", style="bold", markup=False, highlight=False)
    print_table_on(console, ["kind", "images"], [(kind, count) for kind, count in report["counts"].items()])
    rows = [
        (_name(row, ""), row["kind"], _name(row, "train_"), row["bits"] if row["kind"] == "near" else row["recording"])
        for row in report["images"][:SHOWN]
    ]
    if rows:
        print_table_on(console, ["image", "kind", "in training", "bits apart, or recording"], rows)
    if len(report["images"]) > SHOWN:
        console.print(f"… and {len(report['images']) - SHOWN:,} more: --json has all", highlight=False)
    if report["evaluation"]:
        numbers = [name for name in NUMBERS if name in report["evaluation"]["all"]]
        parts = [
            (name.replace("_", " "), *(part[one] for one in numbers)) for name, part in report["evaluation"].items()
        ]
        print_table_on(console, ["evaluated on", *numbers], parts)
    show_notes(report["notes"], console)


def _name(row: dict[str, Any], prefix: str) -> str:
    return shown(row[f"{prefix}file_name"] or row[f"{prefix}id"])
