"""The program ``iqa verify``."""

import sys

from iqa_jax.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["verify", *sys.argv[1:]]))
