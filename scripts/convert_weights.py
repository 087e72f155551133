"""The program ``iqa convert``."""

import sys

from iqa_jax.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["convert", *sys.argv[1:]]))
