"""Gates on calibration, LRP and thresholds: a report's own numbers, made where it has them not yet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qm_cli.analyses import analysed_report
from qm_cli.analysis.gate_checks import MIN, Check, Gate, Scope
from qm_cli.deciding import decide
from qm_cli.detail_report import detailed_report
from qm_cli.errors import UsageError
from qm_cli.evaluation_options import asked
from qm_cli.gate_reports import target_of
from qm_cli.gate_subject import of_files, of_run
from qm_cli.load import load_tables
from qm_cli.settings import Settings
from tests.sample_run import BETTER, LABELS, sample_run

METRICS = ("calibration.ECE", "ece", "MCE", "lrp.oLRP", "lrp.localisation")
TARGET = "thresholds.precision=0.9"


def values(*checks: Check, **gate: Any) -> list[float | None]:
    wanted = Gate(checks, **{"model": "better", **gate})
    return [row["value"] for row in decide(wanted, of_run(sample_run(), wanted))["checks"]]


def test_analyses_overall_and_of_a_category() -> None:
    tables = load_tables(LABELS, BETTER)
    own = analysed_report(tables, Settings(), ("calibration", "lrp"))
    ece, mce = own["calibration"]["ECE"], own["calibration"]["MCE"]
    checks = [Check(MIN, name, 0.0) for name in METRICS]
    assert values(*checks) == [ece, ece, mce, own["lrp"]["oLRP"], own["lrp"]["localisation"]]
    cup = next(row for row in own["calibration"]["categories"] if row["name"] == "cup")
    of_cup = [Check(MIN, name, 0.0, Scope("cup")) for name in METRICS[:2]]
    assert values(*of_cup, Check(MIN, "calibration.categories.cup.ECE", 0.0)) == [cup["ECE"]] * 3
    assert len(values(Check(MIN, "ece", 0.0, Scope("*")))) == 5
    elsewhere = analysed_report(tables, Settings(iou=0.75), ("calibration",))["calibration"]["ECE"]
    assert values(Check(MIN, "ece", 0.0, Scope(iou=0.75))) == [elsewhere]
    gate = Gate(tuple(checks))
    assert decide(gate, of_files(LABELS, BETTER, tables, gate))["checks"][0]["value"] == ece


def test_thresholds_and_what_to_expect_of_them() -> None:
    settings, questions = asked(Settings(), thresholds=["precision=0.9"], seed=3)
    found = detailed_report(load_tables(LABELS, BETTER), settings, questions)["thresholds"]["targets"][0]
    van = next(row for row in found["categories"] if row["name"] == "van")
    names = (f"{TARGET}.confidence", f"{TARGET}.held_out.precision.low", f"{TARGET}.recall")
    checks = [Check(MIN, name, 0.0, scope) for scope in (Scope(), Scope("van")) for name in names]
    expected = [
        value
        for row in (found["overall"], van)
        for value in (row["confidence"], row["held_out"]["precision"]["low"], row["recall"])
    ]
    assert values(*checks, seed=3) == expected


def test_what_no_report_has() -> None:
    for metric, said in (("calibration.ec", "did you mean calibration.ECE"), ("thresholds.f.confidence", "no such")):
        with pytest.raises(UsageError, match="no such metric") as refused:
            values(Check(MIN, metric, 0.0))
        assert said in str(refused.value)
    with pytest.raises(UsageError, match="--lrp: not defined under convention voc12"):
        values(Check(MIN, "lrp.oLRP", 0.0), convention="voc12")


def test_targets_with_points_in_them() -> None:
    texts = ("precision=0.9.confidence", "f0.5.held_out.f1.low", "cost=FP:1,FN:2.5.cost", "f1", "recal=0.8")
    assert [[one.text for one in target_of(f"thresholds.{text}")] for text in texts] == [
        ["precision=0.9"],
        ["f0.5"],
        ["cost=FP:1,FN:2.5"],
        ["f1"],
        [],
    ]


def test_the_summary_of_a_run_keeps_the_thresholds(tmp_path: Path) -> None:
    """From the shell: what is evaluated into a folder is gated there."""
    qm = [sys.executable, "-m", "qm_cli"]
    files = [str(LABELS), str(BETTER)]
    out = ["-o", str(tmp_path / "run"), "--thresholds-out", str(tmp_path / "t.json")]
    subprocess.run([*qm, "evaluate", *files, "--thresholds", "recall=0.7", "--calibration", *out], check=True)
    (tmp_path / "gate.toml").write_text(
        'run = "run"\n[[check]]\nmetric = "recall"\ncategory = "*"\nconfidence = "t.json"\nmin = 0.7\n'
        '[[check]]\nmetric = ["thresholds.recall=0.7.held_out.recall.value", "calibration.ECE"]\nmin = 0.1\n'
    )
    passed = subprocess.run([*qm, "gate", str(tmp_path / "gate.toml")], capture_output=True, text=True, check=False)
    assert (passed.returncode, "gate passed" in passed.stdout) == (0, True), passed
    assert "chosen on these predictions" in passed.stdout
