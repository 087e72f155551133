"""The program ``iqa merge``."""

import sys

from iqa_jax.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["merge", *sys.argv[1:]]))
