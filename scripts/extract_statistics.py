"""The program ``iqa extract``."""

import sys

from iqa_jax.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["extract", *sys.argv[1:]]))
