"""1,280 photographs of 640 × 480 as JPEG with boxes, from a folder of real ones.

    python benchmarks/photos_data.py FOLDER --photos PHOTOS [--images 1280] [--objects 7]

Each photograph is scaled to 640 × 480 and written with its own quantisation and without chroma subsampling, as COCO's
are, so that a file is about as large, and as slow to decode, as a real one. Mirrored and shifted versions fill up.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT, SHIFT = 640, 480, 8


def photographs(folder: Path) -> list[Image.Image]:
    """The JPEG files of a folder by name."""
    return [Image.open(path) for path in sorted(folder.iterdir()) if path.suffix.lower() in (".jpg", ".jpeg")]


def write_images(folder: Path, sources: list[Image.Image], count: int) -> list[str]:
    """`count` files of 640 × 480; their names."""
    folder.mkdir(parents=True)
    scaled = [np.asarray(one.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)) for one in sources]
    names = []
    for number in range(count):
        source, version = number % len(sources), number // len(sources)
        pixels = np.roll(scaled[source], SHIFT * (version // 2), axis=1)
        image = Image.fromarray(np.ascontiguousarray(pixels[:, ::-1] if version % 2 else pixels))
        names.append(f"{number:06}.jpg")
        image.save(folder / names[-1], qtables=sources[source].quantization, subsampling=0)  # type: ignore[attr-defined]
    return names


def labels(names: list[str], per_image: int) -> dict[str, object]:
    """A COCO label file with so many boxes an image, log-normal in size; half of them with a polygon."""
    random = np.random.default_rng(0)
    size = {"width": WIDTH, "height": HEIGHT}
    images = [{"id": number, "file_name": name, **size} for number, name in enumerate(names)]
    annotations = []
    for number in range(len(names) * per_image):
        w, h = (float(min(side, 400)) for side in np.exp(random.normal(4.2, 0.8, 2)))
        x, y = random.uniform(0, WIDTH - w), random.uniform(0, HEIGHT - h)
        turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        outline = np.stack([x + w / 2 * (1 + np.cos(turns)), y + h / 2 * (1 + np.sin(turns))], axis=1)
        shape = {"segmentation": [outline.round(2).ravel().tolist()]} if number % 2 else {}
        box = [round(value, 2) for value in (x, y, w, h)]
        annotation = {"id": number, "image_id": number // per_image, "category_id": 1, "bbox": box, **shape}
        annotations.append({**annotation, "area": w * h, "iscrowd": 0})
    return {"images": images, "categories": [{"id": 1, "name": "thing"}], "annotations": annotations}


def main() -> None:
    """Write images/ and labels.json into the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=Path, required=True, help="folder of real JPEG photographs")
    parser.add_argument("--images", type=int, default=1280)
    parser.add_argument("--objects", type=int, default=7, help="boxes an image")
    chosen = parser.parse_args()
    names = write_images(chosen.folder / "images", photographs(chosen.photos), chosen.images)
    (chosen.folder / "labels.json").write_text(json.dumps(labels(names, chosen.objects)))


if __name__ == "__main__":
    main()
