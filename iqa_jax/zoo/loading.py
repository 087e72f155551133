"""From our checkpoints to backbones and relevances in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
from etils import epath

from iqa_jax.backbones import INPUT, PRECISIONS, Backbone, build
from iqa_jax.errors import CheckpointError, InputError
from iqa_jax.weights import checkpoints
from iqa_jax.zoo.models import MODELS, RELEVANCES, find_model


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Relevance:
    """A weight for each channel of some layers of one model; a pytree.

    Attributes:
      weights: ``{layer: [channels]}``, non-negative.
      name: Of the checkpoint.
      model: Whose channels are weighed.
      sha256: Hash of the stored weights.
    """

    weights: Mapping[str, jax.Array]
    name: str = field(metadata={"static": True})
    model: str = field(metadata={"static": True})
    sha256: str = field(metadata={"static": True})


def load_backbone(
    name: str, *, checkpoints_dir: epath.PathLike | None = None, precision: str = "highest"
) -> Backbone:
    """Loads a pretrained network.

    Args:
      name: Name of a model; see :func:`list_models`.
      checkpoints_dir: The folder of the converted weights; None for the environment variable
        ``IQA_JAX_CHECKPOINTS``, else ``checkpoints`` in the current folder.
      precision: Of the float32 products: ``highest`` (for published scores), ``high`` or
        ``default`` (TF32 on GPU, bfloat16 passes on TPU); or ``bf16``, weights and activations in
        bfloat16.

    Raises:
      InputError: If there is no such model or precision.
      CheckpointError: If its weights have not been fetched, or are damaged.
    """
    model = find_model(name)
    if precision not in PRECISIONS:
        raise InputError(f"precision: expected one of {', '.join(PRECISIONS)}, got {precision!r}")
    network = build(model.architecture)
    checkpoint = _load(name, checkpoints_dir)
    shapes = {key: value.shape for key, value in checkpoint.arrays.items()}
    if shapes != {key: value.shape for key, value in network.parameters.items()}:
        raise CheckpointError(f"the checkpoint {name} is of another architecture; fetch it again")
    dtype = jnp.bfloat16 if precision == "bf16" else jnp.float32
    parameters = jax.tree.map(lambda array: jnp.asarray(array, dtype), dict(checkpoint.arrays))
    return Backbone(
        parameters=parameters,
        network=network,
        preprocessing=model.preprocessing,
        name=name,
        precision=precision,
        sha256=checkpoint.provenance["weights_sha256"],
    )


def model_layers(name: str) -> tuple[str, ...]:
    """Names of the layers of the model ``name`` in forward order, ``input`` first.

    Raises:
      InputError: If there is no such model.
    """
    return (INPUT, *build(find_model(name).architecture).layers)


def load_relevance(name: str, *, checkpoints_dir: epath.PathLike | None = None) -> Relevance:
    """Loads channel weights, published or learned.

    Args:
      name: Of the checkpoint.
      checkpoints_dir: As for :func:`load_backbone`.

    Raises:
      CheckpointError: If there is no such checkpoint, it is damaged, or holds something else.
    """
    checkpoint = _load(name, checkpoints_dir)
    if checkpoint.provenance["kind"] != "relevance":
        raise CheckpointError(f"the checkpoint {name} holds a backbone, not a relevance")
    return Relevance(
        weights={layer: jnp.asarray(values) for layer, values in checkpoint.arrays.items()},
        name=name,
        model=checkpoint.provenance["model"],
        sha256=checkpoint.provenance["weights_sha256"],
    )


def _load(name: str, directory: epath.PathLike | None) -> checkpoints.Checkpoint:
    where = epath.Path(directory) if directory else checkpoints.default_directory()
    if checkpoints.read_provenance(where, name) is None:
        model = RELEVANCES[name].model if name in RELEVANCES else name
        fetchable = model in MODELS
        advice = f"; fetch it with: python scripts/fetch_weights.py --models={model}"
        raise CheckpointError(
            f"there is no checkpoint {name} in {where.resolve()}{advice if fetchable else ''}"
        )
    return checkpoints.load(where, name)
