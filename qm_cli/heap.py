"""How this process's C library hands memory back: not after every image or column, since the next needs as much."""

from __future__ import annotations

from functools import cache

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's mallopt."""
KEPT_FREE = 128 << 20
OWN_MAPPING = 32 << 20


@cache
def keep_freed() -> bool:
    """Keep up to 128 MiB of freed memory, and map only blocks of 32 MiB and more apart; False where that is unknown.

    A plane of an image, or a column, is a mapping of its own by default, whose pages the system fills with zeros anew
    each time: that takes longer than computing the plane. See mallopt(3); C libraries other than glibc are left alone.
    """
    import ctypes

    try:
        option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(option(MMAP_THRESHOLD, OWN_MAPPING)) and bool(option(TRIM_THRESHOLD, KEPT_FREE))
