"""Work for several processes, and ``iqa`` as a command of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Work:
    """Pairs to score.

    Attributes:
      flags: Flags of ``iqa score`` without the output.
      environment: Variables of a shell on a machine without accelerators, where ``iqa`` is found.
      folder: Folder that the processes share.
    """

    flags: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path

    @property
    def merged(self) -> bytes:
        """The table that the processes have written."""
        return (self.folder / "scores.csv").read_bytes()

    def whole(self) -> bytes:
        """The table that one process writes."""
        path = self.folder.with_name("whole.csv")
        command = ["iqa", "score", *self.flags, f"--output={path}"]
        subprocess.run(command, check=True, capture_output=True, env=self.environment)
        return path.read_bytes()

    @property
    def finished(self) -> int:
        """Number of finished shards."""
        return len(list(self.folder.glob("shards/*.csv")))


@pytest.fixture
def work(pair_folder: Path, tmp_path: Path) -> Work:
    """Thousands of pairs in about fifty shards; the same program as the one under test."""
    program = tmp_path / "bin" / "iqa"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m iqa_jax "$@"\n')
    program.chmod(0o755)
    header, *rows = (pair_folder / "pairs.csv").read_text().splitlines()
    many = pair_folder / "many.csv"
    many.write_text("\n".join([header, *(rows * 1000)]) + "\n")
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""}
    environment["PATH"] = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return Work(("--metrics=psnr,ssim", f"--pairs={many}"), environment, tmp_path / "scores")
