"""Statistics with known relevant channels."""

from dataclasses import dataclass

import numpy as np

from iqa_jax.datasets.table import Question
from iqa_jax.relevance import Examples

LAYERS = {"first": 16, "second": 24}


@dataclass(frozen=True)
class Planted:
    """Examples and the weights that generated their scores."""

    examples: Examples
    weights: np.ndarray


def plant(
    *,
    is_root: bool = False,
    references: int = 15,
    versions: int = 12,
    relevant: int = 8,
    noise: float = 0.1,
    higher_is_better: bool = True,
    protocol: Question = Question.OPINION,
    seed: int = 0,
) -> Planted:
    """Channels of very different size; every fifth of them matters."""
    rng = np.random.default_rng(seed)
    channels, pairs = sum(LAYERS.values()), references * versions
    scale = np.exp(rng.normal(size=channels))
    matrix = (scale * np.exp(rng.normal(size=(pairs, channels)))).astype(np.float32)
    weights = np.zeros(channels)
    weights[:: channels // relevant] = 1
    distance = matrix @ weights
    distance = np.sqrt(distance) if is_root else distance
    quality = -distance + noise * distance.std() * rng.normal(size=pairs)
    if protocol is Question.TWO_ALTERNATIVES:
        gap = (quality[1::2] - quality[::2]) / distance.std()
        second = np.round(1 / (1 + np.exp(-4 * gap)), 1)
        quality = np.stack([1 - second, second], axis=1).ravel()
    examples = Examples(
        name="planted",
        contributions=dict(zip(LAYERS, np.split(matrix, [LAYERS["first"]], axis=1), strict=True)),
        is_root=is_root,
        scores=quality if higher_is_better else 9 - quality,
        opinion_std=np.full(pairs, np.nan),
        contents=np.repeat([f"I{number:02}" for number in range(references)], versions),
        higher_is_better=higher_is_better,
        protocol=protocol,
    )
    return Planted(examples, weights)
