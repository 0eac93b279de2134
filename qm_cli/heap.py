"""How this process's C library hands memory back: not after every image or column, since the next needs as much."""

from __future__ import annotations

from functools import cache

TRIM_THRESHOLD, MMAP_THRESHOLD, MOST_ARENAS = -1, -3, -8
"""Parameters of glibc's mallopt."""
KEPT_FREE = 128 << 20
OWN_MAPPING = 32 << 20


@cache
def keep_freed() -> bool:
    """Keep up to 128 MiB of freed memory for all threads alike, and map only blocks from 32 MiB on apart.

    False where that is unknown.

    A plane of an image, or a column, is a mapping of its own by default, whose pages the system fills with zeros anew
    each time: that takes longer than computing the plane. See mallopt(3); C libraries other than glibc are left alone.
    """
    import ctypes

    try:
        option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    wanted = ((MOST_ARENAS, 1), (MMAP_THRESHOLD, OWN_MAPPING), (TRIM_THRESHOLD, KEPT_FREE))
    return all(option(name, value) for name, value in wanted)
