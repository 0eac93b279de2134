"""A seeded run folder of many images, as `qm rank` reads it, without scoring anything.

python benchmarks/make_run.py RUN --images 1000000
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

METRICS = ("brightness", "contrast", "sharpness", "margin", "least_confidence")
NULL_SHARE = 0.01
TIE_DECIMALS = 4  # a million entropies rounded to this have some hundred ties each
ROW_GROUP = 65_536


def image_table(image_count: int, seed: int) -> pa.Table:
    """Ids, file names and metric columns; `entropy` has ties and nulls."""
    random = np.random.default_rng(seed)
    ids = np.arange(1, image_count + 1, dtype=np.int64)
    entropy = random.beta(2.0, 5.0, image_count).round(TIE_DECIMALS)
    missing = random.random(image_count) < NULL_SHARE
    columns = {"id": pa.array(ids), "file_name": pa.array([f"images/{number:012d}.jpg" for number in ids.tolist()])}
    columns["entropy"] = pa.array(entropy, mask=missing)
    columns |= {name: pa.array(random.random(image_count)) for name in METRICS}
    table = pa.table(columns)
    field = pa.field("entropy", pa.float64(), metadata={"metric": "image.entropy", "better": "lower"})
    return table.set_column(table.schema.get_field_index("entropy"), field, table["entropy"])


def write_run(folder: Path, image_count: int, seed: int) -> None:
    """Write what makes a folder a run: this function alone knows the format.

    `image.parquet` has one row per image; `run.json` is the manifest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(image_table(image_count, seed), folder / "image.parquet", row_group_size=ROW_GROUP)
    manifest = {"schema_version": 1, "models": ["model"], "seed": seed, "rows": {"image": image_count}}
    (folder / "run.json").write_text(json.dumps(manifest, indent=2) + "\n")


def main() -> None:
    """Write the run the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    write_run(options.run, options.images, options.seed)


if __name__ == "__main__":
    main()
