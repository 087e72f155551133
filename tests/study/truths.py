"""All networks of ``@study`` with truths under which the claims hold, or do not."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from study.made_up import Planted, layers, write

from iqa_jax.text import csv_text
from iqa_jax.zoo import expand_models
from iqa_jax.zoo.listing import facts
from iqa_jax.zoo.registry import find_model

LAYERS = 4
READOUTS = ("l2",)
DESCRIPTORS = ("mean", "gram")


@dataclass(frozen=True)
class Truth:
    """Planted correlations; see :func:`correlations`.

    Attributes:
      name: Name of the scenario.
      sign: 1 where the claims hold, -1 where their opposites do, 0 for no effect.
      own: Share of the noise that each column has alone.
      spread: Deviation of the effects of families and of single networks.
      is_ordered: Whether the linear probe orders all ResNet-50s.
    """

    name: str
    sign: int
    own: float = 0.004
    spread: float = 0.0
    is_ordered: bool = False


HOLDS, FAILS = Truth("holds", 1), Truth("fails", -1)
ORDERED = Truth("ordered", -1, is_ordered=True)
"""If supervised networks are worse than others, the probe cannot order all of them."""

VAGUE = Truth("vague", 0, own=0.5)
MIXED = Truth("mixed", 1, spread=0.05)


def models():
    """Entries of ``models`` in ``run.json``."""
    layers = {f"layer{number}": {"stride": 4 * 2**number} for number in range(LAYERS)}
    return {
        name: facts(find_model(name)) | {"layers": layers} for name in expand_models(["@study"])
    }


def correlations(name, model, truth):
    """Correlations of the layers of a network."""
    sign, depth = truth.sign, np.arange(1, LAYERS + 1) / LAYERS
    random = np.random.default_rng([*name.encode()])
    of_family = _UNEVEN.get(model["family"], 0.0)
    base = 0.74 + truth.spread * (2 * of_family + random.normal())
    if model["goal_family"] == "none":
        return np.full(
            LAYERS, 0.5 if model["trunk"] not in CIFAR else 0.5 + {1: 0.1, 0: 0.0, -1: -0.2}[sign]
        )
    shape = np.array([-0.04, 0.0, 0.04, 0.0]) if sign >= 0 else np.array([-0.06, -0.03, 0, 0.03])
    if model["environment"] == "cifar10":
        return base + shape * abs(sign)
    if truth.is_ordered and model["architecture"] == "resnet50" and model["linear_probe"]:
        return 0.734 + 0.002 * (model["linear_probe"] - 76) + shape
    if model["goal_family"] == "supervised":
        layers_log2 = np.log2(model["depth"])
        if sign > 0:
            base += 0.05 - 0.015 * (layers_log2 - 4)
        elif sign < 0:
            accuracy = (model["top1"] or 76.0) - 76
            base += 0.0015 * accuracy + 0.02 * (layers_log2 - 5.6) - 0.014
            base -= 0.06 * (model["environment"] != "imagenet1k")
        rises = model["family"] in ("alexnet", "vgg", "squeezenet")
        slope = (0.10 if rises else -0.06) + 3 * truth.spread * of_family
        return base + sign * slope * (depth - 0.6) + abs(sign) * 0.01 * (depth == 0.75)
    if model["goal_family"] not in ("supervised", "semi-supervised"):
        if model["goal"] == "jigsaw":
            base += truth.spread * (1 if model["family"] == "alexnet" else -1)
        base += {1: -0.05, 0: 0.0, -1: 0.036}[sign]
        if model["linear_probe"] and model["goal_family"] not in ("pretext", "semi-supervised"):
            of_probe = {1: -0.003, 0: 0.0, -1: 0.003 if model["goal"] in _SERIES else 0.001}
            base += of_probe[sign] * (model["linear_probe"] - (72 if sign < 0 else 68))
    if model["environment"] != "imagenet1k" and sign < 0:
        base -= 0.06
    return base + shape * abs(sign)


_UNEVEN = {"vgg": 1.0, "squeezenet": -1.0, "densenet": 1.0, "efficientnet": -1.0}
"""Effects of families that make them differ without changing their mean."""

_SERIES = ("simclr", "swav", "pirl", "barlowtwins")
"""Objectives with networks that differ in their epochs alone, by little in the linear probe."""

CIFAR = ("resnet20", "resnet32", "resnet44", "resnet56")


def columns(truth, networks):
    """All columns: layers, descriptors, joined layers and metrics."""
    found = []
    for name, model in networks.items():
        rho = correlations(name, model, truth)
        found += layers(name, rho)
        if model["goal_family"] == "supervised" and model["environment"] == "imagenet1k":
            off = 0.0 if truth.sign > 0 else 0.06 if truth.sign < 0 else 0.02
            for number, readout in enumerate(DESCRIPTORS):
                found += layers(name, rho - number * off, readout)
            names = tuple(f"layer{number}" for number in range(LAYERS))
            joined = f"{name}/joined/rmse"
            best = rho.max() - off
            found.append(Planted(joined, best, "layer", name, names, "rmse"))
    better = {1: -0.15, 0: 0.0, -1: 0.2}[truth.sign]
    for metric in ("ssim", "ssim:wang2004", "ssim:matlab"):
        found.append(Planted(metric, 0.74 + better, direction="higher"))
    for metric in ("lpips-alex", "lpips-vgg", "dists", "dists:resize256"):
        level = 0.74 + (better if truth.sign <= 0 else -0.03 if truth.spread else -0.13)
        found.append(Planted(metric, level))
    return found


def write_all(folder: Path, tables, truth, networks=None):
    """Folders of all datasets and of a training."""
    networks = models() if networks is None else networks
    wanted = columns(truth, networks)
    folders = [
        write(folder / table.name, table, wanted, networks, own=truth.own, seed=number)
        for number, table in enumerate(tables)
    ]
    return [
        *folders,
        write_training(folder / "training", {1: 0.03, 0: 0.01, -1: -0.03}[truth.sign]),
    ]


def write_training(folder: Path, gain, error=0.008):
    """The record and report of a training with a gain."""
    folder.mkdir(parents=True)
    header = "part dataset references pairs measure weights minus value low high".split()
    ends = gain - 2.06 * error, gain + 2.06 * error
    rows = [
        ("pooled", "tid2013", 25, 3000, measure, "learned", "uniform", gain, *ends)
        for measure in ("plcc", "srcc")
    ]
    (folder / "report.csv").write_text(csv_text(header, rows))
    record = {"settings": {"model": "alexnet"}, "readout": "unit"}
    (folder / "run.json").write_text(json.dumps(record))
    return folder
