"""What was found: pairs without scores and pairs beyond a limit, with their exit status."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from iqa_jax.programs.running import ExitStatus
from iqa_jax.text import counted

STATUSES = {
    ExitStatus.PAIRS_FAILED: "some pairs could not be scored; the others were",
    ExitStatus.BEYOND_LIMIT: "some pairs are beyond a limit of --fail_beyond",
}
"""Exit statuses of programs that end with findings, in addition to the common ones."""


@dataclass(frozen=True)
class Findings:
    """Result of a scoring in two numbers.

    Attributes:
      failed: Number of pairs that could not be scored in full.
      beyond: Number of pairs beyond a limit.
    """

    failed: int
    beyond: int = 0

    def ended(self, verb: str, limits: Sequence[str]) -> ExitStatus:
        """Says what was found, and returns the exit status.

        Args:
          verb: Name of the program.
          limits: The limits, as written on the command line.
        """
        if self.failed:
            print(
                f"iqa {verb}: {counted(self.failed, 'pairs')} could not be scored in full; the "
                "column 'error' says why",
                file=sys.stderr,
            )
        if self.beyond:
            beyond = f"{counted(self.beyond, 'pairs')} beyond {', '.join(limits)}"
            print(f"iqa {verb}: {beyond}", file=sys.stderr)
            return ExitStatus.BEYOND_LIMIT
        return ExitStatus.PAIRS_FAILED if self.failed else ExitStatus.DONE
