"""From our checkpoints to backbones and relevances in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from etils import epath

from iqa_jax.backbones import INPUT, PRECISIONS, Backbone, build, fold, from_function
from iqa_jax.errors import CheckpointError, InputError
from iqa_jax.images.preprocess import IDENTITY
from iqa_jax.weights import checkpoints
from iqa_jax.zoo.functions import Function, function_sha256, is_own, load_function
from iqa_jax.zoo.random_weights import initial_parameters
from iqa_jax.zoo.registry import MODELS, RELEVANCES, find_model


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Relevance:
    """A weight for each channel of some layers of one model; a pytree.

    Attributes:
      weights: ``{layer: [channels]}``, or ``{layer: [terms, channels]}`` for a read-out of several
        terms; non-negative.
      name: Of the checkpoint.
      model: Whose channels are weighed.
      sha256: Hash of the stored weights.
    """

    weights: Mapping[str, jax.Array] = field(repr=False)
    name: str = field(metadata={"static": True})
    model: str = field(metadata={"static": True})
    sha256: str = field(metadata={"static": True})

    @property
    def terms(self) -> int:
        """How many weights each channel has."""
        weights = next(iter(self.weights.values()))
        return 1 if weights.ndim == 1 else weights.shape[0]


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
      checkpoints_dir: The folder of the converted weights; None for the environment variable
        ``IQA_JAX_CHECKPOINTS``, else ``checkpoints`` in the current folder.
      precision: Of the float32 products: ``highest`` (for published scores), ``high`` or
        ``default`` (TF32 on GPU, bfloat16 passes on TPU); or ``bf16``, weights and activations in
        bfloat16.

    Raises:
      InputError: If there is no such model or precision, or the function returns something else.
      CheckpointError: If its weights have not been fetched, or are damaged.
    """
    _check_precision(precision)
    if callable(model):
        return _own_backbone(model, getattr(model, "__name__", "own"), precision)
    if is_own(model):
        return _own_backbone(load_function(model), model, precision)
    entry = find_model(model)
    stored, sha256 = _parameters(model, checkpoints_dir)
    network, folded = fold(entry.trunk, stored)
    return Backbone(
        parameters={name: jnp.asarray(array, _dtype(precision)) for name, array in folded.items()},
        network=network,
        preprocessing=entry.preprocessing,
        name=model,
        precision=precision,
        sha256=sha256,
    )


def outline_backbone(
    model: str, *, checkpoints_dir: epath.PathLike | None = None, precision: str = "highest"
) -> Backbone:
    """As :func:`load_backbone`, with the shapes of the parameters in the place of parameters.

    Args:
      model: As for :func:`load_backbone`.
      checkpoints_dir: As for :func:`load_backbone`.
      precision: As for :func:`load_backbone`.

    Raises:
      InputError: If there is no such model or precision.
      CheckpointError: If its weights have not been fetched.
    """
    _check_precision(precision)
    if is_own(model):
        return load_backbone(model, precision=precision)
    entry = find_model(model)
    if entry.seed is None:
        _provenance(model, checkpoints_dir)
    network = build(entry.trunk)
    shapes = {
        name: jax.ShapeDtypeStruct(value.shape, _dtype(precision))
        for name, value in network.parameters.items()
    }
    parameters = cast(Mapping[str, jax.Array], shapes)
    return Backbone(parameters, network, entry.preprocessing, model, precision)


def weights_sha256(model: str, *, checkpoints_dir: epath.PathLike | None = None) -> str:
    """The hash of a model's weights, as :func:`load_backbone` gives it, without loading them.

    Args:
      model: Name of a model, or ``FILE.py:NAME``.
      checkpoints_dir: As for :func:`load_backbone`.

    Raises:
      InputError: If there is no such model.
      CheckpointError: If its weights have not been fetched.
    """
    if is_own(model):
        return function_sha256(load_function(model), model)
    if find_model(model).seed is None:
        return _provenance(model, checkpoints_dir)["weights_sha256"]
    _, sha256 = _parameters(model, checkpoints_dir)
    return sha256


def _dtype(precision: str) -> Any:
    return jnp.bfloat16 if precision == "bf16" else jnp.float32


def _check_precision(precision: str) -> None:
    if precision not in PRECISIONS:
        raise InputError(f"precision: expected one of {', '.join(PRECISIONS)}, got {precision!r}")


def _own_backbone(function: Function, name: str, precision: str) -> Backbone:
    return Backbone(
        parameters={},
        network=from_function(function),
        preprocessing=IDENTITY,
        name=name,
        precision=precision,
        sha256=function_sha256(function, name),
    )


def _parameters(
    name: str, checkpoints_dir: epath.PathLike | None
) -> tuple[Mapping[str, np.ndarray], str]:
    """The parameters of a model as they are stored, and their hash."""
    model = find_model(name)
    shapes = build(model.trunk).parameters
    if model.seed is not None:
        initial = initial_parameters(shapes, model.seed)
        return initial, checkpoints.digest(initial)
    checkpoint = _load(name, checkpoints_dir)
    found = {key: value.shape for key, value in checkpoint.arrays.items()}
    if found != {key: value.shape for key, value in shapes.items()}:
        raise CheckpointError(f"the checkpoint {name} is of another architecture; fetch it again")
    return checkpoint.arrays, checkpoint.provenance["weights_sha256"]


def model_layers(name: str) -> tuple[str, ...]:
    """Names of the layers of the model ``name`` in forward order, ``input`` first.

    Raises:
      InputError: If there is no such model.
    """
    if is_own(name):
        return (INPUT, *from_function(load_function(name)).layers)
    return (INPUT, *build(find_model(name).trunk).layers)


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
    record = checkpoints.read_provenance(_directory(checkpoints_dir), relevance)
    statistics = record.get("source", {}).get("statistics") if record else None
    if statistics is None:
        return None
    return TrainingData(statistics["dataset"], statistics["dataset_fingerprint"])


def _load(name: str, directory: epath.PathLike | None) -> checkpoints.Checkpoint:
    _provenance(name, directory)
    return checkpoints.load(_directory(directory), name)


def _provenance(name: str, directory: epath.PathLike | None) -> Mapping[str, Any]:
    where = _directory(directory)
    record = checkpoints.read_provenance(where, name)
    if record is None:
        fetchable = name in MODELS or name in RELEVANCES
        advice = f"fetch it with: iqa fetch --models={name}, or "
        raise CheckpointError(
            f"there is no checkpoint {name} in {where.resolve()}; {advice if fetchable else ''}"
            "name its folder with --checkpoints_dir or IQA_JAX_CHECKPOINTS"
        )
    return record


def _directory(directory: epath.PathLike | None) -> epath.Path:
    return epath.Path(directory) if directory else checkpoints.default_directory()
