"""Calibrated controls: untrained networks whose normalisations fit the references of a dataset.

The plain controls have batch normalisations that do nothing, and ConvNeXt's layer scale of 1e-6
nearly removes its blocks. Here, the moments are those of the references, and the layer scale is 1.
"""

from collections.abc import Sequence
from dataclasses import replace

import jax.numpy as jnp
import numpy as np

from iqa_jax.backbones import Backbone, build, fold
from iqa_jax.backbones.moments import measured_moments
from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import unit_range
from iqa_jax.weights import checkpoints
from iqa_jax.zoo.loading import outline_backbone
from iqa_jax.zoo.random_weights import initial_parameters
from iqa_jax.zoo.registry import find_model

MOST_REFERENCES = 16
"""Number of references that are used, of more."""

_LARGEST = 224
"""Height and width of the crops of the references, from the centre, or less."""


def calibrated_backbone(
    name: str, references: Sequence[np.ndarray], *, precision: str = "highest"
) -> Backbone:
    """Makes a calibrated control.

    Args:
      name: Name of the model, which ends in ``-calibrated``.
      references: Images, ``uint8`` ``[H, W, 3]``; the first 16 are used, a crop of at most 224 x
        224 pixels of each, as large as all of them allow.
      precision: See ``load_backbone``.

    Raises:
      InputError: If there is no such model, or there are no references.
    """
    model = find_model(name)
    if not model.calibrated:
        raise InputError(f"{name} is not calibrated: add -calibrated to the name of a control")
    if not references:
        raise InputError(f"{name}: no references to calibrate it with")
    outline = outline_backbone(name, precision=precision)
    shapes = build(model.trunk).parameters
    arrays = initial_parameters(shapes, model.seed or 0)
    for each, values in arrays.items():
        if each.endswith("layer_scale"):
            arrays[each] = np.ones_like(values)
    if any(each.endswith(".mean") for each in shapes):
        x = outline.preprocessing(unit_range(jnp.asarray(_crops(references))))
        arrays |= measured_moments(model.trunk, arrays, np.asarray(x))
    parameters = {
        each: jnp.asarray(values, outline.parameters[each].dtype)
        for each, values in fold(model.trunk, arrays).items()
    }
    return replace(outline, parameters=parameters, sha256=checkpoints.digest(arrays))


def _crops(references: Sequence[np.ndarray]) -> np.ndarray:
    """The centres of the first references, all of one size."""
    used = references[:MOST_REFERENCES]
    height, width = (min(_LARGEST, *(each.shape[axis] for each in used)) for axis in (0, 1))
    corners = [((each.shape[0] - height) // 2, (each.shape[1] - width) // 2) for each in used]
    return np.stack(
        [
            each[top : top + height, left : left + width]
            for each, (top, left) in zip(used, corners, strict=True)
        ]
    )
