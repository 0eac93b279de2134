"""docs/ci.md and action.yml: every gate in the page is one, every script runs and leaves with the verdict."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qm_cli.gate_file import read_gate
from tests.sample_run import sample_run

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "ci.md").read_text("utf-8")
FLOOR = "[[check]]\nmetric = 'precision'\nmin = {}\n"
SURE = "confidence_level = 0.95\n"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def action() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    found: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    return found


def in_shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """As a runner starts it, with `qm` and `python` of this environment."""
    place = folder / "bin"
    place.mkdir(exist_ok=True)
    for name, call in (("qm", f'"{sys.executable}" -m qm_cli "$@"'), ("python", f'"{sys.executable}" "$@"')):
        (place / name).write_text(f"#!/bin/sh\nexec {call}\n")
        (place / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{place}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(
        command, cwd=folder, env={**environment, **variables}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("text", blocks("toml"))
def test_every_gate_of_the_page_is_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(text, "utf-8")
    gate = read_gate(path)
    assert gate.checks or gate.data


def test_the_pipelines_are_yaml() -> None:
    yaml = pytest.importorskip("yaml")
    github, gitlab = (yaml.safe_load(text) for text in blocks("yaml"))
    used = github["jobs"]["gate"]["steps"][1]["with"]
    assert set(used) <= set(action()["inputs"])
    assert gitlab["gate"]["allow_failure"]["exit_codes"] == 3
    assert all(line.startswith(("pip ", "qm ")) for line in gitlab["gate"]["script"])


@pytest.mark.parametrize(
    ("gate", "code", "told"),
    [
        (FLOOR.format(0.5), 0, "ship it"),
        (SURE + FLOOR.format(0.87), 0, "label more: 1 checks"),
        (FLOOR.format(0.99), 1, ""),
    ],
)
def test_the_shell_script(tmp_path: Path, gate: str, code: int, told: str) -> None:
    script = blocks("sh")[-1]
    (tmp_path / "gate.toml").write_text(f'run = "{sample_run()}"\nmodel = "better"\n{gate}')
    done = in_shell(f"set +e\n{script}", tmp_path)
    assert (done.returncode, told in done.stdout) == (code, True), done.stderr
    assert (tmp_path / "gate.md").read_text().startswith("## Gate ")


def test_the_actions_inputs_are_all_used_and_reach_scripts_as_variables_alone() -> None:
    found = action()
    text = (ROOT / "action.yml").read_text("utf-8")
    for name in found["inputs"]:
        assert re.search(rf"\$\{{\{{ inputs\.{re.escape(name)}\b", text), name
    for step in found["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
        assert ("run" in step) == (step.get("shell") == "bash")


@pytest.mark.parametrize(
    ("gate", "inconclusive", "code", "verdict"),
    [
        (FLOOR.format(0.5), "fail", 0, "passed"),
        (FLOOR.format(0.99), "fail", 1, "failed"),
        (SURE + FLOOR.format(0.87), "fail", 3, "inconclusive"),
        (SURE + FLOOR.format(0.87), "pass", 0, "inconclusive"),
        ("[[check]]\nmetrics = 1\n", "fail", 2, "refused"),
    ],
)
def test_the_action(tmp_path: Path, gate: str, inconclusive: str, code: int, verdict: str) -> None:
    step = next(one for one in action()["runs"]["steps"] if one.get("id") == "gate")
    (tmp_path / "a gate.toml").write_text(gate)
    variables = {
        "QM_GATE": "a gate.toml",
        "QM_DATASET": "",
        "QM_RUN": str(sample_run()),
        "QM_MODEL": "better",
        "QM_INCONCLUSIVE": inconclusive,
        "QM_JUNIT": "gate.xml",
        "QM_MARKDOWN": "gate.md",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    assert set(step["env"]) <= set(variables)
    done = in_shell(step["run"], tmp_path, **variables)
    assert done.returncode == code, done.stderr
    assert (tmp_path / "output").read_text() == f"verdict={verdict}\n"
    if verdict == "refused":
        assert "::error file=a gate.toml" in done.stdout
    else:
        assert (tmp_path / "summary").read_text().startswith(f"## Gate {verdict}")
        assert ("::" in done.stderr) == (verdict != "passed")


def test_the_actions_scoring(tmp_path: Path) -> None:
    steps = action()["runs"]["steps"]
    score = next(one for one in steps if one.get("name") == "Score the dataset")
    (tmp_path / "qm").mkdir()
    data = tmp_path / "my data"
    data.mkdir()
    for name in ("labels.json", "predictions"):
        (data / name).symlink_to(ROOT / "sample_data" / name)
    done = in_shell(score["run"], tmp_path, QM_DATASET=str(data), QM_RUN="")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (data / "qm-run" / "run.json").is_file()
