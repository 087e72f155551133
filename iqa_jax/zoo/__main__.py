"""The program ``iqa models``."""

import sys

from iqa_jax.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["models", *sys.argv[1:]]))
