"""python -m qm_cli is qm."""

from qm_cli.main import main

if __name__ == "__main__":
    main()
