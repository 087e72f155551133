"""Weights: readers of foreign checkpoints, conversion by name, storage. Knows no network."""
