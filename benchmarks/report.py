"""The results as text: Markdown that reads well on a console too."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

OUR_PACKAGES = ("qm-cli", "typer", "rich", "numpy", "pyarrow", "duckdb", "msgspec", "pandas")
CPU_INFO = Path("/proc/cpuinfo")


def our_versions() -> dict[str, str]:
    """Versions of qm and of what it stands on, as installed beside the interpreter that runs this."""
    here = {distribution.metadata["Name"].lower(): distribution.version for distribution in metadata.distributions()}
    return {name: here[name] for name in OUR_PACKAGES if name in here}


def peer_versions(python: Path) -> dict[str, str]:
    """Versions of everything in the peers' environment."""
    argv = [str(python), "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
    listed = json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return {package["name"]: package["version"] for package in listed if package["name"] not in ("pip", "setuptools")}


def machine() -> dict[str, Any]:
    """What the figures depend on: cores, processor, system, Python, and how busy it was at the start."""
    info = CPU_INFO.read_text().splitlines() if CPU_INFO.is_file() else []
    models = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    return {
        "cores": os.cpu_count(),
        "processor": models[0] if models else platform.processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_at_start": round(os.getloadavg()[0], 2),
        "when": datetime.now(UTC).isoformat(timespec="minutes"),
    }


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table with aligned columns: the first to the left, the others to the right."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def joined(line: Sequence[str]) -> str:
        numbers = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        return f"| {' | '.join([line[0].ljust(widths[0]), *numbers])} |"

    return [joined(lines[0]), joined(rule), *map(joined, lines[1:])]


def cost_lines(result: dict[str, Any]) -> list[str]:
    """The commands of a case."""
    header = ("command", "runs", "wall median", "wall min", "CPU median", "peak memory")
    seconds = ("wall_median_s", "wall_min_s", "cpu_median_s")

    def row(cost: dict[str, Any]) -> tuple[str, ...]:
        times = (f"{cost[key]:.3f} s" for key in seconds)
        return (cost["command"], str(cost["runs"]), *times, f"{cost['peak_median_mb']:,.0f} MB")

    return table(header, map(row, result["commands"]))


def figure(value: float | None, unit: str) -> str:
    """A figure with its unit."""
    return "not measured" if value is None else f"{value:.3f}{unit}"


def bar_lines(result: dict[str, Any]) -> list[str]:
    """The bars of a case."""
    header = ("bar", "of", "against", "of medians", "median of pairs", "limit", "aim", "verdict")

    def row(bar: dict[str, Any]) -> tuple[str, ...]:
        measured = (figure(bar[key], bar["unit"]) for key in ("of_medians", "of_pairs"))
        aim = "" if bar["aim"] is None else f"{bar['aim']:g}{bar['unit']}"
        verdict = "met" if bar["met"] else "MISSED"
        return (bar["bar"], bar["of"], bar["against"], *measured, f"<= {bar['limit']:g}{bar['unit']}", aim, verdict)

    return table(header, map(row, result["bars"]))


def check_lines(result: dict[str, Any]) -> list[str]:
    """What was checked beside the bars."""
    lines = list(result["notes"])
    lines += [f"FAILED: {name}: {' / '.join(told.splitlines())}" for name, told in result["failures"].items()]
    if "agreement" in result:
        found = result["agreement"]
        apart, told = max(found["apart"].values()), ", ".join(found["disagreeing"]) or "none"
        lines.append(f"the twelve numbers of {len(found['apart'])} commands differ by at most {apart:.2g}")
        lines.append(f"commands that disagree with the first by more than {found['tolerance']:g}: {told}")
    left = ", ".join(result["left_behind"]) or "nothing"
    return [f"* {line}" for line in (*lines, f"left behind by qm's runs: {left}")]


def case_lines(result: dict[str, Any]) -> list[str]:
    """One case."""
    heading = ["", f"## {result['title']}", ""]
    if "failed" in result:
        return [*heading, "Failed:", "", *(f"    {line}" for line in result["failed"].splitlines())]
    return [*heading, *cost_lines(result), "", *bar_lines(result), "", *check_lines(result)]


def markdown(results: dict[str, Any]) -> str:
    """The whole page."""
    facts = [f"* {name.replace('_', ' ')}: {value}" for name, value in results["machine"].items()]
    for name, packages in results["versions"].items():
        facts.append(f"* {name}: {', '.join(f'{package} {version}' for package, version in packages.items())}")
    facts.append(f"* options: {results['options']}")
    cases = [line for result in results["cases"] for line in case_lines(result)]
    return "\n".join(["# Benchmark results", "", *facts, *cases, ""])
