"""No command prints a line of more than 100 columns into a pipe, but for paths and commands, which nobody may cut."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from qm_cli.main import run as command_line
from qm_cli.table_widths import PIPE_COLUMNS
from tests.sample_run import BETTER, LABELS, SAMPLE, WORSE

RUN = "RUN"
ANSWERS = (0, 1, 3)
FILES = ("evaluate", str(LABELS), str(BETTER))
COMMANDS = [
    FILES,
    (*FILES, "--errors", "--calibration", "--lrp"),
    (*FILES, "--explain"),
    (*FILES, "--thresholds", "precision=0.9"),
    (*FILES, "--grid"),
    (*FILES, "--at", "confidence=0.35,iou=0.6"),
    (*FILES, "--examples", "predicted=car,true=van"),
    *((*FILES, "--convention", name) for name in ("ultralytics", "voc12", "encord", "labelbox", "labelbox-sdk")),
    ("check", str(SAMPLE)),
    ("rank", RUN, "--model", "better", "-a", "entropy", "--top", "9", "--back-test"),
    ("gate", RUN, "--model", "better", "--min", "AP50=0.7", "--min", "recall@van=0.8", "--confidence-level", "0.95"),
    ("compare", RUN, "--model", "worse", "--model-b", "better", "--by", "weather", "--resamples", "200"),
    ("drift", RUN, RUN, "--model", "better", "--model-b", "worse"),
    ("review", RUN, "--model", "better"),
    ("importance", RUN, "--model", "better", "--by", "label", "--permutations", "20"),
    ("importance", RUN, "--model", "better", "--permutations", "20"),
    ("importance", RUN, "--model", "better", "--metric", "label.area_relative", "--by-category"),
    ("slices", RUN, "--model", "better", "--by", "weather", "--resamples", "50"),
    ("slices", RUN, "--model", "better", "--discover"),
    ("describe", RUN),
    *(("describe", RUN, "--model", "better", "--level", level) for level in ("label", "prediction")),
    ("describe", RUN, "--model", "better", "--level", "label", "--by", "annotator"),
    ("outliers", RUN),
    ("outliers", RUN, "--level", "label", "--by", "category"),
    ("query", RUN, "SELECT * FROM image LIMIT 2"),
    ("similar", RUN, "--to", "41"),
    ("similar", RUN, "--to", "41", "--level", "label"),
    ("metrics",),
    ("metrics", "entropy"),
    ("score", str(SAMPLE), "--dry-run"),
]


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The run of every metric, and the lines that scoring it printed."""
    place, out = tmp_path_factory.mktemp("width") / "run", io.StringIO()
    with contextlib.redirect_stdout(out):
        assert command_line(["score", str(SAMPLE), "-o", str(place), "--quiet"]) == 0
    return place, out.getvalue().splitlines()


@pytest.fixture(scope="module")
def whole_run(scored: tuple[Path, list[str]]) -> Path:
    return scored[0]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command).replace(str(SAMPLE), "SAMPLE"))
def test_lines_fit(command: tuple[str, ...], whole_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line([str(whole_run) if word == RUN else word for word in command]) in ANSWERS
    for line in capsys.readouterr().out.splitlines():
        named = line.replace(str(whole_run), "RUN").replace(str(SAMPLE), "SAMPLE")
        assert len(named) <= PIPE_COLUMNS, named


def test_two_leaking_sets_fit(whole_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line(["leakage", str(whole_run), str(SAMPLE)]) in ANSWERS
    lines = [line.replace(str(SAMPLE), "").replace(str(whole_run), "") for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, lines)) <= PIPE_COLUMNS


def test_a_summary_fits_a_screen(scored: tuple[Path, list[str]]) -> None:
    lines = scored[1]
    assert len(lines) <= 42
    assert lines[2].startswith("worth a look")
    commands = ("        → ", "next: ", "      qm ", "Scores ")
    assert all(len(line) <= PIPE_COLUMNS for line in lines if not line.startswith(commands))


def test_models_of_files_fit(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line(["compare", str(LABELS), str(WORSE), str(BETTER), "--resamples", "200"]) == 0
    lines = [line.replace(str(SAMPLE), "") for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, lines)) <= PIPE_COLUMNS
