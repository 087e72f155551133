"""Datasets: their layouts on disk, read into one kind of table. Knows no network."""

from iqa_jax.datasets.inspection import inspect
from iqa_jax.datasets.joined import read_joined_scores
from iqa_jax.datasets.registry import DATASETS, DIRECTIONS, load_dataset
from iqa_jax.datasets.table import Pair, PairTable, fingerprint

__all__ = [
    "DATASETS",
    "DIRECTIONS",
    "Pair",
    "PairTable",
    "fingerprint",
    "inspect",
    "load_dataset",
    "read_joined_scores",
]
