"""Many images: whether memory stays flat, whether time grows with their number alone, and what an object costs.

    python benchmarks/many_images.py [--images 10000] [--photos FOLDER] [--objects 8] [--workers 2] [--bar 400]

Up to 1,280 JPEGs of 640 × 480 are made of the photographs in FOLDER (sample_data's when none is named; photos_data.py)
and hard-linked under as many names as wanted: 100 MB of disk or so, however many images. Each is read, decoded and
measured like any other, but from memory: the disk is not measured. Scored are 10 %, 50 % and 100 % of them with so many
objects an image, and the tenth without any; what an object costs is the difference there, in CPU time of all processes,
which a busy machine disturbs less (but 10,000 images or more are needed to tell it from noise). Peaks are the kernel's
(VmHWM); how far a run is says the number of results it has kept.

Exit code 0 when in the run of all images no worker's peak is above the bar, in MB, none grew by more than a tenth from
half of the files to all of them, and the rate is no more than a tenth below that of half of the images; else 1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from photos_data import HEIGHT, WIDTH, labels, photographs, write_images

DATA = Path(__file__).parent / ".data"
SIZES = (0.1, 0.5, 1.0)
TOLERANCE = 1.1
BASES = 1280
IMAGES_PER_RESULT = 32
SECONDS = 0.1


@dataclass(frozen=True)
class Measured:
    """One score, peak memory in MB. workers: largest first; half: the largest when half of the images were done."""

    images: int
    objects: int
    seconds: float
    cpu_seconds: float
    images_per_second: float
    parent: int
    workers: list[int]
    half: int


def linked(folder: Path, photos: Path, count: int) -> list[str]:
    """`count` names of photographs; the names of those that were made."""
    made = write_images(folder / "made", photographs(photos), min(count, BASES))
    (folder / "images").mkdir()
    for number in range(count):
        os.link(folder / "made" / made[number % len(made)], folder / "images" / _name(number))
    return made


def _name(number: int) -> str:
    return f"{number:07}.jpg"


def write_labels(place: Path, made: list[str], count: int, per_image: int) -> None:
    """A label file of the first `count` images; those of one photograph have the same objects."""
    shapes = labels(made, per_image)["annotations"]
    size = {"width": WIDTH, "height": HEIGHT}
    with place.open("w") as file:
        rows = (json.dumps({"id": n, "file_name": _name(n), **size}) for n in range(count))
        file.write(
            '{"categories": [{"id": 1, "name": "thing"}], "images": [' + ",\n".join(rows) + '],\n"annotations": ['
        )
        for number in range(count * per_image):
            shape = shapes[number % len(shapes)]  # type: ignore[index]
            file.write(",\n" if number else "")
            file.write(json.dumps({**shape, "id": number, "image_id": number // per_image}))
        file.write("]}")


def scored(folder: Path, made: list[str], count: int, per_image: int, workers: int) -> Measured:
    """Score the first `count` images, and watch."""
    write_labels(folder / "labels.json", made, count, per_image)
    command = [sys.executable, "-m", "qm_cli", "score", str(folder), "--workers", str(workers), "--quiet", "--json"]
    half, last = 0.0, (0.0, [0.0])
    used: dict[int, float] = {}
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        while running.poll() is None:
            last = _highest(last, peaks(running.pid))
            for process in (running.pid, *_descendants(running.pid)):
                used[process] = max(used.get(process, 0.0), _cpu(process))
            done = len(list((folder / ".qm-run.parts").glob("*.msgpack"))) * IMAGES_PER_RESULT
            half = last[1][0] if not half and 2 * done >= count else half
            time.sleep(SECONDS)
    if running.returncode:
        raise SystemExit(f"the score failed with {running.returncode}")
    seconds = time.perf_counter() - started
    parent, others = last
    return Measured(
        count,
        count * per_image,
        round(seconds, 1),
        round(sum(used.values()), 1),
        round(count / seconds, 2),
        round(parent),
        [round(peak) for peak in others[:workers]],
        round(half),
    )


def peaks(parent: int) -> tuple[float, list[float]]:
    """Peak memory in MB of a process and of its worker processes, largest first."""
    return _peak(parent), sorted((_peak(process) for process in _descendants(parent)), reverse=True) or [0.0]


def _peak(process: int) -> float:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


def _cpu(process: int) -> float:
    """Seconds that a process has used; a process is asked until it ends."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _descendants(process: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = [int(number) for number in task.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        found += [one for child in children for one in (child, *_descendants(child))]
    return found


def _highest(last: tuple[float, list[float]], now: tuple[float, list[float]]) -> tuple[float, list[float]]:
    """Workers that have ended keep the peak they were seen with."""
    return max(last[0], now[0]), now[1] if sum(now[1]) >= sum(last[1]) else last[1]


def verdict(runs: list[Measured], bare: Measured, bar: float) -> bool:
    """Print what the runs say; whether the bars are met."""
    tenth, half, whole = runs
    added = tenth.cpu_seconds - bare.cpu_seconds
    each = 1000 * added / max(tenth.objects, 1)
    print(f"an object costs {each:.2f} ms of CPU time, those of an image {added / bare.cpu_seconds:.0%} of the image")
    flat = whole.workers[0] <= bar and whole.workers[0] <= TOLERANCE * whole.half
    print(f"largest worker {whole.workers[0]} MB, at half of the files {whole.half} MB: {'met' if flat else 'missed'}")
    grown = 1024 * (whole.parent - half.parent) / max(whole.images - half.images, 1)
    print(f"the parent's peak grows by {grown:.0f} KB an image")
    linear = TOLERANCE * whole.images_per_second >= half.images_per_second
    rates = " → ".join(f"{run.images_per_second:g}" for run in runs)
    sizes = ", ".join(f"{run.images:,}" for run in runs)
    print(f"images a second at {sizes}: {rates}: {'met' if linear else 'missed'}")
    return flat and linear


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--photos", type=Path, default=Path(__file__).parents[1] / "sample_data" / "images")
    parser.add_argument("--objects", type=int, default=8, help="boxes an image")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--bar", type=float, default=400)
    given = parser.parse_args()
    if not photographs(given.photos):
        raise SystemExit(f"{given.photos}: no JPEG files")
    DATA.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=DATA, prefix="many-") as name:
        folder = Path(name)
        made = linked(folder, given.photos, given.images)
        runs: list[Measured] = []
        asked = [(max(round(given.images * share), 1), given.objects) for share in SIZES]
        for count, per_image in [*asked, (asked[0][0], 0)]:
            runs.append(scored(folder, made, count, per_image, given.workers))
            print(json.dumps(asdict(runs[-1])), flush=True)
        return 0 if verdict(runs[:-1], runs[-1], given.bar) else 1


if __name__ == "__main__":
    sys.exit(main())
