"""Contents of the study's checkpoint files, built from the weights of a trunk.

Names follow the public code that writes or reads the files: torchvision, ``facebookresearch/vissl``
(``vissl/hooks/log_hooks.py``, ``extra_scripts``), ``fair_self_supervision_benchmark``, PyTorch's
ImageNet example, and the files themselves where available. The other contents of such files
(classifiers, counters, training state) are included in small form, because a conversion must leave
them alone.
"""

import itertools
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

State = Mapping[str, np.ndarray]
Tree = dict[str, Any]


@dataclass(frozen=True)
class Format:
    """A kind of checkpoint file.

    Attributes:
      tree: Function from the name of a trunk and its weights (PyTorch's names and layout; input
        channels in the order of the file) to the contents of the file.
      kind: Key of ``writers.KINDS``.
      suffix: Suffix of the file's name.
    """

    tree: Callable[[str, State], Any]
    kind: str
    suffix: str


_BLOCKS = {0: 1, 2: 2, 4: 3, 5: 4, 6: 5}
"""Number of the convolution in each block of a VISSL AlexNet."""

_CAFFE2_NORM = {"weight": "s", "bias": "b", "running_mean": "rm", "running_var": "riv"}
_CAFFE2_CONV = {"weight": "w", "bias": "b"}
_STATISTICS = ("_rm", "_riv")
_TOWERS = range(1, 9)

_VGG_BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
_SQUEEZENET_FIRES = {3: 2, 4: 3, 6: 4, 7: 5, 9: 6, 10: 7, 11: 8, 12: 9}

_HEADS = {
    "alexnet": ("classifier.1", "classifier.4", "classifier.6"),
    "vgg": ("classifier.0", "classifier.3", "classifier.6"),
    "resnet": ("fc",),
    "densenet": ("classifier",),
    "squeezenet": ("classifier.1",),
    "efficientnet_lite": ("_fc",),
    "efficientnet": ("classifier.1",),
    "convnext": ("classifier.0", "classifier.2"),
}


def _torchvision(trunk: str, state: State) -> Tree:
    return _state_dict({**state, **_heads(trunk)})


def _old_torchvision(trunk: str, state: State) -> Tree:
    return OrderedDict({**state, **_heads(trunk)})


def _dotted_densenet(trunk: str, state: State) -> Tree:
    pattern = r"(denselayer\d+\.(?:norm|conv))(\d)"
    dotted = {re.sub(pattern, r"\1.\2", name): array for name, array in state.items()}
    return _old_torchvision(trunk, dotted)


def _ssd(trunk: str, state: State) -> Tree:
    unknown = {name: np.full_like(array, np.nan) for name, array in _heads(trunk).items()}
    return _state_dict({**state, **unknown})


def _vissl_model(trunk: str, state: State) -> Tree:
    arrays = _feature_blocks(state)
    if trunk == "alexnet_rotnet":
        for name in ("8.1", "8.4", "9.0"):
            arrays[f"_feature_blocks.{name}.weight"] = _extra(3, 4)
        for name in ("8.2", "8.5"):
            arrays |= {f"_feature_blocks.{name}.{leaf}": _extra(3) for leaf in _CAFFE2_NORM}
        arrays["_feature_blocks.9.0.bias"] = _extra(3)
    return {"model_state_dict": OrderedDict(arrays)}


def _vissl_classy(trunk: str, state: State) -> Tree:
    del trunk
    heads = {"0.clf.0.weight": _extra(3, 4), "0.clf.0.bias": _extra(3)}
    optimizer = {
        "optim": {
            "state": {0: {"momentum_buffer": _extra(3)}, 1: {"momentum_buffer": _extra(2, 2)}},
            "param_groups": [{"lr": 0.0, "momentum": 0.9, "nesterov": True, "params": [0, 1]}],
        },
        "parameters": {"lr": 0.3, "weight_decay": 1e-6},
    }
    task = {
        "train": True,
        "base_model": {
            "model": {"trunk": _state_dict(_feature_blocks(state)), "heads": _state_dict(heads)},
            "meta": {"trunk": {}, "heads": []},
        },
        "meters": [{"name": "accuracy_list_meter", "num_meters": 1, "topk_values": [1, 5]}],
        "optimizer": optimizer,
        "phase_idx": 199,
        "train_phase_idx": 199,
        "num_updates": 1000.0,
        "losses": [0.25, 0.125],
        "hooks": {"log_loss_lr_eta": {}},
        "loss": {},
    }
    loss = {
        "queue": _extra(2, 4),
        "moco_encoder.trunk._feature_blocks.conv1.weight": _extra(2, 3, 7, 7),
    }
    return {
        "phase_idx": 199,
        "iteration": 1000,
        "loss": OrderedDict(loss),
        "iteration_num": 4,
        "train_phase_idx": 199,
        "classy_state_dict": task,
    }


def _vissl_flat(trunk: str, state: State) -> Tree:
    del trunk
    norm = {f"projection_head.1.{leaf}": _extra(3) for leaf in _CAFFE2_NORM}
    projection = {"projection_head.0.weight": _extra(3, 4), "projection_head.0.bias": _extra(3)}
    ends = {"projection_head.3.weight": _extra(2, 3), "projection_head.3.bias": _extra(2)}
    prototypes = {f"prototypes.prototypes{number}.weight": _extra(5, 2) for number in range(3)}
    arrays = {**state, **projection, **norm, **ends, **prototypes}
    return _state_dict({f"module.{name}": array for name, array in arrays.items()})


def _places365(trunk: str, state: State) -> Tree:
    if trunk == "alexnet":
        arrays = {name.replace("features.", "features.module."): a for name, a in state.items()}
        arrays |= _heads(trunk)
    else:
        arrays = {f"module.{name}": array for name, array in {**state, **_heads(trunk)}.items()}
    return {"epoch": 90, "arch": trunk, "state_dict": OrderedDict(arrays), "best_prec1": 54.5}


def _cifar10(trunk: str, state: State) -> Tree:
    del trunk
    arrays = {**state, "linear.weight": _extra(3, 4), "linear.bias": _extra(3)}
    named = {f"module.{name}": array for name, array in arrays.items()}
    return {"best_prec1": 91.75, "state_dict": OrderedDict(named)}


def _caffe2(trunk: str, state: State) -> Tree:
    blobs = {_blob(name, siamese=False): array for name, array in state.items()}
    head = ("fc6", "fc7", "fc8") if trunk.startswith("alexnet") else ("pred",)
    return {"blobs": _trained({**blobs, **_layers(head)})}


def _siamese_caffe2(trunk: str, state: State) -> Tree:
    blobs = {_blob(name, siamese=True): array for name, array in state.items()}
    copies = {
        name.replace("_s0_", f"_s{tower}_"): array + np.float32(tower)
        for tower, (name, array) in itertools.product(_TOWERS, blobs.items())
        if array.ndim == 1
    }
    head = _layers(("fc6_s0", "fc7", "fc8") if trunk.startswith("alexnet") else ("fc1_s0", "pred"))
    return {"blobs": _trained({**blobs, **copies, **head})}


def _flat_caffe2(trunk: str, state: State) -> Tree:
    del trunk
    blobs = {_blob(name, siamese=False): array for name, array in state.items()}
    return {**blobs, **_layers(("fc6", "fc7", "fc8"))}


def _keras(trunk: str, state: State) -> Tree:
    return _keras_squeezenet(state) if trunk == "squeezenet1_1" else _keras_vgg(trunk, state)


def _keras_vgg(trunk: str, state: State) -> Tree:
    tree, index = {"input_1": {}}, 0
    for block, convolutions in enumerate(_VGG_BLOCKS[trunk], 1):
        for number in range(1, convolutions + 1):
            layer = f"block{block}_conv{number}"
            kernel, bias = _hwio(state, f"features.{index}")
            tree[layer] = {f"{layer}_W_1:0": kernel, f"{layer}_b_1:0": bias}
            index += 2
        tree[f"block{block}_pool"] = {}
        index += 1
    return tree


def _keras_squeezenet(state: State) -> Tree:
    kernel, bias = _hwio(state, "features.0")
    tree = {"input_4": {}, "conv1": {"conv1_3": {"kernel:0": kernel, "bias:0": bias}}, "pool1": {}}
    parts = {"squeeze": "squeeze1x1", "expand1x1": "expand1x1", "expand3x3": "expand3x3"}
    for index, number in _SQUEEZENET_FIRES.items():
        fire = f"fire{number}"
        tree[fire] = {"concat": {}}
        for part, layer in parts.items():
            kernel, bias = _hwio(state, f"features.{index}.{part}")
            copy = f"{layer}_1" if number == 9 else f"{layer}_3"
            tree[fire][layer] = {fire: {copy: {"kernel:0": kernel, "bias:0": bias}}}
    return tree


def _heads(trunk: str) -> dict[str, np.ndarray]:
    family = next(name for name in _HEADS if trunk.startswith(name))
    arrays = {}
    for name in _HEADS[family]:
        is_norm = name == "classifier.0" and family == "convnext"
        shape = (3,) if is_norm else (3, 4, 1, 1) if family == "squeezenet" else (3, 4)
        arrays |= {f"{name}.weight": _extra(*shape), f"{name}.bias": _extra(3)}
    return arrays


def _state_dict(arrays: State) -> OrderedDict:
    """A result of ``Module.state_dict()`` since PyTorch 0.4.1, with counters and versions."""
    state = OrderedDict()
    for name, array in arrays.items():
        state[name] = array
        if name.endswith(".running_var"):
            state[name.replace(".running_var", ".num_batches_tracked")] = np.array(1000, np.int64)
    modules = dict.fromkeys(name.rpartition(".")[0] for name in state)
    state._metadata = OrderedDict({name: {"version": 1} for name in ("", *modules)})
    return state


def _feature_blocks(state: State) -> dict[str, np.ndarray]:
    prefix = "_feature_blocks."
    return {f"{prefix}{name.removeprefix(prefix)}": array for name, array in state.items()}


def _blob(name: str, *, siamese: bool) -> str:
    """Caffe2's name of a parameter of a VISSL AlexNet or a ResNet."""
    module, _, leaf = name.rpartition(".")
    if name.startswith("_feature_blocks."):
        _, block, layer = module.split(".")
        conv = f"conv{_BLOCKS[int(block)]}"
        if layer == "0":
            return f"{conv}_s0_{_CAFFE2_CONV[leaf]}" if siamese else f"{conv}_{_CAFFE2_CONV[leaf]}"
        return (
            f"{conv}_s0_bn_{_CAFFE2_NORM[leaf]}" if siamese else f"{conv}norm_{_CAFFE2_NORM[leaf]}"
        )
    branch, is_norm = _branch(module)
    tower = "_s0" if siamese else ""
    return f"{branch}_bn{tower}_{_CAFFE2_NORM[leaf]}" if is_norm else f"{branch}{tower}_w"


def _branch(module: str) -> tuple[str, bool]:
    """Caffe2's name of a convolution of a ResNet, and whether ``module`` is its batch norm."""
    if module in ("conv1", "bn1"):
        return ("conv1", False) if module == "conv1" else ("res_conv1", True)
    stage, block, part = re.fullmatch(r"layer(\d)\.(\d+)\.(.+)", module).groups()
    block = f"res{int(stage) + 1}_{block}"
    if part.startswith("downsample"):
        return f"{block}_branch1", part == "downsample.1"
    return f"{block}_branch2{'abc'[int(part[-1]) - 1]}", part.startswith("bn")


def _layers(names: tuple[str, ...]) -> dict[str, np.ndarray]:
    weights = {f"{name}_w": _extra(3, 4) for name in names}
    return weights | {f"{name}_b": _extra(3) for name in names}


def _trained(blobs: Mapping[str, np.ndarray]) -> Tree:
    """Adds training state; only the momenta of vectors, to keep the files small."""
    return {
        "model_iter": 1000,
        "lr": np.array([0.01], np.float32),
        **dict(_momenta(blobs)),
        **blobs,
    }


def _momenta(blobs: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    for name, array in blobs.items():
        is_first = re.fullmatch(r"conv1(_s0)?_w", name)
        if is_first or (array.ndim == 1 and not name.endswith(_STATISTICS)):
            yield f"{name}_momentum", np.full_like(array, 7)


def _hwio(state: State, layer: str) -> tuple[np.ndarray, np.ndarray]:
    kernel = state[f"{layer}.weight"].transpose(2, 3, 1, 0)
    return np.ascontiguousarray(kernel), state[f"{layer}.bias"]


def _extra(*shape: int) -> np.ndarray:
    """An array that must not be converted."""
    return np.full(shape, 7, np.float32)


FORMATS: Mapping[str, Format] = {
    "torchvision": Format(_torchvision, "torch", ".pth"),
    "torchvision-legacy": Format(_torchvision, "torch-legacy", ".pth"),
    "torchvision-old": Format(_old_torchvision, "torch-old", ".pth"),
    "densenet-dotted": Format(_dotted_densenet, "torch-old", ".pth"),
    "ssd": Format(_ssd, "torch", ".pth"),
    "vissl-model": Format(_vissl_model, "torch-legacy", ".torch"),
    "vissl-classy": Format(_vissl_classy, "torch", ".torch"),
    "vissl-flat": Format(_vissl_flat, "torch-legacy", ".pth.tar"),
    "places365": Format(_places365, "torch-old", ".pth.tar"),
    "cifar10": Format(_cifar10, "torch-old", ".th"),
    "caffe2": Format(_caffe2, "pickle", ".pkl"),
    "caffe2-siamese": Format(_siamese_caffe2, "pickle", ".pkl"),
    "caffe2-npy": Format(_flat_caffe2, "npy", ".npy"),
    "keras": Format(_keras, "h5", ".h5"),
}
"""Formats by their names in ``configurations.CONFIGURATIONS``."""
