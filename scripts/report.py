"""The program ``iqa report``."""

import sys

from iqa_jax.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["report", *sys.argv[1:]]))
