"""The cases: what is timed side by side, and the bars."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import prepare
from bars import Bar
from timing import Command

FAST_PEERS = ("hotcoco", "ultrafast_pycocotools")
SLOW_PEERS = ("faster_coco_eval", "pycocotools")
BARE = tuple(f"{peer} bare" for peer in FAST_PEERS)
COCO = "hotcoco's coco eval"
SMALL_IMAGES, LARGE_IMAGES, RUN_IMAGES = 5_000, 50_000, 1_000_000


@dataclass(frozen=True)
class Case:
    """Commands that do the same work, how often they take turns, and the bars on them."""

    name: str
    title: str
    commands: tuple[Command, ...]
    bars: tuple[Bar, ...]
    rounds: int
    inputs: tuple[Path, ...] = ()  # folders no command may write to
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setup:
    """The command to be measured, and whether slow commands are left out."""

    qm: Path
    quick: bool = False


def bare(peer: str, data: Path, once: bool = False) -> Command:
    """The bare script of a peer on the JSON files of a data folder."""
    python, peers = str(prepare.peers_bin() / "python"), prepare.HERE / "peers"
    arguments = (peer, str(data / "labels.json"), str(data / "predictions.json"))
    script, twelve = (python, str(peers / "bare.py"), *arguments), (python, str(peers / "twelve.py"), *arguments)
    return Command(f"{peer} bare", script, twelve, once)


def coco(data: Path, once: bool = False, analyses: tuple[str, ...] = ()) -> Command:
    """hotcoco's own command."""
    files = ("--gt", str(data / "labels.json"), "--dt", str(data / "predictions.json"))
    argv = (str(prepare.peers_bin() / "coco"), "eval", *analyses)
    return Command(COCO, (*argv, *files), (*argv, "--json", *files) if not analyses else (), once)


def evaluate(qm: Path, data: Path, name: str = "qm", predictions: str = "predictions.json") -> Command:
    """`qm evaluate` on the files of a data folder."""
    argv = (str(qm), "evaluate", str(data / "labels.json"), str(data / predictions))
    return Command(name, argv, (*argv, "--json"))


def evaluate_small(setup: Setup) -> Case:
    """500,000 detections: every peer, hotcoco's command, and Parquet."""
    data = prepare.detections(SMALL_IMAGES)
    commands = [evaluate(setup.qm, data), evaluate(setup.qm, data, "qm, Parquet", "predictions.parquet")]
    commands += [*(bare(peer, data) for peer in FAST_PEERS), coco(data)]
    commands += [] if setup.quick else [bare(peer, data, once=True) for peer in SLOW_PEERS]
    bars = (
        Bar("time beside the fastest bare script", "qm", BARE, 1.75, aim=1.0),
        Bar("time beside hotcoco's own command", "qm", (COCO,), 0.25),
        Bar("time with Parquet beside the fastest bare script on JSON", "qm, Parquet", BARE, 1.0),
        Bar("peak memory beside hotcoco's own command", "qm", (COCO,), 0.6, measure="peak"),
    )
    return Case("evaluate-500k", "qm evaluate, 500,000 detections", tuple(commands), bars, 9, (data,))


def grid(setup: Setup) -> Case:
    """Counts, rates and a confusion matrix at each of 11 × 11 confidences and IoU thresholds, above the AP run."""
    data = prepare.detections(SMALL_IMAGES)
    plain = evaluate(setup.qm, data)
    argv = (*plain.argv, "--grid", "--at", "confidence=0.3,iou=0.6")
    every_cell = Command("qm, 11 × 11 cells", argv, (*argv, "--json"))
    bars = (Bar("time above the AP run", every_cell.name, (plain.name,), 1.0, kind="difference"),)
    return Case("grid", "qm evaluate --grid, 500,000 detections", (plain, every_cell), bars, 9, (data,))


def evaluate_large(setup: Setup) -> Case:
    """5,000,000 detections: the fast peers, and qm itself on a tenth of the data."""
    data, tenth = prepare.detections(LARGE_IMAGES), prepare.detections(SMALL_IMAGES)
    commands = [evaluate(setup.qm, data), evaluate(setup.qm, data, "qm, Parquet", "predictions.parquet")]
    commands += [*(bare(peer, data) for peer in FAST_PEERS), coco(data, once=True)]
    a_tenth = Command("qm, a tenth of the data", evaluate(setup.qm, tenth).argv)
    bars = (
        Bar("time beside the fastest bare script", "qm", BARE, 1.3, aim=1.0),
        Bar("time with Parquet beside the fastest bare script on JSON", "qm, Parquet", BARE, 1.0),
        Bar("peak memory beside hotcoco's own command", "qm", (COCO,), 0.6, measure="peak"),
        Bar("peak memory beside hotcoco's bare script", "qm", ("hotcoco bare",), 1.0, measure="peak"),
        Bar("time for ten times the data", "qm", (a_tenth.name,), 10.5),
    )
    return Case("evaluate-5m", "qm evaluate, 5,000,000 detections", (*commands, a_tenth), bars, 5, (data, tenth))


def everything(setup: Setup) -> Case:
    """Every analysis at once, per image and per prediction in Parquet, beside hotcoco's own on the screen."""
    data = prepare.detections(SMALL_IMAGES)
    plain = evaluate(setup.qm, data)
    run = ("--everything", "--output", str(prepare.DATA / "everything-run"))
    commands = (
        Command("qm, everything and Parquet", (*plain.argv, *run)),
        Command("qm, everything", (*plain.argv, "--everything")),
        plain,
        coco(data, analyses=("--tide", "--diagnostics", "--calibration", "--json")),
    )
    bars = (
        Bar("time beside hotcoco's command with its analyses", commands[0].name, (COCO,), 0.4),
        Bar("time of the analyses above the plain run", commands[1].name, ("qm",), 0.6, kind="difference"),
    )
    return Case("everything", "qm evaluate --everything, 500,000 detections", commands, bars, 7, (data,))


def start_up(setup: Setup) -> Case:
    """Help and the list of metrics beside an empty Typer app with the same commands and options."""
    folder, note = prepare.empty_app(setup.qm)
    empty, with_numpy = ((sys.executable, str(folder / kind / "qm")) for kind in ("plain", "numpy"))
    commands = (
        Command("qm --help", (str(setup.qm), "--help")),
        Command("empty app --help", (*empty, "--help")),
        Command("qm metrics", (str(setup.qm), "metrics")),
        Command("empty app with numpy", (*with_numpy, "metrics")),
    )
    bars = (
        Bar("help beside an empty app", "qm --help", ("empty app --help",), 1.25),
        Bar("metrics beside an empty app that imports numpy", "qm metrics", ("empty app with numpy",), 1.5),
    )
    return Case("start-up", "start-up", commands, bars, 21, notes=(note,))


def rank(setup: Setup) -> Case:
    """The 500 images to label next, of a run of a million."""
    run = prepare.run_folder(RUN_IMAGES)
    folder, note = prepare.empty_app(setup.qm)
    arguments = ("rank", str(run), "--acquisition", "entropy", "--top", "500")
    commands = (
        Command("qm rank", (str(setup.qm), *arguments)),
        Command("empty app with numpy", (sys.executable, str(folder / "numpy" / "qm"), *arguments)),
    )
    bars = (Bar("time above an empty app that imports numpy", "qm rank", (commands[1].name,), 1.0, kind="difference"),)
    return Case("rank", "qm rank, a run of 1,000,000 images", commands, bars, 9, (run,), (note,))


CASES: dict[str, Callable[[Setup], Case]] = {
    "evaluate-500k": evaluate_small,
    "evaluate-5m": evaluate_large,
    "everything": everything,
    "grid": grid,
    "start-up": start_up,
    "rank": rank,
}
NOT_QUICK = ("evaluate-5m",)
