"""A review queue → the terminal."""

from __future__ import annotations

from typing import Any

from qm_cli.render.terminal import plain_console, show_notes, show_prose, show_table

COLUMNS = ("id", "suspicion", "issue", "image", "suggestion", "score")


def show_review(report: dict[str, Any]) -> None:
    """How many of which reason, the queue, and what was written."""
    console = plain_console()
    model = f"{report['model']}: " if report["model"] else ""
    counts = ", ".join(f"{count} {reason}" for reason, count in report["reasons"].items())
    head = f"{model}{report['found']:,} to review ({counts}), {report['issues']:,} of them issues"
    show_prose(console, head, "bold")
    measure = "accuracy" if "accuracy" in report else "AP"
    rows = [
        (
            row["id"],
            row["suspicion"],
            "yes" if row["issue"] else "–",
            row["file_name"] or str(row["image_id"]),
            _suggestion(row),
            row["score"],
            "–" if row[f"delta_{measure}"] is None else f"{row[f'delta_{measure}']:+.6f}",
        )
        for row in report["queue"]
    ]
    if rows:
        show_table([*COLUMNS, f"Δ{measure}"], rows, prose=(COLUMNS.index("suggestion"),))
    if report["found"] > len(rows):
        left = report["found"] - len(rows)
        console.print(f"… and {left:,} more: --top {report['found']} shows all", style="dim", highlight=False)
    show_notes(report["notes"], console)
    patch = report.get("patch")
    if patch:
        done = f"{patch['accepted']:,} of {report['found']:,} suggestions accepted: the labels are in {patch['file']}"
        console.print(done, style="green", highlight=False, markup=False, soft_wrap=True)
        if patch["left_out"]:
            left = f"{patch['left_out']:,} left out, since they would lower {measure}: --allow-loss accepts them too"
            show_prose(console, left)
        if patch["competing"]:
            left = f"{patch['competing']:,} left out, since another that adds more takes the same label or prediction"
            show_prose(console, f"{left}: --accept names those to accept")
        if None not in (report[measure], patch[measure]):
            show_prose(console, f"{measure} {report[measure]:.4f} → {patch[measure]:.4f} with these labels")


def _suggestion(row: dict[str, Any]) -> str:
    """What to do, in a few words; boxes in whole pixels."""
    box = (
        "" if row["suggested_bbox"] is None else "[" + ", ".join(f"{side:.0f}" for side in row["suggested_bbox"]) + "]"
    )
    words = {
        "add label": f"add {row['suggested_category']} {box}",
        "remove label": f"remove {row['category']}",
        "change category": f"{row['category']} → {row['suggested_category']}",
        "change box": f"move {row['category']} to {box}",
        "change shape": f"draw {row['category']} anew in {box}",
    }
    return words[row["action"]]
