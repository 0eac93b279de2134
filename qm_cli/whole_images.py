"""Do image files decode to their end? Tried in a process of its own, so that a decoder that crashes ends no command."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from qm_cli.backends.local import open_backend
from qm_cli.storage import opened

TRUNCATED, ENDS_WORKER = "image-truncated", "image-ends-worker"
FILES_AT_ONCE = 16


class Files(Struct, frozen=True):
    """Names of image files in a folder."""

    folder: str
    names: tuple[str, ...]

    def halves(self) -> tuple[Files, Files] | None:
        """The files in two; None for a single one."""
        middle = len(self.names) // 2
        return (Files(self.folder, self.names[:middle]), Files(self.folder, self.names[middle:])) if middle else None

    def joined(self, first: list[str], second: list[str]) -> list[str]:
        """What is wrong with the files of both halves."""
        return [*first, *second]

    def given_up(self) -> list[str]:
        """Of a file that no process survives."""
        return [ENDS_WORKER for _ in self.names]


def problems_of(folder: str, names: Sequence[str]) -> list[str]:
    """The code of what is wrong with each file, "" for one that decodes."""
    tasks = [
        Files(folder, tuple(names[first : first + FILES_AT_ONCE])) for first in range(0, len(names), FILES_AT_ONCE)
    ]
    if not tasks:
        return []
    with open_backend(1) as backend:
        return [code for codes in backend.map(decoded, tasks) for code in codes]


def decoded(files: Files) -> list[str]:
    """As `problems_of`, in this process."""
    return [_problem(files.folder, name) for name in files.names]


def _problem(folder: str, name: str) -> str:
    from PIL import Image

    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with opened(folder, name) as file, Image.open(file) as image:
            image.load()
    except (OSError, SyntaxError, ValueError, EOFError):
        return TRUNCATED
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    return ""
