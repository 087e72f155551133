"""Prints a table of all networks or, with ``--manifest``, the sources of their weights as JSON."""

import argparse

from iqa_jax.zoo.listing import manifest, table

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="iqa models", description=__doc__)
    parser.add_argument("--manifest", action="store_true", help="print the sources as JSON")
    print(manifest() if parser.parse_args().manifest else table(), end="")
