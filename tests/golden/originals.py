"""The original architectures in PyTorch, from which the golden numbers are frozen.

They are the classes of torchvision and ``efficientnet_lite_pytorch`` where available, and the
authors' for CLIP and PerceptNet. VISSL's AlexNets follow the table of their layers
(``vissl/models/trunks``), the small ResNets the paper and akamaster's description (option A
shortcuts, He et al. 2016, arXiv 1512.03385, section 4.2), and the pooling of DISTS follows Ding et
al. 2020 (arXiv 2004.07728).
"""

import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
import torchvision
from efficientnet_lite_pytorch import EfficientNet as EfficientNetLite
from torch import nn
from torch.nn import functional

COMMITS = {
    "openai/CLIP": "d05afc436d78f1c48dc0dbf8e5980a9d471f35f6",
    "alexhepburn/perceptnet": "0f3a915c74ffe6767aa535367954462605227ca8",
}
"""Commits of the clones of the authors' repositories, in the folder of the variable ORIGINALS."""

Step = tuple[str | None, Callable[[torch.Tensor], torch.Tensor]]


@dataclass(frozen=True)
class _AlexNet:
    """Differences between VISSL's AlexNets.

    Attributes:
      channels: Number of channels of the input and of the five convolutions.
      stride: Stride of the first convolution.
      padding: Padding of the first convolution.
      grouped: Numbers of the convolutions with two groups.
      normalised: Numbers of the convolutions followed by a batch norm.
      response: Position of local response normalisation relative to the first two poolings.
      sobel: Whether the network begins with fixed gradients of the gray image.
    """

    channels: tuple[int, ...]
    stride: int = 4
    padding: int = 0
    grouped: tuple[int, ...] = ()
    normalised: tuple[int, ...] = ()
    response: str = "none"
    sobel: bool = False


_ALL = (1, 2, 3, 4, 5)
_ALEXNETS = {
    "alexnet_bvlc": _AlexNet((3, 96, 256, 384, 384, 256), grouped=(2, 4, 5), response="before"),
    "alexnet_jigsaw": _AlexNet(
        (3, 96, 256, 384, 384, 256),
        stride=2,
        grouped=(2, 4, 5),
        normalised=(3, 4, 5),
        response="after",
    ),
    "alexnet_colorization": _AlexNet(
        (1, 96, 256, 384, 384, 256), grouped=(2, 4, 5), normalised=_ALL
    ),
    "alexnet_rotnet": _AlexNet((3, 64, 192, 384, 256, 256), padding=2, normalised=_ALL),
    "alexnet_deepcluster": _AlexNet(
        (2, 96, 256, 384, 384, 256), padding=2, normalised=_ALL, sobel=True
    ),
}
_CIFAR = {f"resnet{6 * blocks + 2}": blocks for blocks in (3, 5, 7, 9)}


def build(trunk: str) -> nn.Module:
    """The convolutional part of an architecture, in evaluation mode, with unset parameters."""
    with torch.device("meta"):
        if trunk in _ALEXNETS:
            module = _VisslAlexNet(_ALEXNETS[trunk])
        elif trunk in _CIFAR:
            module = _CifarResNet(_CIFAR[trunk])
        elif trunk in _AUTHORS:
            module = _AUTHORS[trunk]()
        elif trunk.startswith("efficientnet_lite"):
            module = EfficientNetLite.from_name(trunk.replace("_", "-"))
            module._fc = nn.Identity()
        else:
            name = re.sub("_(colorization|l2pool|conv5_4)$", "", trunk)
            module = torchvision.models.get_model(name)
            for head in ("classifier", "fc"):
                if hasattr(module, head):
                    setattr(module, head, nn.Identity())
        if trunk == "vgg16_l2pool":
            for index, layer in enumerate(module.features):
                if isinstance(layer, nn.MaxPool2d):
                    module.features[index] = _L2Pool()
        if trunk == "vgg19_conv5_4":
            module.features = module.features[:-2]
        if trunk == "resnet50_colorization":
            module.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
            module.layer4[0].conv2.stride = (1, 1)
            module.layer4[0].downsample[0].stride = (1, 1)
    return module.to_empty(device="cpu").eval()


def _authors(file: str) -> ModuleType:
    """A module of the authors, which may import those beside it."""
    path = Path(os.environ["ORIGINALS"]) / file
    sys.path.insert(0, str(path.parent))
    try:
        return importlib.import_module(path.stem)
    finally:
        sys.path.remove(str(path.parent))


def _clip_resnet() -> nn.Module:
    module = _authors("CLIP/clip/model.py").ModifiedResNet((3, 4, 6, 3), output_dim=1024, heads=32)
    module.attnpool = nn.Identity()
    return module


def _perceptnet() -> nn.Module:
    return _authors("perceptnet/networks.py").percept()


def _perceptnet_same() -> nn.Module:
    """The authors' later program in Keras has the same layers, and convolutions that keep sizes."""
    module = _perceptnet()
    for layer in (module.conv1, module.conv2, module.conv3):
        layer.padding = "same"
    return module


_AUTHORS: Mapping[str, Callable[[], nn.Module]] = {
    "clip_resnet50": _clip_resnet,
    "perceptnet": _perceptnet,
    "perceptnet_same": _perceptnet_same,
}


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    """Shapes of the parameters and running statistics by name, without batch counters."""
    return {
        name: tuple(value.shape)
        for name, value in module.state_dict().items()
        if not name.endswith(".num_batches_tracked")
    }


def load(module: nn.Module, state: Mapping[str, np.ndarray]) -> None:
    """Fills every parameter of ``module``; none may be missing or left over."""
    tensors = {name: torch.from_numpy(array) for name, array in state.items()}
    for name in module.state_dict():
        if name.endswith(".num_batches_tracked"):
            tensors[name] = torch.zeros((), dtype=torch.int64)
    module.load_state_dict(tensors, strict=True)


def activations(trunk: str, module: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """The named activations of ``x`` [B, C, H, W], in forward order."""
    found = {}
    with torch.no_grad():
        for name, step in _steps(trunk, module):
            x = step(x)
            if name is not None:
                found[name] = x.clone()  # the next step may work in place
    return found


def check(
    trunk: str, module: nn.Module, x: torch.Tensor, found: Mapping[str, torch.Tensor]
) -> None:
    """Compares the last activation with that of the class's own forward pass for ``x``."""
    if trunk in _ALEXNETS or trunk in _CIFAR:
        return
    if trunk in _AUTHORS:
        with torch.no_grad():
            torch.testing.assert_close(module(x), [*found.values()][-1], rtol=0, atol=0)
        return
    *_, last = found.values()
    if hasattr(module, "avgpool"):
        last = module.avgpool(last)
    elif isinstance(module, EfficientNetLite):
        last = module._avg_pooling(last)
    elif isinstance(module, torchvision.models.DenseNet):
        last = functional.adaptive_avg_pool2d(last, 1)
    with torch.no_grad():
        torch.testing.assert_close(module(x).flatten(1), last.flatten(1), rtol=0, atol=0)


def _steps(trunk: str, module: nn.Module) -> Iterator[Step]:
    if trunk in _ALEXNETS:
        return _vissl_steps(module)
    if trunk in _CIFAR:
        return _cifar_steps(module)
    family = next(name for name in _FAMILIES if trunk.startswith(name))
    return _FAMILIES[family](module)


def _alexnet_steps(module: nn.Module) -> Iterator[Step]:
    names = (
        *(None, "relu1", "pool1", None, "relu2", "pool2", None, "relu3"),
        *(None, "relu4", None, "relu5", "pool5"),
    )
    return zip(names, module.features, strict=True)


def _vgg_steps(module: nn.Module) -> Iterator[Step]:
    block, number = 1, 1
    for layer in module.features:
        if isinstance(layer, nn.ReLU):
            yield f"relu{block}_{number}", layer
            number += 1
        elif isinstance(layer, nn.MaxPool2d | _L2Pool):
            yield f"pool{block}", layer
            block, number = block + 1, 1
        else:
            is_last = layer is module.features[-1]
            yield f"conv{block}_{number}" if is_last else None, layer


def _resnet_steps(module: nn.Module) -> Iterator[Step]:
    yield "conv1", nn.Sequential(module.conv1, module.bn1, module.relu)
    yield "maxpool", module.maxpool
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        for number, block in enumerate(getattr(module, stage)):
            yield f"{stage}.{number}", block


def _clip_resnet_steps(module: nn.Module) -> Iterator[Step]:
    for number in (1, 2, 3):
        layers = (getattr(module, f"{kind}{number}") for kind in ("conv", "bn", "relu"))
        yield f"conv{number}", nn.Sequential(*layers)
    yield "avgpool", module.avgpool
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        for number, block in enumerate(getattr(module, stage)):
            yield f"{stage}.{number}", block


def _perceptnet_steps(module: nn.Module) -> Iterator[Step]:
    names = ("gdn1", "conv1", "maxpool1", "gdn2", "conv2", "maxpool2", "gdn3", "conv3", "gdn4")
    return zip(names, module.features(), strict=True)


def _densenet_steps(module: nn.Module) -> Iterator[Step]:
    for name, layer in module.features.named_children():
        yield (None if name in ("conv0", "norm0", "norm5") else name), layer
    yield "relu5", functional.relu


def _squeezenet_steps(module: nn.Module) -> Iterator[Step]:
    fire, number = 2, 1  # a pooling is named after the module before it
    for layer in module.features:
        if isinstance(layer, nn.Conv2d):
            yield None, layer
        elif isinstance(layer, nn.ReLU):
            yield "relu1", layer
        elif isinstance(layer, nn.MaxPool2d):
            yield f"pool{number}", layer
        else:
            yield f"fire{fire}", layer
            fire, number = fire + 1, fire


def _efficientnet_steps(module: nn.Module) -> Iterator[Step]:
    stem, *stages, head = module.features
    yield "stem", stem
    for stage, blocks in enumerate(stages, 1):
        for number, block in enumerate(blocks):
            yield f"stage{stage}.{number}", block
    yield "head", head


def _efficientnet_lite_steps(module: nn.Module) -> Iterator[Step]:
    yield "stem", nn.Sequential(module._conv_stem, module._bn0, module._swish)
    stage = number = 0
    for block in module._blocks:
        facts = block._block_args
        if facts.input_filters != facts.output_filters:  # only the first of a stage
            stage, number = stage + 1, 0
        yield f"stage{stage}.{number}", block
        number += 1
    yield "head", nn.Sequential(module._conv_head, module._bn1, module._swish)


def _convnext_steps(module: nn.Module) -> Iterator[Step]:
    yield "stem", module.features[0]
    for index, part in enumerate(module.features[1:]):
        stage, is_downsampling = index // 2 + 1, index % 2
        if is_downsampling:
            yield f"downsample{stage}", part
        else:
            for number, block in enumerate(part):
                yield f"stage{stage}.{number}", block


def _vissl_steps(module: "_VisslAlexNet") -> Iterator[Step]:
    names = ("conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5")
    yield None, module.gradients
    yield from zip(names, module._feature_blocks, strict=True)


def _cifar_steps(module: "_CifarResNet") -> Iterator[Step]:
    yield "conv1", nn.Sequential(module.conv1, module.bn1, nn.ReLU())
    for stage in ("layer1", "layer2", "layer3"):
        for number, block in enumerate(getattr(module, stage)):
            yield f"{stage}.{number}", block


_FAMILIES = {
    "clip_resnet": _clip_resnet_steps,
    "perceptnet": _perceptnet_steps,
    "alexnet": _alexnet_steps,
    "vgg": _vgg_steps,
    "resnet": _resnet_steps,
    "densenet": _densenet_steps,
    "squeezenet": _squeezenet_steps,
    "efficientnet_lite": _efficientnet_lite_steps,
    "efficientnet": _efficientnet_steps,
    "convnext": _convnext_steps,
}


class _L2Pool(nn.Module):
    """Square root of the squares blurred with a Hanning window, at every second position."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        *_, height, width = x.shape
        window = torch.hann_window(5, periodic=False, dtype=x.dtype)
        window = torch.outer(window, window) / window.sum() ** 2
        # The outer two of the five taps are zero; padding of 2 centres the window on pixel 0.
        squares = functional.pad(x.square(), (2, 2, 2, 2))
        planes = squares.reshape(-1, 1, height + 4, width + 4)
        blurred = functional.conv2d(planes, window[None, None], stride=2)
        return (blurred + 1e-12).sqrt().reshape(*x.shape[:2], *blurred.shape[2:])


class _VisslAlexNet(nn.Module):
    """An AlexNet whose blocks 0, 2, 4, 5 and 6 are convolutions and 1, 3 and 7 poolings."""

    def __init__(self, table: _AlexNet):
        super().__init__()
        self.sobel = table.sobel
        first = {"kernel_size": 11, "stride": table.stride, "padding": table.padding}
        others = {"kernel_size": 3, "padding": 1}
        geometry = (first, {"kernel_size": 5, "padding": 2}, others, others, others)
        blocks = []
        for number, options in enumerate(geometry, 1):
            inputs, outputs = table.channels[number - 1 : number + 1]
            groups = 2 if number in table.grouped else 1
            layers = [nn.Conv2d(inputs, outputs, groups=groups, **options)]
            if number in table.normalised:
                layers.append(nn.BatchNorm2d(outputs))
            blocks.append(nn.Sequential(*layers, nn.ReLU()))
            if number in (1, 2):
                blocks.append(_pooling(table.response))
        self._feature_blocks = nn.ModuleList([*blocks, _pooling("none")])

    def gradients(self, x: torch.Tensor) -> torch.Tensor:
        if not self.sobel:
            return x
        horizontal = x.new_tensor([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
        vertical = x.new_tensor([[1, 2, 1], [0, 0, 0], [-1, -2, -1]])
        kernel = torch.stack([horizontal, vertical])[:, None]
        return functional.conv2d(x.mean(1, keepdim=True), kernel, padding=1)


def _pooling(response: str) -> nn.Sequential:
    pool = nn.MaxPool2d(kernel_size=3, stride=2)
    normalisation = nn.LocalResponseNorm(size=5, alpha=1e-4, beta=0.75, k=1.0)
    return nn.Sequential(
        *{"none": [pool], "before": [normalisation, pool], "after": [pool, normalisation]}[response]
    )


class _CifarBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.added = (outputs - inputs) // 2
        self.stride = stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        shortcut = x[:, :, :: self.stride, :: self.stride]
        shortcut = functional.pad(shortcut, (0, 0, 0, 0, self.added, self.added))
        return functional.relu(branch + shortcut)


class _CifarResNet(nn.Module):
    def __init__(self, blocks: int):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        inputs = 16
        for stage, outputs in enumerate((16, 32, 64), 1):
            layers = []
            for number in range(blocks):
                stride = 2 if stage > 1 and number == 0 else 1
                layers.append(_CifarBlock(inputs, outputs, stride))
                inputs = outputs
            setattr(self, f"layer{stage}", nn.Sequential(*layers))
