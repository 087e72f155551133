"""Lists all networks, or with ``--manifest`` the sources of their weights as JSON.

Example:
  iqa models
"""

from absl import flags

from iqa_jax.zoo.listing import manifest, table

MANIFEST = flags.DEFINE_bool("manifest", False, "Print the sources of all weights as JSON.")


def main() -> None:
    """Prints the list."""
    print(manifest() if MANIFEST.value else table(), end="")
