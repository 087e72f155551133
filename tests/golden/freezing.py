"""Stores what an original program makes of drawn weights, by channels, once it is proven sound."""

import gzip
import json
from collections.abc import Callable, Mapping

import numpy as np
from golden import draws
from golden.configurations import CONFIGURATIONS, FOLDER, IMAGE_SEED

_NOISE = 2e-5
"""Maximum difference of float32 from float64, relative to the magnitude of a layer."""

_ALIVE = (1e-3, 1e3)
"""Range of the standard deviation of every layer."""

Activations = Callable[[np.ndarray, str], Mapping[str, np.ndarray]]
"""Layers ``[height, width, channels]`` of an image ``[H, W, 3]``, in a type of numbers."""


def freeze(
    name: str, shapes: Mapping[str, tuple[int, ...]], activations: Activations
) -> tuple[float, float, float]:
    """Stores the statistics of all layers, and the shapes of parameters and layers.

    Args:
      name: Name of a configuration.
      shapes: Shapes of the parameters in the layout of the original.
      activations: The original with drawn weights, in ``float64`` or ``float32``.

    Returns:
      The largest noise of float32, and the least and the largest standard deviation of a layer.

    Raises:
      ValueError: If float32 is too noisy, or a layer is dead or has exploded.
    """
    rows, sizes, noises, deviations = [], {}, [], []
    for height, width in CONFIGURATIONS[name].sizes:
        image = draws.image(height, width, IMAGE_SEED)
        exact, single = (activations(image, kind) for kind in ("float64", "float32"))
        for layer, activation in exact.items():
            difference = np.linalg.norm(single[layer] - activation)
            noises.append(float(difference / np.linalg.norm(activation)))
            deviations.append(float(activation.std()))
            sizes.setdefault(layer, []).append(list(activation.shape))
        rows.append(np.concatenate([draws.statistics(each) for each in exact.values()]))
    low, high = min(deviations), max(deviations)
    if not (max(noises) < _NOISE and _ALIVE[0] < low and high < _ALIVE[1]):
        raise ValueError(f"{name}: noise {max(noises)}, standard deviations {low} to {high}")
    np.savez_compressed(FOLDER / "backbones" / f"{name}.npz", statistics=np.stack(rows))
    facts = {"parameters": shapes, "layers": sizes}
    packed = gzip.compress(json.dumps(facts, separators=(",", ":")).encode(), mtime=0)
    (FOLDER / "trunks" / f"{CONFIGURATIONS[name].trunk}.json.gz").write_bytes(packed)
    return max(noises), low, high
