"""Loading backbones and relevances from checkpoints."""

from collections.abc import Iterable, Mapping, Sequence
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
from iqa_jax.files import absolute
from iqa_jax.images.preprocess import IDENTITY
from iqa_jax.pytrees import register_pytree
from iqa_jax.weights import checkpoints
from iqa_jax.weights.relevance_files import is_relevance_file, read_relevance
from iqa_jax.zoo.functions import Function, function_sha256, is_own, load_function
from iqa_jax.zoo.random_weights import initial_parameters
from iqa_jax.zoo.registry import CALIBRATED, MODELS, RELEVANCES, find_model


@register_pytree
@dataclass(frozen=True, eq=False)
class Relevance:
    """Weights of the channels of some layers of one model; a pytree, whose names are labels.

    Attributes:
      weights: ``{layer: [channels]}``, or ``{layer: [terms, channels]}`` for a read-out of several
        terms; non-negative.
      name: Name of the checkpoint, or the file.
      model: Name of the model.
      sha256: Hash of the stored weights.
      training: Pairs that it was learned from; None if it was published.
      network_sha256: Hash of the weights of the network that it was learned for, if it is a file;
        None for a checkpoint, which lies beside its network.
    """

    weights: Mapping[str, jax.Array] = field(repr=False)
    name: str = field(metadata={"label": True})
    model: str = field(metadata={"label": True})
    sha256: str = field(metadata={"label": True})
    training: "TrainingData | None" = field(metadata={"label": True}, default=None)
    network_sha256: str | None = field(metadata={"label": True}, default=None)

    @property
    def terms(self) -> int:
        """Number of weights per channel."""
        weights = next(iter(self.weights.values()))
        return 1 if weights.ndim == 1 else weights.shape[0]

    def weighs(self, model: str, layers: Iterable[str]) -> bool:
        """Whether it has weights for all of these layers of a model."""
        return model == self.model and set(layers) <= set(self.weights)


class TrainingData(NamedTuple):
    """Pairs that a relevance was learned from.

    Attributes:
      dataset: Name of the dataset.
      fingerprint: Hash of the pairs.
    """

    dataset: str
    fingerprint: str


def load_backbone(
    model: str | Function | Backbone,
    *,
    layers: str | Sequence[str] | None = None,
    checkpoints_dir: epath.PathLike | None = None,
    precision: str = "highest",
) -> Backbone:
    """Loads a network.

    Args:
      model: Name of a model, see :func:`list_models`; or a backbone of your own: a function from
        images, float32 ``[B, H, W, 3]`` in [0, 1], to a dict of activations
        ``[B, height, width, channels]`` in forward order, or its location, ``FILE.py:NAME``. The
        hash of a function covers its program, all arrays in it, and the file. A loaded backbone
        keeps its precision.
      layers: Names of the layers to return, in this order, as ``"relu1+relu2"`` or a sequence; a
        short name such as ``layer2`` means its last block. None for all. Anything that these layers
        do not need is not computed.
      checkpoints_dir: Folder of the converted weights; None for that of
        :func:`iqa_jax.weights.checkpoints.default_directory`.
      precision: Precision of float32 products: ``highest`` (for published scores), ``high`` or
        ``default`` (TF32 on GPU, bfloat16 passes on TPU); or ``bf16`` for weights and activations
        in bfloat16.

    Raises:
      InputError: If there is no such model, layer or precision, or the function does not return
        named activations.
      CheckpointError: If its weights have not been fetched, or are damaged.

    Example:
      >>> import numpy as np, iqa_jax
      >>> model = "squeezenet1_1-random-none-seed0"
      >>> backbone = iqa_jax.load_backbone(model, layers=["relu1", "fire5"])
      >>> features = backbone(np.zeros((1, 64, 64, 3), np.uint8))
      >>> {layer: values.shape for layer, values in features.items()}
      {'relu1': (1, 31, 31, 64), 'fire5': (1, 7, 7, 256)}
    """
    outline = outline_backbone(model, checkpoints_dir=checkpoints_dir, precision=precision)
    if layers is not None:
        outline = outline.with_layers(layers)
    return fill_backbone(outline, checkpoints_dir=checkpoints_dir)


def outline_backbone(
    model: str | Function | Backbone,
    *,
    checkpoints_dir: epath.PathLike | None = None,
    precision: str = "highest",
) -> Backbone:
    """A network without its weights: a backbone with shapes for parameters.

    With an outline, layers and image sizes can be checked before weights are loaded. The filled
    backbone compiles to the same program.

    Args:
      model: See :func:`load_backbone`.
      checkpoints_dir: See :func:`load_backbone`.
      precision: See :func:`load_backbone`.

    Returns:
      The outline. Its ``sha256`` is that of the stored weights, and empty for an untrained
      network, whose weights are not drawn yet. A function or a loaded backbone is complete.

    Raises:
      InputError: For the reasons of :func:`load_backbone`.
      CheckpointError: If its weights have not been fetched, or belong to another architecture.
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision: expected one of {', '.join(PRECISIONS)}, got {precision!r}")
    if isinstance(model, Backbone):
        return model
    if callable(model):
        return _own_backbone(model, getattr(model, "__name__", "own"), precision)
    if not isinstance(model, str):
        raise InputError(
            "expected the name of a model, FILE.py:NAME, or a function from images to activations, "
            f"got {type(model).__name__}"
        )
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
      outline: Result of :func:`outline_backbone`.
      checkpoints_dir: See :func:`load_backbone`.

    Raises:
      CheckpointError: If the weights are damaged or missing.
    """
    if not any(isinstance(each, jax.ShapeDtypeStruct) for each in outline.parameters.values()):
        return outline
    entry = find_model(outline.name)
    if entry.calibrated:
        raise InputError(
            f"{outline.name} is calibrated with the references of a dataset: iqa evaluate does it; "
            f"the control without is {outline.name.removesuffix(CALIBRATED)}"
        )
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


def has_weights(model: str, *, checkpoints_dir: epath.PathLike | None = None) -> bool:
    """Whether a network needs no stored weights, or they have been fetched.

    Args:
      model: Name of a model.
      checkpoints_dir: See :func:`load_backbone`.

    Raises:
      InputError: If there is no such model.
      CheckpointError: If its provenance is damaged.
    """
    if find_model(model).seed is not None:
        return True
    where = checkpoints.resolve_directory(checkpoints_dir)
    return checkpoints.read_provenance(where, model) is not None


def weights_sha256(model: str, *, checkpoints_dir: epath.PathLike | None = None) -> str:
    """Hash of a model's weights; stored weights are not loaded.

    Args:
      model: Name of a model, or ``FILE.py:NAME``.
      checkpoints_dir: See :func:`load_backbone`.

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
    """Hash of the stored weights after a check that they fit the architecture."""
    record = _provenance(model, checkpoints_dir)
    shapes = build(find_model(model).trunk).parameters
    if record["arrays"] != {name: [*each.shape] for name, each in shapes.items()}:
        raise CheckpointError(
            f"the checkpoint {model} belongs to another architecture; fetch it again"
        )
    return record["weights_sha256"]


def model_layers(name: str) -> tuple[str, ...]:
    """Names of the layers of the model ``name`` in forward order, ``input`` first.

    Raises:
      InputError: If there is no such model.
    """
    if is_own(name):
        return (INPUT, *from_function(load_function(name)).layers)
    return (INPUT, *build_folded(find_model(name).trunk).layers)


def layers_on_request(name: str) -> tuple[str, ...]:
    """Names of layers of the model ``name`` that only a request by name selects.

    Raises:
      InputError: If there is no such model.
    """
    return () if is_own(name) else build_folded(find_model(name).trunk).on_request


def load_relevance(name: str, *, checkpoints_dir: epath.PathLike | None = None) -> Relevance:
    """Loads channel weights, published or learned.

    Args:
      name: Name of the checkpoint, or a file that ends in ``.safetensors``.
      checkpoints_dir: See :func:`load_backbone`.

    Raises:
      CheckpointError: If there is no such checkpoint or file, it is damaged, or holds something
        else.
    """
    if is_relevance_file(name):
        return _relevance_of_file(name)
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
    """Pairs that ``train_relevance`` learned a relevance from.

    Args:
      relevance: Name of the checkpoint, or a file that ends in ``.safetensors``.
      checkpoints_dir: See :func:`load_backbone`.

    Returns:
      None for a published relevance, and for an unknown name.
    """
    if is_relevance_file(relevance):
        return _relevance_of_file(relevance).training
    record = checkpoints.read_provenance(checkpoints.resolve_directory(checkpoints_dir), relevance)
    statistics = record.get("source", {}).get("statistics") if record else None
    if statistics is None:
        return None
    return TrainingData(statistics["dataset"], statistics["dataset_fingerprint"])


def _relevance_of_file(path: str) -> Relevance:
    weights, card = (found := read_relevance(path)).arrays, found.provenance
    return Relevance(
        weights={layer: jnp.asarray(values) for layer, values in weights.items()},
        name=path,
        model=card["model"],
        sha256=card["weights_sha256"],
        training=TrainingData(card["dataset"]["name"], card["dataset"]["fingerprint"]),
        network_sha256=card["model_weights_sha256"],
    )


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
            f"there is no checkpoint {name} in {absolute(where)}; {advice if fetchable else ''}"
            "name its folder with checkpoints_dir or IQA_JAX_CHECKPOINTS"
        )
    return record
