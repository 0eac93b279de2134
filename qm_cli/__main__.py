"""The command `qm`, and python -m qm_cli: an interrupt is answered in a line even while the rest is being imported."""

import gc
import os

from qm_cli import INTERRUPTED

OBJECTS_BETWEEN_COLLECTIONS = 100_000


def main() -> None:
    """Import the program and run it; what loading leaves behind, which is no garbage, is seldom looked through."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    try:
        from qm_cli.main import main as run

        run()
    except KeyboardInterrupt:
        _leave()
    except RuntimeError as error:  # what Python makes of an interrupt while a class is made
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        _leave()


def _leave() -> None:
    os.write(2, b"qm: interrupted\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
