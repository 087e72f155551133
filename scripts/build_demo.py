"""The program ``iqa demo``."""

import sys

from iqa_jax.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["demo", *sys.argv[1:]]))
