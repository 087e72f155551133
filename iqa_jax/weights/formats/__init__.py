"""Checkpoint formats, read without executing anything in the files."""
