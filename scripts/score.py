"""The program ``iqa score``."""

import sys

from iqa_jax.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["score", *sys.argv[1:]]))
