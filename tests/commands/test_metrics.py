"""qm metrics from the command line, and what it must not import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from qm_cli.catalog import load
from qm_cli.main import run

Captured = pytest.CaptureFixture[str]
ACQUISITION = {
    "entropy": "highest",
    "least_confidence": "highest",
    "margin": "lowest",
    "variance": "lowest",
    "mean_object_score": "lowest",
}
PLUGIN = '''
from qm_cli.metric import metric


@metric(level="image", kind="data", unit="px", range=(0, None), better="higher")
def tallness(height):
    """Height again."""
    return height
'''


def test_every_metric_is_listed(capsys: Captured) -> None:
    assert run(["metrics"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {metric.name} " in text for metric in load(()).values())
    assert run(["metrics", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["metrics"]
    assert {one["id"] for one in listed} == set(load(()))
    assert all(one["meaning"] and one["kind"] and one["better"] for one in listed)


def test_filters(capsys: Captured) -> None:
    assert run(["metrics", "--level", "image,label", "--kind", "label", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["metrics"]
    assert {one["level"] for one in listed} == {"image", "label"}
    assert {one["kind"] for one in listed} == {"label"}


def test_the_uncertain_end_is_first(capsys: Captured) -> None:
    for name, first in ACQUISITION.items():
        assert run(["metrics", f"image.{name}", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["metrics"][0]["ranked_first"] == first


def test_one_explained(capsys: Captured) -> None:
    assert run(["metrics", "entropy"]) == 0
    text = capsys.readouterr().out
    for part in ("image.entropy:", "log₂", "range       0..", "qm rank puts the highest first", "needs", ">>> "):
        assert part in text


def test_plugin(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN)
    assert run(["metrics", "tallness", "--plugin", str(tmp_path / "mine.py")]) == 0
    assert "image.tallness: Height again." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["entropi"], "did you mean entropy"),
        (["--level", "pixel"], "there are image"),
        (["--kind", "modl"], "there are data"),
        (["entropy", "--kind", "model"], "leave them out"),
        (["--plugin", "missing.py"], "missing.py"),
    ],
)
def test_refused_in_one_line(capsys: Captured, arguments: list[str], told: str) -> None:
    assert run(["metrics", *arguments]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert told in shown.err


@pytest.mark.parametrize("arguments", [["metrics"], ["metrics", "entropy", "--json"], ["--help"], ["rank", "--help"]])
def test_it_is_instant(arguments: list[str]) -> None:
    heavy = ["pyarrow", "duckdb", "pandas", "cv2"] + (["rich"] if arguments[0] == "metrics" else ["numpy", "msgspec"])
    code = (
        "import sys; from qm_cli.main import run; assert run(sys.argv[1:]) == 0;"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.stderr == "[]\n"
