"""The small run made by hand, with embeddings, near duplicates and costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from qm_cli.arrays import vectors_to_arrow
from tests.made_run import IDS, write_run

VECTORS = np.array([[1, 0], [0.9, 0.1], [0, 1], [np.nan, np.nan], [-1, 0], [0, -1]], np.float32)
GROUPS = [10, 10, None, None, 7, 7]
COSTS = [5.0, 1.0, 2.0, 2.0, 2.0, 9.0]


def write_embedded(folder: Path, models: tuple[str, ...] = ("better",)) -> Path:
    """Ids 10 and 9 nearly alike, 7 and 1 as well by name; 100 without a vector."""
    write_run(folder, models)
    image = pq.read_table(folder / "image.parquet")
    image = image.append_column("near_duplicate_group", pa.array(GROUPS)).append_column("cost", pa.array(COSTS))
    pq.write_table(image, folder / "image.parquet")
    pq.write_table(pa.table({"id": IDS, "embedding": vectors_to_arrow(VECTORS)}), folder / "embedding.parquet")
    return folder
