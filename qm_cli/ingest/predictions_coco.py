"""Predictions inside an object (a COCO dict with scores, or {"predictions": […]}) or one a line → a results list."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa

from qm_cli.arrays import strings_to_arrow
from qm_cli.errors import InputError
from qm_cli.json_faults import fault, not_utf8, repeated_top_key
from qm_cli.json_lines import as_list, starts_a_second
from qm_cli.raw import Columns, identifiers

HINT = 'a COCO results list, or an object with "annotations" or "predictions" that have scores'


class Image(msgspec.Struct):
    id: int | str | None = None
    file_name: str | None = None


class Category(msgspec.Struct):
    id: int | str | None = None
    name: str | None = None


class Document(msgspec.Struct):
    predictions: msgspec.Raw = msgspec.Raw(b"")
    annotations: msgspec.Raw = msgspec.Raw(b"")
    images: list[Image] = []
    categories: list[Category] = []


def unwrap(path: Path, folder: Path, where: str) -> tuple[Path, Columns, Columns]:
    """The list of predictions as a file in the folder, the object's image table (id, file_name) and category names.

    JSON lines, one prediction in each, are that list without the two.
    """
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    target = folder / f"{len(list(folder.iterdir()))}-{path.name}.list"
    if starts_a_second(path):
        target.write_bytes(as_list(content))
        return target, {}, {}
    try:
        document = msgspec.json.decode(content, type=Document)
        keys = list(msgspec.json.decode(content, type=dict[str, msgspec.Raw]))
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$.")
        raise InputError(f"{where}: {place.rstrip('`')}: {text}", HINT) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason, hint = fault(content, error)
        raise InputError(f"{where}: {reason}", HINT if "trailing characters" in str(error) else hint) from None
    except RecursionError:
        raise InputError(f"{where}: nested too deeply to be predictions", "write the file again") from None
    wrong = not_utf8(content)
    if wrong:
        raise InputError(f"{where}: {wrong}", "save the file as UTF-8")
    wrong = repeated_top_key(content, keys)
    if wrong:
        raise InputError(f"{where}: {wrong}", "keep one of the two")
    rows = bytes(document.predictions) or bytes(document.annotations)
    if not rows and "image_id" in keys:
        rows = as_list(content)
    if not rows:
        raise InputError(f"{where}: expected a list of predictions, found an object without one", HINT)
    target.write_bytes(rows)
    return target, _image_names(document.images, where), _category_names(document.categories, where)


def _image_names(images: list[Image], where: str) -> Columns:
    if not images:
        return {}
    ids = identifiers([image.id for image in images], f"{where}: images")
    return {"id": ids, "file_name": strings_to_arrow([image.file_name for image in images])}


def _category_names(categories: list[Category], where: str) -> Columns:
    if not categories:
        return {}
    ids = identifiers([category.id for category in categories], f"{where}: categories")
    names: pa.Array = strings_to_arrow([category.name for category in categories])
    return {"id": ids, "name": names}
