"""What a pair function computes, by name."""

import jax

from iqa_jax.metrics import load_group, parse_metrics
from iqa_jax.metrics.pair_function import PairFunction


def load(*names, **options):
    """What computes metrics of one group."""
    return load_group(parse_metrics(names), **options)


def named(function, values):
    return dict(zip(function.names, values, strict=True))


def versions(function, reference, distorted):
    return named(function, jax.jit(PairFunction.versions)(function, reference, distorted))


def pairs(function, reference, distorted):
    return named(function, jax.jit(PairFunction.pairs)(function, reference, distorted))
