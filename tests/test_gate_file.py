"""Gate files: what they ask for, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from qm_cli.analysis.gate_checks import (
    DROP,
    MAX,
    MIN,
    Baseline,
    Ceiling,
    Check,
    DataRules,
    Leakage,
    Rules,
    Scope,
    ThresholdFile,
)
from qm_cli.errors import QmError
from qm_cli.gate_file import read_gate
from qm_cli.settings import AreaRange

FULL = """
run = "runs/new"
model = "better"
confidence_level = 0.9
on_undefined = "skip"
cluster = "video_id"
resamples = 200
allow_findings = "label-empty"

[defaults]
iou = 0.6
confidence = 0.35

[slices]
night = "brightness < 0.2"

[[check]]
metric = ["recall", "precision"]
category = ["person", 3]
size = [0, 400]
slice = "night"
iou = 0.5
min = 0.8
max = 0.99
min_support = 20
inconclusive = "fail"

[[check]]
metric = "AP"
max_drop = 0.02
confidence_level = 0.99

[baseline]
run = "/runs/old"
max_drop = 0.01
metrics = ["AP50", "recall"]
categories = "*"
inconclusive = "pass"

[data]
exact_duplicates = 0
unreadable = 0.01
findings = { label-bad-box = 0, label-empty = { max_share = 0.5 } }
leakage = [{ against = "train", by = "perceptual_hash", radius = 2, max_share = 0.1 }, { against = "/other" }]
"""


def gate_file(folder: Path, text: str) -> Path:
    path = folder / "gate.toml"
    path.write_text(text, "utf-8")
    return path


def test_everything(tmp_path: Path) -> None:
    gate = read_gate(gate_file(tmp_path, FULL))
    assert (gate.run, gate.model, gate.iou, gate.confidence) == (tmp_path / "runs/new", "better", 0.6, 0.35)
    assert (gate.cluster, gate.resamples, gate.seed, gate.allow_findings) == ("video_id", 200, 0, ("label-empty",))
    assert gate.slices == (("night", "brightness < 0.2"),)
    assert gate.baseline == Baseline(Path("/runs/old"))
    scopes = [Scope(name, "night", AreaRange("area 0–400", 0, 400), 0.5) for name in ("person", "3")]
    own = Rules(20, "skip", 0.9, "fail")
    expected = [
        Check(side, metric, limit, scope, own)
        for metric in ("recall", "precision")
        for scope in scopes
        for side, limit in ((MIN, 0.8), (MAX, 0.99))
    ]
    drops = Rules(0, "skip", 0.9, "pass")
    expected.append(Check(DROP, "AP", 0.02, Scope(), Rules(0, "skip", 0.99, "pass")))
    expected += [Check(DROP, metric, 0.01, Scope(name), drops) for metric in ("AP50", "recall") for name in (None, "*")]
    assert all(check.where.startswith(str(tmp_path)) for check in gate.checks)
    assert [replace(check, where="") for check in gate.checks] == expected
    assert gate.data == DataRules(
        Ceiling(0),
        None,
        Ceiling(share=0.01),
        (("label-bad-box", Ceiling(0)), ("label-empty", Ceiling(share=0.5))),
        (
            Leakage(tmp_path / "train", Ceiling(share=0.1), "perceptual_hash", 2),
            Leakage(Path("/other"), Ceiling(0)),
        ),
    )


def test_a_baseline_is_tested_unless_it_says_so(tmp_path: Path) -> None:
    levels = {}
    for test in ("paired-bootstrap", "none"):
        text = f'[baseline]\nrun = "a"\nmax_drop = 0.1\ntest = "{test}"'
        levels[test] = read_gate(gate_file(tmp_path, text)).checks[0].rules.confidence_level
    assert levels == {"paired-bootstrap": 0.95, "none": None}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no check"),
        ("run = 'a'", "has no check"),
        ("[[check]\n", "is no TOML"),
        ("checks = []", "did you mean check"),
        ("confidence = 0.95\nconfidence_level = 0.9\n[[check]]\nmetric = 'AP'\nmin = 0.5", "are one thing"),
        ("confidence = 0.35\n[[check]]\nmetric = 'AP'\nmin = 0.5", "confidence: 0.35 is not a number from 0.5"),
        ("iou = 0.5", "under [defaults]"),
        ("[[check]]\nmin = 0.5", "check 1: names no metric"),
        ("[[check]]\nmetric = 'AP'", "check 1: has no limit"),
        ("[[check]]\nmetric = 'AP'\nmin = 0.5\n[[check]]\nmetrik = 'AP'", "check 2: there is no key 'metrik'"),
        ("[[check]]\nmetric = 'AP'\nmin = 80", "write 0.8 for 80 %"),
        ("[[check]]\nmetric = 'AP'\nmin = '0.8'", "min: '0.8' is not a number"),
        ("[[check]]\nmetric = 'AP'\nmin = nan", "is not a number"),
        ("[[check]]\nmetric = 'AP'\nmin = 0.5\non_undefined = 'pass'", '"fail" or "skip"'),
        ("[[check]]\nmetric = 'AP'\nmax_drop = 0.5", "there is no baseline"),
        ("[check]\nmetric = 1", "check 1: metric: 1 is not text"),
        ("[baseline]\nmax_drop = 0.1", "[baseline]: names no run"),
        ("[baseline]\nrun = 'a'\nmetrics = 'AP'", "no max_drop"),
        ("[baseline]\nrun = 'a'\nmax_drop = 0.1\ntest = 'none'\ncorrection = 'holm'", "no test to correct"),
        ("[data]\n", "asks for nothing"),
        ("[data]\nfindings = { label-bad-bx = 0 }", "did you mean label-bad-box"),
        ("[data]\nunreadable = 1.5", "unreadable: 1.5 is not a count"),
        ("[data]\nleakage = [{ by = 'pixel_hash' }]", "leakage 1: names no run"),
        ("[data]\nleakage = [{ against = 'a', radius = 3 }]", "radius is of perceptual hashes"),
        ("[data]\nleakage = [{ against = 'a', max = 3, max_share = 0.1 }]", "write one of them"),
        ("allow_findings = ['x']\n[data]\nunreadable = 0", "no such code"),
        ("slices = { night = 3 }\n[data]\nunreadable = 0", "[slices]: night: 3 is not text"),
    ],
)
def test_refused_with_the_place(tmp_path: Path, text: str, told: str) -> None:
    path = gate_file(tmp_path, text)
    with pytest.raises(QmError) as caught:
        read_gate(path)
    assert told in str(caught.value)
    assert caught.value.message.startswith(str(path))


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(QmError, match="cannot be read"):
        read_gate(tmp_path / "nowhere.toml")
    path = tmp_path / "gate.toml"
    path.write_bytes(b"run = '\xff'")
    with pytest.raises(QmError, match="no UTF-8"):
        read_gate(path)


def test_confidence_at_the_top_is_the_level(tmp_path: Path) -> None:
    text = (
        "confidence = 0.9\n[[check]]\nmetric = 'AP'\nmin = 0.5\n[[check]]\nmetric = 'AR'\nmin = 0.5\nconfidence = 0.3"
    )
    first, second = read_gate(gate_file(tmp_path, text)).checks
    assert (first.rules.confidence_level, first.scope.confidence) == (0.9, None)
    assert (second.rules.confidence_level, second.scope.confidence) == (0.9, 0.3)


def test_files_of_thresholds_lie_beside_the_gate(tmp_path: Path) -> None:
    one = '{ file = "/deploy/t.json", target = "f1" }'
    path = tmp_path / "gate.toml"
    path.write_text(f'[[check]]\nmetric = "recall"\nmin = 0.5\nconfidence = [0.3, "t.json", {one}]')
    found = [check.scope.confidence for check in read_gate(path).checks]
    assert found == [0.3, ThresholdFile(tmp_path / "t.json"), ThresholdFile(Path("/deploy/t.json"), "f1")]
    for wrong in ('""', '{ target = "f1" }', '{ file = "t.json", tarjet = "f1" }', "2", "[[]]"):
        path.write_text(f'[[check]]\nmetric = "recall"\nmin = 0.5\nconfidence = {wrong}')
        with pytest.raises(QmError, match=r'check 1: confidence: .* is not a number from 0 to 1, "thresholds.json"'):
            read_gate(path)
