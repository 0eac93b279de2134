"""Importance, correlation and performance along 30 metrics of 1,000,000 predictions: time of `qm importance`.

    python benchmarks/importance_run.py [--predictions 1000000] [--metrics 30] [--permutations 1 200] [--runs 3]

A seeded run of 20 predictions an image is made once (make_run.py's neighbour in `.data`), half of its metrics of images
and half of predictions; two of them drive the outcome. What 200 permutations and bootstrap samples add is
the difference to one.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from make_run import write_run
from timing import captured

from qm_cli.settings import Settings

PER_IMAGE = 20


def _metric(values: np.ndarray, level: str, name: str) -> tuple[pa.Field, pa.Array]:
    facts = {"metric": f"{level}.{name}", "kind": "data", "unit": "share", "better": "neither", "range": "0..1"}
    return pa.field(name, pa.float64(), metadata=facts), pa.array(values)


def _table(columns: dict[str, pa.Array], metrics: list[tuple[pa.Field, pa.Array]]) -> pa.Table:
    fields = [*(pa.field(name, column.type) for name, column in columns.items()), *(field for field, _ in metrics)]
    return pa.Table.from_arrays([*columns.values(), *(values for _, values in metrics)], schema=pa.schema(fields))


def make(folder: Path, predictions: int, metrics: int) -> None:
    """A run whose predictions are right where their first metric and their image's are large."""
    images = predictions // PER_IMAGE
    write_run(folder, images, 0)
    random = np.random.default_rng(1)
    of_image, of_prediction = (
        random.random((metrics // 2, images)),
        random.random((metrics - metrics // 2, predictions)),
    )
    row = np.repeat(np.arange(images, dtype=np.int32), PER_IMAGE)
    right = random.random(predictions) < 0.2 + 0.3 * of_image[0][row] + 0.4 * of_prediction[0]
    ids = np.arange(images)
    names = pa.array([f"{number}.jpg" for number in ids.tolist()])
    image = {"id": pa.array(ids), "file_name": names}
    own = [_metric(values, "image", f"metric_{number}") for number, values in enumerate(of_image)]
    pq.write_table(_table(image, own), folder / "image.parquet")
    found = {
        "id": pa.array(np.arange(predictions)),
        "image_row": pa.array(row),
        "category_row": pa.array(np.zeros(predictions, np.int32)),
        "category": pa.array(["thing"] * predictions),
        "score": pa.array(random.random(predictions)),
        "outcome": pa.array(np.where(right, "TP", "FP")),
    }
    own = [_metric(values, "prediction", f"measure_{number}") for number, values in enumerate(of_prediction)]
    pq.write_table(_table(found, own), folder / "prediction.parquet")
    manifest = json.loads((folder / "run.json").read_text())
    more = {"settings": Settings().as_dict(), "rows": {"image": images, "prediction": predictions}}
    (folder / "run.json").write_text(json.dumps(manifest | more))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--predictions", type=int, default=1_000_000)
    parser.add_argument("--metrics", type=int, default=30)
    parser.add_argument("--permutations", type=int, nargs="+", default=[1, 200])
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent / ".data") as folder:
        make(Path(folder), options.predictions, options.metrics)
        asked = [("--permutations", str(count)) for count in options.permutations]
        for arguments in (*asked, ("--performance",)):
            command = (sys.executable, "-m", "qm_cli", "importance", folder, "--json", "--quiet", *arguments)
            runs = [captured(command) for _ in range(options.runs)]
            metrics = len(json.loads(runs[-1][1])["metrics"])
            seconds = [round(sample.wall, 2) for sample, _ in runs]
            told = {"asked": " ".join(arguments), "metrics": metrics, "seconds": seconds}
            sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
