"""Statistics of another dataset, whose means ``balanced`` and ``normalized`` compare with."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from etils import epath

from iqa_jax.backbones import aliases
from iqa_jax.engine.store import StatisticsStore
from iqa_jax.errors import InputError
from iqa_jax.readouts import READOUTS, ReadoutName, needed_arrays
from iqa_jax.zoo import weights_sha256

_SAME = ("model", "weights_sha256", "precision", "resize")


def open_normalisers(
    folder: epath.PathLike,
    readouts: Iterable[ReadoutName],
    *,
    checkpoints_dir: epath.PathLike | None = None,
    precision: str = "highest",
    resize: str | None = None,
) -> dict[str, StatisticsStore]:
    """Opens the statistics that read-outs compare with.

    Args:
      folder: Folder of the stores of one dataset, ``FOLDER/DATASET/MODEL``; or ``FOLDER/DATASET``.
      readouts: Read-outs of any models; those that are functions of the pair alone are skipped.
      checkpoints_dir: See ``load_backbone``.
      precision: Precision of the statistics that are compared.
      resize: Resizing of every image before it is scored.

    Returns:
      The statistics by model.

    Raises:
      InputError: If no read-out compares with a dataset, or the statistics of a model are missing,
        were made in another way, or lack a layer.
    """
    comparing: dict[str, list[ReadoutName]] = {}
    for readout in readouts:
        if READOUTS[readout.readout].normalised_by:
            comparing.setdefault(readout.model, []).append(readout)
    if not comparing:
        raise InputError(
            "normaliser_from: nothing asked for compares with a dataset; ask for balanced or "
            "normalized, or leave it out"
        )
    stores = {model: StatisticsStore.open(folder, model) for model in comparing}
    for model, store in stores.items():
        signature = {
            "model": model,
            "weights_sha256": weights_sha256(model, checkpoints_dir=checkpoints_dir),
            "precision": precision,
            "resize": resize,
        }
        check_normaliser(store, comparing[model], signature)
    return stores


def check_normaliser(
    store: StatisticsStore, readouts: Sequence[ReadoutName], signature: Mapping[str, Any]
) -> None:
    """Refuses statistics that read-outs cannot compare with.

    Args:
      store: The statistics.
      readouts: Read-outs of its model.
      signature: Model, hash of the weights, precision and resize of the statistics compared.

    Raises:
      InputError: If the statistics were made in another way, or lack a layer.
    """
    for name in _SAME:
        if store.signature[name] != signature[name]:
            raise InputError(
                f"{store.path}: as means to compare with, expected the {name} {signature[name]}, "
                f"found {store.signature[name]}; extract them in the same way as what is compared"
            )
    comparing = [readout for readout in readouts if READOUTS[readout.readout].normalised_by]
    short = aliases(tuple(store.model_layers))
    for layer, statistic in needed_arrays(comparing):
        name = short.get(layer, layer)
        if not store.is_whole(name, statistic):
            raise InputError(
                f"{store.path}: has no {statistic} of {name} to compare with, or not of all "
                f"pairs; add it with iqa extract --layers={name} --statistics={statistic}"
            )
