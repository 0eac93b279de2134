"""The benchmarks: `qm` beside its peers, whole processes, taking turns on the same seeded data.

    python benchmarks/run.py                 everything
    python benchmarks/run.py --quick         without 5,000,000 detections and without the slow peers
    python benchmarks/run.py --only rank     one case

The exit code is 0 when every bar is met, 1 when one is missed or a case failed, 2 when qm is not there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import prepare
import report
from cases import CASES, NOT_QUICK, Setup
from measure import measure, succeeded
from timing import CHECKOUT, RunFailedError


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"leave out {', '.join(NOT_QUICK)} and the slow peers")
    parser.add_argument("--only", action="append", choices=tuple(CASES), metavar="NAME", help=f"of {', '.join(CASES)}")
    parser.add_argument("--runs", type=int, metavar="N", help="rounds of every case, instead of its own number")
    parser.add_argument("--qm", type=Path, metavar="PATH", help="the qm to measure; the one beside this Python")
    parser.add_argument("--out", type=Path, default=prepare.HERE, metavar="FOLDER", help="for results.json, results.md")
    return parser.parse_args()


def selection(chosen: argparse.Namespace) -> str:
    """What was asked for, in a line for the results."""
    words = ["--quick"] if chosen.quick else []
    words += [f"--only {name}" for name in chosen.only or ()]
    words += [] if chosen.runs is None else [f"--runs {chosen.runs}"]
    return " ".join(words) or "none"


def tell(text: str) -> None:
    """Progress, on stderr."""
    sys.stderr.write(f"{text}\n")


def run_case(name: str, setup: Setup, runs: int | None) -> dict[str, Any]:
    """One case; one that cannot be prepared, or breaks off half-way, is told and not the end of the others."""
    tell(f"{name}: preparing")
    try:
        case = CASES[name](setup)
        return measure(case, runs or case.rounds, lambda text: tell(f"{name}: {text}"))
    except (RunFailedError, subprocess.CalledProcessError) as error:
        return {"case": name, "title": name, "failed": str(error).replace(CHECKOUT, ".")}


def main() -> int:
    """Run the cases asked for, print the tables and write the results."""
    chosen = options()
    qm = (chosen.qm or Path(sys.executable).with_name("qm")).absolute()
    if not qm.is_file():
        tell(f"there is no {qm}: install qm into this Python's environment, or give --qm PATH")
        return 2
    names = chosen.only or [name for name in CASES if not (chosen.quick and name in NOT_QUICK)]
    results: dict[str, Any] = {"machine": report.machine(), "options": selection(chosen)}
    versions = {"qm's environment": report.our_versions()}
    results["versions"] = versions | {"the peers'": report.peer_versions(prepare.peers_bin() / "python")}
    results["cases"] = [run_case(name, Setup(qm, chosen.quick), chosen.runs) for name in names]
    chosen.out.mkdir(parents=True, exist_ok=True)
    page = report.markdown(results)
    (chosen.out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    (chosen.out / "results.md").write_text(page)
    sys.stdout.write(page)
    return 0 if all(map(succeeded, results["cases"])) else 1


if __name__ == "__main__":
    sys.exit(main())
