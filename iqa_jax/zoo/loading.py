"""From our checkpoints to backbones and relevances in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
from etils import epath

from iqa_jax.backbones import (
    INPUT,
    PRECISIONS,
    Backbone,
    build,
    build_folded,
    fold,
    from_function,
)
from iqa_jax.errors import CheckpointError, InputError
from iqa_jax.images.preprocess import IDENTITY
from iqa_jax.pytrees import register_pytree
from iqa_jax.weights import checkpoints
from iqa_jax.zoo.functions import Function, function_sha256, is_own, load_function
from iqa_jax.zoo.random_weights import initial_parameters
from iqa_jax.zoo.registry import MODELS, RELEVANCES, find_model


@register_pytree
@dataclass(frozen=True, eq=False)
class Relevance:
    """A weight for each channel of some layers of one model; a pytree, whose names are labels.

    Attributes:
      weights: ``{layer: [channels]}``, or ``{layer: [terms, channels]}`` for a read-out of several
        terms; non-negative.
      name: Of the checkpoint.
      model: Whose channels are weighed.
      sha256: Hash of the stored weights.
      training: Pairs that it was learned from; None if it was published.
    """

    weights: Mapping[str, jax.Array] = field(repr=False)
    name: str = field(metadata={"label": True})
    model: str = field(metadata={"label": True})
    sha256: str = field(metadata={"label": True})
    training: "TrainingData | None" = field(metadata={"label": True}, default=None)

    @property
    def terms(self) -> int:
        """How many weights each channel has."""
        weights = next(iter(self.weights.values()))
        return 1 if weights.ndim == 1 else weights.shape[0]

    def weighs(self, model: str, layers: Iterable[str]) -> bool:
        """Whether it has weights for all of some layers of a model."""
        return model == self.model and set(layers) <= set(self.weights)


class TrainingData(NamedTuple):
    """The pairs that something was learned from.

    Attributes:
      dataset: Name of the dataset.
      fingerprint: Hash of the pairs.
    """

    dataset: str
    fingerprint: str


def load_backbone(
    model: str | Function,
    *,
    checkpoints_dir: epath.PathLike | None = None,
    precision: str = "highest",
) -> Backbone:
    """Loads a network.

    Args:
      model: Name of a model, see :func:`list_models`; or a backbone of your own: a function from
        images, float32 ``[B, H, W, 3]`` in [0, 1], to a dict of activations
        ``[B, height, width, channels]`` in forward order, or where it is, ``FILE.py:NAME``. Its
        hash is that of its program, of all arrays in it, and of the file.
      checkpoints_dir: The folder of the converted weights; None for that of
        :func:`iqa_jax.weights.checkpoints.default_directory`.
      precision: Of the float32 products: ``highest`` (for published scores), ``high`` or
        ``default`` (TF32 on GPU, bfloat16 passes on TPU); or ``bf16``, weights and activations in
        bfloat16.

    Raises:
      InputError: If there is no such model or precision, or the function returns something else.
      CheckpointError: If its weights have not been fetched, or are damaged.
    """
    outline = outline_backbone(model, checkpoints_dir=checkpoints_dir, precision=precision)
    return fill_backbone(outline, checkpoints_dir=checkpoints_dir)


def outline_backbone(
    model: str | Function,
    *,
    checkpoints_dir: epath.PathLike | None = None,
    precision: str = "highest",
) -> Backbone:
    """All of a network but its weights: a backbone with shapes in the place of its parameters.

    With it, what is asked of a network can be checked before anything is loaded. Filling it changes
    nothing of what is compiled.

    Args:
      model: As for :func:`load_backbone`.
      checkpoints_dir: As for :func:`load_backbone`.
      precision: As for :func:`load_backbone`.

    Returns:
      The outline. Its ``sha256`` is that of the stored weights, and empty for an untrained
      network, whose weights are yet to be drawn. That of a function lacks nothing.

    Raises:
      InputError: As by :func:`load_backbone`.
      CheckpointError: If its weights have not been fetched, or are of another architecture.
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision: expected one of {', '.join(PRECISIONS)}, got {precision!r}")
    if callable(model):
        return _own_backbone(model, getattr(model, "__name__", "own"), precision)
    if is_own(model):
        return _own_backbone(load_function(model), model, precision)
    entry = find_model(model)
    network = build_folded(entry.trunk)
    dtype = jnp.bfloat16 if precision == "bf16" else jnp.float32
    parameters = {
        name: jax.ShapeDtypeStruct(each.shape, dtype) for name, each in network.parameters.items()
    }
    return Backbone(
        parameters=cast(Mapping[str, jax.Array], parameters),
        network=network,
        preprocessing=entry.preprocessing,
        name=model,
        precision=precision,
        sha256="" if entry.seed is not None else _stored_sha256(model, checkpoints_dir),
    )


def fill_backbone(outline: Backbone, *, checkpoints_dir: epath.PathLike | None = None) -> Backbone:
    """Loads the weights of a network.

    Args:
      outline: As :func:`outline_backbone` returns it.
      checkpoints_dir: As for :func:`load_backbone`.

    Raises:
      CheckpointError: If the weights are damaged, or no longer there.
    """
    if not outline.parameters:
        return outline
    entry = find_model(outline.name)
    if entry.seed is None:
        checkpoint = _load(outline.name, checkpoints_dir)
        arrays, sha256 = checkpoint.arrays, checkpoint.provenance["weights_sha256"]
    else:
        arrays = initial_parameters(build(entry.trunk).parameters, entry.seed)
        sha256 = checkpoints.digest(arrays)
    parameters = {
        name: jnp.asarray(array, outline.parameters[name].dtype)
        for name, array in fold(entry.trunk, arrays).items()
    }
    return replace(outline, parameters=parameters, sha256=sha256)


def weights_sha256(model: str, *, checkpoints_dir: epath.PathLike | None = None) -> str:
    """The hash of a model's weights, without loading them where they are stored.

    Args:
      model: Name of a model, or ``FILE.py:NAME``.
      checkpoints_dir: As for :func:`load_backbone`.

    Raises:
      InputError: If there is no such model.
      CheckpointError: If its weights have not been fetched.
    """
    outline = outline_backbone(model, checkpoints_dir=checkpoints_dir)
    return outline.sha256 or fill_backbone(outline, checkpoints_dir=checkpoints_dir).sha256


def _own_backbone(function: Function, name: str, precision: str) -> Backbone:
    return Backbone(
        parameters={},
        network=from_function(function),
        preprocessing=IDENTITY,
        name=name,
        precision=precision,
        sha256=function_sha256(function, name),
    )


def _stored_sha256(model: str, checkpoints_dir: epath.PathLike | None) -> str:
    """The hash of the stored weights, which have to be those of the model's architecture."""
    record = _provenance(model, checkpoints_dir)
    shapes = build(find_model(model).trunk).parameters
    if record["arrays"] != {name: [*each.shape] for name, each in shapes.items()}:
        raise CheckpointError(f"the checkpoint {model} is of another architecture; fetch it again")
    return record["weights_sha256"]


def model_layers(name: str) -> tuple[str, ...]:
    """Names of the layers of the model ``name`` in forward order, ``input`` first.

    Raises:
      InputError: If there is no such model.
    """
    if is_own(name):
        return (INPUT, *from_function(load_function(name)).layers)
    return (INPUT, *build_folded(find_model(name).trunk).layers)


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
        training=training_data(name, checkpoints_dir=checkpoints_dir),
    )


def training_data(
    relevance: str, *, checkpoints_dir: epath.PathLike | None = None
) -> TrainingData | None:
    """What a relevance was learned from by ``train_relevance``.

    Args:
      relevance: Name of the checkpoint.
      checkpoints_dir: As for :func:`load_backbone`.

    Returns:
      None for one that was published, and where there is none of this name.
    """
    record = checkpoints.read_provenance(checkpoints.resolve_directory(checkpoints_dir), relevance)
    statistics = record.get("source", {}).get("statistics") if record else None
    if statistics is None:
        return None
    return TrainingData(statistics["dataset"], statistics["dataset_fingerprint"])


def _load(name: str, directory: epath.PathLike | None) -> checkpoints.Checkpoint:
    _provenance(name, directory)
    return checkpoints.load(checkpoints.resolve_directory(directory), name)


def _provenance(name: str, directory: epath.PathLike | None) -> Mapping[str, Any]:
    where = checkpoints.resolve_directory(directory)
    record = checkpoints.read_provenance(where, name)
    if record is None:
        fetchable = name in MODELS or name in RELEVANCES
        advice = f"fetch it with: iqa fetch --models={name}, or "
        raise CheckpointError(
            f"there is no checkpoint {name} in {where.resolve()}; {advice if fetchable else ''}"
            "name its folder with --checkpoints_dir or IQA_JAX_CHECKPOINTS"
        )
    return record
