"""Whether memory stays flat over many images: the peaks of a score's processes at 10 %, 50 % and 100 % of its files.

    python benchmarks/many_images.py [--images 10000] [--photos FOLDER] [--workers 2] [--bar 400]

The files are hard links of the JPEG photographs in FOLDER (sample_data's when none is named) under as many names as
wanted, so they cost no space; each is decoded and measured like any other. Peaks are the kernel's (VmHWM); how far the
run is says the number of results it has kept. Exit code 0 when no worker's peak is above the bar, in MB, and none grew
by more than a tenth from half of the files to all of them; else 1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STAGES = (0.1, 0.5, 1.0)
GROWTH = 1.1
RESULTS = ".qm-run.parts"
SECONDS = 0.1


def linked(folder: Path, photos: list[Path], count: int) -> None:
    """A dataset folder of `count` names, with a label for each."""
    images = folder / "images"
    images.mkdir(parents=True)
    names = [f"{number:07}.jpg" for number in range(count)]
    for number, name in enumerate(names):
        os.link(photos[number % len(photos)], images / name)
    box = {"category_id": 1, "bbox": [8, 8, 64, 64], "area": 4096, "iscrowd": 0}
    document = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "annotations": [{"id": number, "image_id": number, **box} for number in range(count)],
        "categories": [{"id": 1, "name": "thing"}],
    }
    (folder / "labels.json").write_text(json.dumps(document))


def peaks(parent: int) -> tuple[float, list[float]]:
    """Peak memory in MB of a process and of its worker processes, largest first."""
    own = _peak(parent)
    return own, sorted((_peak(process) for process in _descendants(parent)), reverse=True)


def _peak(process: int) -> float:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


def _descendants(process: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = [int(number) for number in task.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        found += [one for child in children for one in (child, *_descendants(child))]
    return found


def measured(folder: Path, count: int, workers: int) -> list[dict[str, object]]:
    """One row a stage: images done, seconds since the start, peaks of the parent and of the workers."""
    command = [sys.executable, "-m", "qm_cli", "score", str(folder), "--workers", str(workers), "--quiet", "--json"]
    started = time.perf_counter()
    rows: list[dict[str, object]] = []
    tasks = -(-count // 32)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        last: tuple[float, list[float]] = (0.0, [])
        while running.poll() is None:
            last = _highest(last, peaks(running.pid))
            share = len(list((folder / RESULTS).glob("*.msgpack"))) / tasks
            if len(rows) < len(STAGES) - 1 and share >= STAGES[len(rows)]:
                rows.append(_row(int(share * count), started, last, workers))
            time.sleep(SECONDS)
        rows.append(_row(count, started, last, workers))
    if running.returncode:
        raise SystemExit(f"the score failed with {running.returncode}")
    return rows


def _highest(last: tuple[float, list[float]], now: tuple[float, list[float]]) -> tuple[float, list[float]]:
    """Workers that have ended keep the peak they were seen with."""
    return max(last[0], now[0]), now[1] if sum(now[1]) >= sum(last[1]) else last[1]


def _row(images: int, started: float, last: tuple[float, list[float]], workers: int) -> dict[str, object]:
    parent, others = last
    seconds = round(time.perf_counter() - started, 1)
    return {
        "images": images,
        "seconds": seconds,
        "parent": round(parent),
        "workers": [round(n) for n in others[:workers]],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--photos", type=Path, default=Path(__file__).parents[1] / "sample_data" / "images")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--bar", type=float, default=400)
    given = parser.parse_args()
    photos = sorted(path for path in given.photos.iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))[:20]
    if not photos:
        raise SystemExit(f"{given.photos}: no JPEG files")
    with tempfile.TemporaryDirectory(dir=given.photos.parent, prefix=".many-") as folder:
        linked(Path(folder) / "set", photos, given.images)
        rows = measured(Path(folder) / "set", given.images, given.workers)
    for row in rows:
        print(json.dumps(row))
    half, full = (max(row["workers"], default=0) for row in rows[-2:])  # type: ignore[call-overload]
    met = full <= given.bar and full <= GROWTH * half
    print(f"largest worker {full} MB, at half of the files {half} MB: {'met' if met else 'missed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
