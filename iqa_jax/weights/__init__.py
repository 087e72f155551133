"""Weights: third-party checkpoints, conversion by name and storage, independent of any network."""
