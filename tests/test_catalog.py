"""Loading, choosing and setting metrics."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from qm_cli import catalog
from qm_cli.errors import MetricError
from qm_cli.metric import metric

PLUGIN = """
from qm_cli.metric import metric

@metric(level="image", kind="data", unit="share", range=(0, 1))
def redness(pixels):
    "Mean share of red."
    return pixels.rgb[..., 0].mean() / 255

@metric(level=("label", "prediction"), kind="label", unit="px")
def tallness(height, *, power=1, name="x", strict=True, sizes=(1, 2), other=None):
    return height**power
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    return path


def test_built_in_by_id_in_a_stable_order() -> None:
    first, second = catalog.load(), catalog.load()
    assert list(first) == list(second)
    assert all(name == one.id for name, one in first.items())
    assert all(one.built_in for one in first.values())


def test_nothing_heavy_is_imported() -> None:
    heavy = ["pyarrow", "pandas", "duckdb", "cv2", "PIL", "shapely", "scipy"]
    code = (
        f"from qm_cli import catalog, work; import sys; catalog.load(); print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_plugin(plugin: Path) -> None:
    loaded = catalog.load([plugin, plugin])
    assert list(loaded)[-3:] == ["image.redness", "label.tallness", "prediction.tallness"]
    assert loaded["image.redness"].per_sample
    assert not loaded["image.redness"].built_in


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("import nothing_of_this_name", "mine.py: line 1: ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("x = 1\ny = 1 / 0", "mine.py: line 2: ZeroDivisionError: division by zero"),
        ("x = 1\ndef (", "mine.py: line 2: SyntaxError"),
        ("x = 1", "mine.py: declares no metric"),
        ("from qm_cli.metric import metric\nmetric(level='x', kind='data', unit='')", "'x' is not one of image"),
    ],
)
def test_failing_plugins_are_told(plugin: Path, content: str, told: str) -> None:
    plugin.write_text(content)
    with pytest.raises(MetricError) as raised:
        catalog.load([plugin])
    assert told in str(raised.value)


def test_missing_and_wrong_files(tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="no such file"):
        catalog.load([tmp_path / "none.py"])
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(MetricError, match="is no Python file"):
        catalog.load([tmp_path / "notes.txt"])


def test_clash_of_columns(plugin: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text(PLUGIN)
    with pytest.raises(MetricError, match=r"other\.py: metric image\.redness .*mine\.py does"):
        catalog.load([plugin, other])


def test_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("package")

    @metric(level="image", kind="data", unit="px")
    def width_twice(width: Any) -> Any:
        return width * 2

    width_twice.__module__ = "package"
    vars(module)["width_twice"] = width_twice
    entry: Any = SimpleNamespace(name="package", value="package", load=lambda: module)
    monkeypatch.setattr(metadata, "entry_points", lambda group: [entry])
    assert "image.width_twice" in catalog.load()
    assert "image.width_twice" not in catalog.load(entry_points=False)
    entry.load = lambda: width_twice
    with pytest.raises(MetricError, match="names no module"):
        catalog.load()
    entry.load = lambda: 1 / 0
    with pytest.raises(MetricError, match=r"entry point package = package: .*ZeroDivisionError"):
        catalog.load()


def test_select(plugin: Path) -> None:
    loaded = {name: one for name, one in catalog.load([plugin]).items() if not one.built_in}
    assert list(catalog.select(loaded)) == list(loaded)
    assert list(catalog.select(loaded, ["label.*,image.redness"])) == ["image.redness", "label.tallness"]
    assert list(catalog.select(loaded, ["tallness"])) == ["label.tallness", "prediction.tallness"]
    assert list(catalog.select(loaded, ["!label.*"])) == ["image.redness", "prediction.tallness"]
    assert list(catalog.select(loaded, [], ["label"])) == ["label.tallness", "prediction.tallness"]
    with pytest.raises(MetricError, match=r"no metric matches `rednes` \(did you mean redness"):
        catalog.select(loaded, ["rednes"])


def test_options_take_the_type_of_the_default(plugin: Path) -> None:
    loaded = catalog.load([plugin])
    settings = ["tallness.power=3", "label.tallness.strict=no", "tallness.sizes=[4]", "tallness.other=0.5"]
    assert catalog.options_from(loaded, settings) == {
        "tallness": {"power": 3, "sizes": (4,), "other": 0.5},
        "label.tallness": {"strict": False},
    }
    assert catalog.options_from(loaded, ["tallness.other=word", "tallness.name=a=b"]) == {
        "tallness": {"other": "word", "name": "a=b"}
    }


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("tallness", "sets no option"),
        ("talness.power=1", "did you mean .*tallness"),
        ("tallness.pover=1", "did you mean power"),
        ("redness.x=1", "it has no options"),
        ("tallness.power=1.5", "'1.5' is no int"),
        ("tallness.strict=perhaps", "is no bool"),
        ("tallness.sizes=1,2", "is no tuple"),
        ("tallness.sizes=3", "is no tuple"),
    ],
)
def test_wrong_options(plugin: Path, setting: str, told: str) -> None:
    with pytest.raises(MetricError, match=told):
        catalog.options_from(catalog.load([plugin]), [setting])
