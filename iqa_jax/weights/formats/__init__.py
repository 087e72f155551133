"""Formats of checkpoints, read without running what they contain."""
