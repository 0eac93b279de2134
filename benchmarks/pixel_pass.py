"""The pass over the image files: what metrics cost on top of decoding, and the search for near duplicates.

    python benchmarks/pixel_pass.py --photos FOLDER      folder of real JPEG photographs, COCO's for instance

1,280 JPEGs of 640 × 480 are made of them (photos_data.py) and kept in .data. The sets of metrics take turns on the same
worker processes, which have started before; decoding alone is a metric that does nothing (decoded.py). So a rate is the
pass's own: no start-up, no imports. Exit code 0 when every bar is met, else 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import prepare

from qm_cli import catalog, engine
from qm_cli.backends.local import Local, open_backend
from qm_cli.columns import available
from qm_cli.kernels.hamming import near_groups
from qm_cli.load import load_tables
from qm_cli.subset import first_images
from qm_cli.tables import Tables


def at(level: str, names: str) -> str:
    """Names with commas as ids of metrics."""
    return ",".join(f"{level}.{name}" for name in names.split(","))


ENCORD = "brightness,contrast,sharpness,red,green,blue,area,aspect_ratio,file_hash"
BASELINE = "decoding alone"
OTHERS = (
    "laplacian_variance,blur,lightness,darkness,information,colorfulness,noise,size_oddity,random,pixel_hash,"
    "perceptual_hash,duplicate_group,near_duplicate_group"
)
OBJECTS = "brightness,contrast,sharpness,red,green,blue"
SETS = {
    BASELINE: "image.decoded",
    "Encord's set": at("image", ENCORD),
    "all of images": at("image", f"{ENCORD},{OTHERS}"),
    "all of images and objects": f"{at('image', f'{ENCORD},{OTHERS}')},{at('label', OBJECTS)}",
}
HASHES = 1_000_000
SHARE = 320  # images whose CPU time is told: steadier than wall time on a busy machine
Calls = dict[str, Callable[[], None]]


class Bar:
    """A figure with its limit: at least, or at most."""

    def __init__(self, name: str, value: float, limit: float, at_least: bool, unit: str = "x") -> None:
        self.name, self.value, self.limit, self.unit = name, value, limit, unit
        self.met = value >= limit if at_least else value <= limit
        self.sign = "≥" if at_least else "≤"

    def __str__(self) -> str:
        verdict = "met" if self.met else "MISSED"
        return f"{self.name}: {self.value:.3g} {self.unit} ({self.sign} {self.limit:g}) {verdict}"


def passes(tables: Tables, images: Path, backend: Local | None) -> Calls:
    """One call for each set of metrics."""
    known = catalog.load([prepare.HERE / "decoded.py"], entry_points=False)
    have = available(tables, images=True)

    def call(pattern: str) -> Callable[[], None]:
        plan = engine.plan(catalog.select(known, [pattern]), known, have)
        return lambda: void(engine.run(tables, plan, images=images, backend=backend))

    return {name: call(pattern) for name, pattern in SETS.items()}


def void(_: object) -> None:
    """Nothing of it is kept."""


def take_turns(calls: Calls, rounds: int, clock: Callable[[], float] = time.perf_counter) -> dict[str, list[float]]:
    """Seconds of every call, A B C A B C …"""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            start = clock()
            call()
            if number:  # the first round is the warm-up
                seconds[name].append(clock() - start)
    return seconds


def hashes_searched(count: int) -> float:
    """Seconds to group so many hashes by near ones."""
    hashes = np.random.default_rng(0).integers(0, 2**64, count, np.uint64)
    start = time.perf_counter()
    near_groups(hashes, 4)
    return time.perf_counter() - start


def main() -> int:
    """Measure, print the figures and the bars."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of real JPEG photographs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for the workers, as qm sets it
    folder = prepare.made("photos", "photos_data.py", ["--photos", str(chosen.photos.resolve())])
    tables = load_tables(folder / "labels.json", None, shapes=True)
    with open_backend(chosen.workers) as backend:
        seconds = take_turns(passes(tables, folder / "images", backend), chosen.rounds)
    count = tables.count("image")
    base = median(seconds[BASELINE])
    for name, runs in seconds.items():
        rate = count / median(runs)
        print(f"{name:28} {median(runs):7.3f} s {rate:8.0f} images/s {base / median(runs):6.3f} x decoding")
    alone = take_turns(passes(first_images(tables, SHARE), folder / "images", None), 1, time.process_time)
    for name, (cpu,) in alone.items():
        print(f"{name:28} {cpu / SHARE * 1000:7.3f} ms of CPU an image, {alone[BASELINE][0] / cpu:6.3f} x decoding")
    ratio = {
        name: median(a / b for a, b in zip(seconds[BASELINE], runs, strict=True)) for name, runs in seconds.items()
    }
    objects = median(seconds["all of images and objects"]) / median(seconds["all of images"]) - 1
    small, large = hashes_searched(HASHES // 4), hashes_searched(HASHES)
    bars = [
        Bar("Encord's set beside decoding alone", ratio["Encord's set"], 0.5, True),
        Bar("all metrics of images beside decoding alone", ratio["all of images"], 0.35, True),
        Bar(f"what {tables.count('label')} objects add to that", objects, 0.5, False),
        Bar("near duplicates among 1,000,000 hashes", large, 60, False, "s"),
        Bar("beside a quarter of them", large / small, 16, False),
    ]
    print(*bars, sep="\n")
    return 0 if all(bar.met for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
