"""Reports → the terminal. Everything shown is read from the same data that --json prints."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from qm_cli.analysis.summary_numbers import last_recall
from qm_cli.headlines import category_headline, own_numbers
from qm_cli.settings import measure_name
from qm_cli.table_widths import GAP, NARROW_GAP, PIPE_COLUMNS, fitted, next_fitting, total

CATEGORIES_SHOWN = 20
CELLS_SHOWN = 8
WIDE_COLUMNS = 8
WORD = re.compile(r"[^\W\d_]{2}")
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
PIPE_WIDTH = 1 << 16
WORD_WIDTH, HEADING_WIDTH = 12, 6
"""On a terminal too narrow for a table its words, and at last its headings, are folded to no less."""
READABLE = 2
"""The narrowest stage of a table's layout in which a row is read at a glance."""


def show_evaluation(report: dict[str, Any], show_more: Callable[[Console, dict[str, Any]], None] | None = None) -> None:
    """The numbers of one model, its categories and what it confuses; `show_more` comes before the notes."""
    console = plain_console()
    console.print(_headline(report), style="bold", highlight=False, markup=False)
    if report["convention"] == "coco":
        print_table_on(console, *_precision_table(report))
    else:
        _show_own_numbers(console, report)
    at = f"at {measure_name(report['task'])} {report['iou']:g}, confidence {report['confidence']:g}"
    print_table_on(console, [at, "micro", "macro", "", "count"], _rate_rows(report))
    _show_categories(console, report)
    _show_confusion(console, report["confusion"])
    if show_more is not None:
        show_more(console, report)
    show_notes(report["notes"], console)


def _show_own_numbers(console: Console, report: dict[str, Any]) -> None:
    """The numbers that only this convention defines, with their parameters."""
    metrics = report["metrics"]
    rows = [(name, metrics[name], report["definitions"][name]) for name in own_numbers(report) if name in metrics]
    if rows:
        print_table_on(console, [f"convention {report['convention']}", "value", "what it is"], rows, prose=(2,))


def _headline(report: dict[str, Any]) -> str:
    sizes = f"{report['images']:,} images, {report['labels']:,} labels, {report['predictions']:,} predictions"
    found = f" ({report['task_found']})" if report["task_found"] not in ("default", "given") else ""
    return f"{report['task']}{found}, convention {report['convention']}: {sizes}"


def _precision_table(report: dict[str, Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
    metrics, limits, keypoints = report["metrics"], sorted(report["max_detections"]), report["task"] == "keypoints"
    measure = measure_name(report["task"])
    columns = ["", "all", *(area["name"] for area in report["area_ranges"]), f"{measure} .50", f"{measure} .75"]
    suffixes = [area["suffix"] for area in report["area_ranges"]]
    last = metrics[last_recall(limits, report["task"])]
    precision = ("AP", metrics["AP"], *(metrics[f"AP{one}"] for one in suffixes), metrics["AP50"], metrics["AP75"])
    by_threshold = (metrics["AR50"], metrics["AR75"]) if keypoints else (None, None)
    recall = ("AR", last, *(metrics[f"AR{one}"] for one in suffixes), *by_threshold)
    blanks = [None] * (len(recall) - 2)
    best = [] if keypoints else [(f"AR, best {limit}", metrics[f"AR{limit}"], *blanks) for limit in limits[:-1]]
    return columns, [precision, recall, *best]


def _rate_rows(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Rates over all predictions and over categories, beside the counts."""
    metrics, beta = report["metrics"], report["beta"]
    rates = [("precision", "precision"), ("recall", "recall"), ("F1", "f1")]
    rates += [] if beta is None else [(f"F{beta:g}", "f_beta")]
    rates += [(f"mean {measure_name(report['task'])} of true positives", "mean_iou")]
    counts = [("true positives", "true_positives"), ("false positives", "false_positives")]
    counts += [("false negatives", "false_negatives"), *[("", "")] * (len(rates) - 3)]
    return [
        (kind, metrics[rate], metrics[f"{rate}_macro"], label, metrics[name] if name else "")
        for (kind, rate), (label, name) in zip(rates, counts, strict=True)
    ]


def _show_categories(console: Console, report: dict[str, Any]) -> None:
    """Categories by falling number of labels."""
    categories = report["categories"]
    names = [name for name in category_headline(report) if name != "AP75"]
    columns = ["category", "labels", "predictions", *names]
    ordered = sorted(categories, key=lambda row: -row["labels"])
    rows = [
        tuple(row["name" if column == "category" else column] for column in columns)
        for row in ordered[:CATEGORIES_SHOWN]
    ]
    print_table_on(console, columns, rows)
    if len(ordered) > CATEGORIES_SHOWN:
        console.print(
            f"… and {len(ordered) - CATEGORIES_SHOWN} more categories: --json has all", style="dim", highlight=False
        )


def _show_confusion(console: Console, confusion: dict[str, Any]) -> None:
    """The largest cells off the diagonal."""
    cells = [cell for cell in confusion["cells"] if cell["true"] != cell["predicted"]]
    named = [cell for cell in cells if None not in (cell["true"], cell["predicted"])][:CELLS_SHOWN]
    if named:
        rows = [(cell["true"], cell["predicted"], cell["count"]) for cell in named]
        print_table_on(console, ["most confused: true", "predicted", "count"], rows)


def show_notes(notes: Iterable[str], console: Console | None = None) -> None:
    """Each note after its word; one longer than a line goes on below, no word of it cut."""
    console = console or plain_console()
    for note in notes:
        show_prose(console, f"note: {note}", "yellow", "      ")


def show_prose(console: Console, text: str, style: str | None = None, indent: str = "") -> None:
    """Words on as many lines as they take, those after the first indented; no path or name is cut."""
    wrapper = textwrap.TextWrapper(
        _room(console), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    for line in wrapper.wrap(text) or [""]:
        console.print(line, style=style, highlight=False, markup=False, soft_wrap=True)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], prose: Sequence[int] = ()) -> None:
    """Any table of data; one of many columns that is too wide is shown row by row, a line a value."""
    console, rows = plain_console(), list(rows)
    layout = _Layout(columns, rows, prose)
    least = layout.stages[READABLE if console.is_terminal else 0]
    if len(columns) < WIDE_COLUMNS or total(least) <= _room(console):
        print_table_on(console, columns, rows, prose=prose)
        return
    for row in rows:
        print_table_on(console, ["column", "value"], zip(columns, row, strict=True))


def plain_console() -> Console:
    """Rich's own rules decide on colour (NO_COLOR, a terminal); a pipe gets lines that are never cut."""
    console = _Console(soft_wrap=False)
    return console if console.is_terminal else _Console(width=PIPE_WIDTH)


class _Console(Console):
    """Rich leaves with exit code 1 when the reader has gone; here that is for the error door to judge."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _room(console: Console) -> int:
    return console.width if console.is_terminal else PIPE_COLUMNS


def print_table_on(
    console: Console,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    left: Sequence[int] = (0,),
    prose: Sequence[int] = (),
) -> None:
    """A table; where it is too wide, headings and prose are wrapped; on a narrow terminal all words are, numbers never.

    left: the columns that begin at their left edge, beside those of words. prose: the columns that may take several
    lines; all others have one where there is room. Nothing is cut: what no wrapping makes fit is wider than the screen.
    """
    rows, room = list(rows), _room(console)
    layout = _Layout(columns, rows, prose)
    least = next_fitting(layout.stages if console.is_terminal else layout.stages[:1], room)
    narrow = least is not layout.stages[0]
    gap = NARROW_GAP if console.is_terminal and total(least) > room else GAP
    widths = fitted(layout.natural, least, room, gap)
    table = Table(box=None, pad_edge=False, collapse_padding=gap == NARROW_GAP, header_style="bold cyan")
    for place, column in enumerate(columns):
        table.add_column(
            Text(_visible(column), no_wrap=False, overflow="fold"),
            justify="left" if place in {*left, *prose, *layout.words} else "right",
            width=widths[place],
        )
    for row in rows:
        table.add_row(
            *(_cell(value, place in prose or (narrow and place in layout.texts)) for place, value in enumerate(row))
        )
    options = console.options.update(max_width=max(console.width, total(widths)))
    lines = [[*_stripped(line), Segment.line()] for line in console.render_lines(table, options, pad=False)]
    console.print(Segments([segment for line in lines for segment in line]), soft_wrap=True)
    console.print()


def _stripped(line: list[Segment]) -> list[Segment]:
    """A line without the blanks at its end."""
    while line and not line[-1].text.strip():
        line.pop()
    return [*line[:-1], Segment(line[-1].text.rstrip(), line[-1].style)] if line else []


class _Layout:
    """How wide a table's columns are, naturally and at least; which of them hold texts, and which of these words.

    stages: the least widths, each list narrower than the one before. First cells have one line and prose one word a
    line, then headings of numbers are folded as well, then words, then all texts are wrapped, then words folded again.
    """

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], prose: Sequence[int]) -> None:
        texts = [[_visible(row[place]) for row in rows] for place in range(len(columns))]
        columns = [_visible(name) for name in columns]
        self.natural = [_longest([name, *cells]) for name, cells in zip(columns, texts, strict=True)]
        self.texts = {place for place in range(len(columns)) if any(isinstance(row[place], str) for row in rows)}
        self.words = {place for place in self.texts if any(map(WORD.match, texts[place]))} | {*prose}
        self.stages: list[list[int]] = [[] for _ in range(READABLE + 3)]
        for place, (name, cells) in enumerate(zip(columns, texts, strict=True)):
            word = _longest([word for cell in cells for word in cell.split()])
            whole = word if place in prose else _longest(cells)
            heading = _longest(name.split())
            folded = [whole, word, word] if place in self.texts else [whole] * 3
            if place in self.words:
                folded = [min(whole, WORD_WIDTH), min(word, WORD_WIDTH), min(word, HEADING_WIDTH)]
            kept = READABLE if place in self.words else 0
            for number, cell in enumerate([whole, whole, *folded]):
                least = heading if number <= kept else min(heading, HEADING_WIDTH)
                self.stages[number].append(max(least, cell))


def _longest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts), default=0)


def _cell(value: Any, wrapped: bool = False) -> Text:
    """A value that is not taken for markup."""
    text = _visible(value)
    return Text(text, overflow="fold") if wrapped else Text(text, no_wrap=True, overflow="ellipsis")


def _visible(value: Any) -> str:
    """A value as it is shown, with a sign in place of each character that steers a terminal."""
    return CONTROLS.sub("�", shown(value))


def shown(value: Any) -> str:
    """A value as people read it: 4 decimals, thousands apart, a dash for undefined.

    >>> shown(0.69697), shown(36559), shown(None)
    ('0.6970', '36,559', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, bool | str):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def short(value: float | None) -> str:
    """A number in few characters: 3 digits, thousands whole.

    >>> short(0.12345), short(76800.0), short(None)
    ('0.123', '76,800', '–')
    """
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def chance(p: float | None) -> str | None:
    """A p-value as people read it.

    >>> chance(0.00001), chance(0.25)
    ('< .001', '0.2500')
    """
    return "< .001" if p is not None and p < 0.001 else None if p is None else shown(p)
