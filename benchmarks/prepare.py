"""What must be there before anything is timed: the peers' environment and the input data."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = HERE / ".data"
ENVIRONMENT = HERE / ".env"
REQUIREMENTS = HERE / "peers" / "requirements.txt"


def peers_bin() -> Path:
    """The bin folder of the peers' environment, made from the pinned requirements when they changed or it is absent."""
    installed, binaries = ENVIRONMENT / "installed.txt", ENVIRONMENT / "bin"
    wanted = REQUIREMENTS.read_text()
    if installed.is_file() and installed.read_text() == wanted:
        return binaries
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    pip = [str(binaries / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)
    installed.write_text(wanted)
    return binaries


def made(name: str, script: str, arguments: Sequence[str]) -> Path:
    """The folder `.data/NAME` as `script FOLDER ARGUMENTS` makes it, kept until script or arguments change."""
    folder, note = DATA / name, DATA / f"{name}.made-from.json"
    digest = hashlib.sha256((HERE / script).read_bytes()).hexdigest()
    recipe = json.dumps({"script": script, "sha256": digest, "arguments": list(arguments)})
    if folder.is_dir() and note.is_file() and note.read_text() == recipe:
        return folder
    unfinished = DATA / f"{name}.unfinished"
    for old in (folder, unfinished):
        shutil.rmtree(old, ignore_errors=True)
    DATA.mkdir(exist_ok=True)
    subprocess.run([sys.executable, str(HERE / script), str(unfinished), *arguments], check=True)
    unfinished.rename(folder)
    note.write_text(recipe)
    return folder


def detections(image_count: int) -> Path:
    """Labels and predictions (JSON and Parquet) of so many images, 100 detections each."""
    return made(f"detections-{image_count}", "detector_data.py", ["--images", str(image_count), "--parquet"])


def shapes(task: str, image_count: int) -> Path:
    """Masks or keypoints of so many images, about 7.3 labels and 30 detections each."""
    return made(f"{task}-{image_count}", "shape_data.py", ["--task", task, "--images", str(image_count)])


def run_folder(image_count: int) -> Path:
    """A run folder of so many images."""
    return made(f"run-{image_count}", "make_run.py", ["--images", str(image_count)])


def empty_app(qm: Path) -> tuple[Path, str]:
    """The folder of the empty Typer app that mirrors qm's commands, made anew each time, and a note about it."""
    folder = DATA / "empty-app"
    argv = [sys.executable, str(HERE / "empty_app.py"), str(folder), "--compare", str(qm)]
    return folder, subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
