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
      stored: Function from drawn weights to those that the file can hold.
    """

    tree: Callable[[str, State], Any]
    kind: str
    suffix: str
    stored: Callable[[State], State] = dict


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


_CLIP_NAMES = (
    (r"patch_embed\.proj\.", "conv1."),
    ("cls_token", "class_embedding"),
    ("pos_embed", "positional_embedding"),
    (r"norm_pre\.", "ln_pre."),
    (r"norm\.", "ln_post."),
    (r"blocks\.(\d+)\.norm([12])\.", r"transformer.resblocks.\1.ln_\2."),
    (r"blocks\.(\d+)\.attn\.qkv\.", r"transformer.resblocks.\1.attn.in_proj_"),
    (r"blocks\.(\d+)\.attn\.proj\.", r"transformer.resblocks.\1.attn.out_proj."),
    (r"blocks\.(\d+)\.mlp\.fc1\.", r"transformer.resblocks.\1.mlp.c_fc."),
    (r"blocks\.(\d+)\.mlp\.fc2\.", r"transformer.resblocks.\1.mlp.c_proj."),
)
"""Beginnings of names in a vision transformer, and of CLIP's."""


def clip_names(state: State) -> dict[str, np.ndarray]:
    """The weights of an image encoder by the names and with the shapes of CLIP's module."""
    found = {}
    for name, array in state.items():
        renamed = [re.sub(f"^{ours}", theirs, name) for ours, theirs in _CLIP_NAMES]
        tokens = {"cls_token": (-1,), "pos_embed": array.shape[1:]}.get(name, array.shape)
        found[next((each for each in renamed if each != name), name)] = array.reshape(tokens)
    return found


def _clip(trunk: str, state: State) -> Tree:
    """The image encoder and, in small form, the rest of CLIP."""
    images = _state_dict(_in_half(clip_names(state)))
    if trunk.startswith("vit"):
        images["proj"] = _extra(4, 2)
    else:
        images["attnpool.positional_embedding"] = _extra(5, 4)
        for name in ("k_proj", "q_proj", "v_proj", "c_proj"):
            images |= {f"attnpool.{name}.weight": _extra(4, 4), f"attnpool.{name}.bias": _extra(4)}
    block = "transformer.resblocks.0"
    texts = {
        "positional_embedding": _extra(7, 4),
        "text_projection": _extra(4, 2),
        "logit_scale": _extra(),
        "input_resolution": np.array(224, np.int64),
        "context_length": np.array(7, np.int64),
        "vocab_size": np.array(9, np.int64),
        f"{block}.attn.in_proj_weight": _extra(12, 4),
        f"{block}.attn.in_proj_bias": _extra(12),
        "token_embedding.weight": _extra(9, 4),
    }
    linear = {"attn.out_proj": (4, 4), "mlp.c_fc": (16, 4), "mlp.c_proj": (4, 16)}
    for name, shape in linear.items():
        texts[f"{block}.{name}.weight"] = _extra(*shape)
        texts[f"{block}.{name}.bias"] = _extra(shape[0])
    for norm in (f"{block}.ln_1", f"{block}.ln_2", "ln_final"):
        texts |= {f"{norm}.weight": _extra(4), f"{norm}.bias": _extra(4)}
    return {**{f"visual.{name}": array for name, array in images.items()}, **_in_half(texts)}


def _in_half(arrays: State) -> dict[str, np.ndarray]:
    """Arrays in half precision that CLIP stores so: those of its matrix products."""
    bias = re.compile(r".*\.(in_proj_bias|(out_proj|c_fc|c_proj)\.bias)")
    return {
        name: array.astype(np.float16)
        if bias.fullmatch(name) or (array.ndim > 1 and "embedding" not in name)
        else array
        for name, array in arrays.items()
    }


def _rounded_to_half(state: State) -> dict[str, np.ndarray]:
    """What is left of the weights of an image encoder in CLIP's file."""
    stored = _in_half(clip_names(state)).values()
    return {
        name: each.astype(np.float32).reshape(array.shape)
        for (name, array), each in zip(state.items(), stored, strict=True)
    }


_POOLED = r"gdn4\.pooling\.(freq|theta)_[atd]"
_FLAX_PERCEPTNET = {
    "gdn1.weight": "params.GDN_0.Conv_0.kernel",
    "gdn1.bias": "params.GDN_0.Conv_0.bias",
    "conv1.weight": "params.Color.kernel",
    "gdn2.weight": "params.GDN_1.Conv_0.kernel",
    "gdn2.bias": "params.GDN_1.Conv_0.bias",
    "conv2.weight": "params.Conv_0.kernel",
    "gdn3.weight": "params.GDN_2.Conv_0.kernel",
    "gdn3.bias": "params.GDN_2.Conv_0.bias",
    "conv3.weight": "params.Conv_1.kernel",
    "gdn4.weight": "params.GDN_3.Conv_0.kernel",
    "gdn4.bias": "params.GDN_3.Conv_0.bias",
}
_GDN = "GDNSpatioChromaFreqOrient_0"
_PARAMETRIC_PERCEPTNET = {
    "gdn1.weight": "params.GDNGamma_0.kernel",
    "gdn1.bias": "params.GDNGamma_0.bias",
    "conv1.weight": "params.Color.kernel",
    "gdn2.weight": "params.GDN_0.Conv_0.kernel",
    "gdn2.bias": "params.GDN_0.Conv_0.bias",
    "conv2.weight": "state.precalc_filter.CenterSurroundLogSigmaK_0.kernel",
    "gdn3.weight": "state.precalc_filter.GDNGaussian_0.GaussianLayerGamma_0.kernel",
    "gdn3.bias": "params.GDNGaussian_0.GaussianLayerGamma_0.bias",
    "conv3.weight": "state.precalc_filter.GaborLayerGammaHumanLike__0.kernel",
    "gdn4.weight": f"state.precalc_filter.{_GDN}.GaussianLayerGamma_0.kernel",
    "gdn4.bias": f"params.{_GDN}.bias",
    "scale": f"params.{_GDN}.B",
}
_GENERATORS = {
    "CenterSurroundLogSigmaK_0": {"logsigma": 9, "K": 9, "A": 9},
    "GDNGaussian_0.GaussianLayerGamma_0": {"gamma": 3, "A": 3},
    f"{_GDN}.GaussianLayerGamma_0": {"gamma": 128, "A": 128},
    "GaborLayerGammaHumanLike__0": {
        f"{name}_{colour}": count
        for colour, scales in {"a": 4, "t": 2, "d": 2}.items()
        for name, count in {"gammax": scales, "gammay": scales, "sigma_theta": 8}.items()
    },
}
"""Parameters of the parametric PerceptNet that its stored kernels replace, with their numbers."""


def _flax_perceptnet(trunk: str, state: State) -> Tree:
    """Names of Flax, joined by dots, and kernels HWIO."""
    is_parametric = trunk == "perceptnet_parametric"
    names = _PARAMETRIC_PERCEPTNET if is_parametric else _FLAX_PERCEPTNET
    tree = {}
    for name, array in state.items():
        if name in names:
            hwio = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array
            tree[names[name]] = np.ascontiguousarray(hwio)
        else:
            layer = "GaborLayerGammaHumanLike__0"
            if not re.fullmatch(_POOLED, name):
                layer = f"{_GDN}.ChromaFreqOrientGaussianGamma_0"
            tree[f"params.{layer}.{name.rpartition('.')[2]}"] = array
    if is_parametric:
        for leaf in ("kernel", "bias"):
            tree[f"params.GDNGamma_0.{leaf}"] = tree[f"params.GDNGamma_0.{leaf}"].reshape(-1)[:1]
        for layer, counts in _GENERATORS.items():
            tree |= {f"params.{layer}.{name}": _extra(count) for name, count in counts.items()}
        tree["params.GaborLayerGammaHumanLike__0.A"] = _extra(3, 128)
    return tree


def _later_flax_perceptnet(trunk: str, state: State) -> Tree:
    """What the authors' program has written since 2025."""
    tree = _flax_perceptnet(trunk, state)
    tree["params.LinearScaling_0.B"] = tree.pop(f"params.{_GDN}.B")
    kernel = f"state.precalc_filter.{_GDN}.ChromaFreqOrientGaussianGamma_0.kernel"
    return {**tree, kernel: _extra(1, 1, 128, 128)}


def _positive(state: State) -> dict[str, np.ndarray]:
    """Weights as the authors keep them: those of normalisations are positive."""
    found = {}
    for name, array in state.items():
        is_bias = name.endswith(".bias")
        positive = np.abs(array) + np.float32(0.1) if is_bias else array
        if name.endswith("H_cc") or re.fullmatch(r"gdn\d\.weight", name):
            positive = np.abs(array)
        if name.startswith("gdn1.") and "scale" in state:  # one number for all channels
            positive = np.broadcast_to(positive.reshape(-1)[0], array.shape)
        found[name] = positive
    return found


def _state(trunk: str, state: State) -> Tree:
    del trunk
    return _state_dict(state)


def _keras_perceptnet(trunk: str, state: State) -> Tree:
    """Weights of a program's second network, so that Keras counts from another number than 0."""
    del trunk
    tree = {"max_pooling2d_2": {}, "max_pooling2d_3": {}}
    numbers = {"gdn1": 9, "gdn2": 10, "gdn3": 11, "gdn4": 12, "conv1": 9, "conv2": 10, "conv3": 11}
    for name, number in numbers.items():
        if name.startswith("gdn"):
            layer = f"gdn_{number}"
            weights = {
                "kernel:0": np.ascontiguousarray(state[f"{name}.gamma"].transpose(2, 3, 1, 0)),
                "bias:0": state[f"{name}.beta"],
            }
            exponents = {"alpha:0": np.full(1, 2, np.float32), "epsilon:0": np.full(1, 0.5, "f4")}
            tree[layer] = {"percept_net_1": {layer: weights}, **exponents}
        else:
            layer, (kernel, bias) = f"conv2d_{number}", _hwio(state, name)
            tree[layer] = {"percept_net_1": {layer: {"kernel:0": kernel, "bias:0": bias}}}
    return tree


def _dinov2(trunk: str, state: State) -> Tree:
    return _state(trunk, {**state, "mask_token": np.full_like(state["cls_token"][0], 7)})


def _mae(trunk: str, state: State) -> Tree:
    return {"model": _state(trunk, state)}


def _augreg(trunk: str, state: State) -> Tree:
    """Names of vit_jax: the parts of a block are numbered through."""
    del trunk
    kinds = {"attn": "MultiHeadDotProductAttention_1", "norm2": "LayerNorm_2", "mlp": "MlpBlock_3"}
    blocks = {
        f"Transformer/encoderblock_{number}/{name}": array
        for number, block in enumerate(_flax_blocks(state, {"norm1": "LayerNorm_0", **kinds}))
        for name, array in block.items()
    }
    tree = {**_flax_ends(state), **blocks}
    tree["Transformer/posembed_input/pos_embedding"] = tree.pop("pos_embedding")
    return {**tree, "head/kernel": _extra(4, 3), "head/bias": _extra(3)}


def _siglip2(trunk: str, state: State) -> Tree:
    """Names of big_vision: all blocks in one array, and a tower of texts beside that of images."""
    del trunk
    kinds = {"attn": "MultiHeadDotProductAttention_0", "norm2": "LayerNorm_1", "mlp": "MlpBlock_0"}
    blocks = list(_flax_blocks(state, {"norm1": "LayerNorm_0", **kinds}))
    stacked = {
        f"Transformer/encoderblock/{name}": np.stack([block[name] for block in blocks])
        for name in blocks[0]
    }
    pooling = {
        "MAPHead_0/probe": _extra(1, 1, 4),
        "MAPHead_0/MultiHeadDotProductAttention_0/query/kernel": _extra(4, 2, 2),
        "MAPHead_0/MlpBlock_0/Dense_0/kernel": _extra(4, 8),
    }
    images = {**_flax_ends(state), **stacked, **pooling}
    texts = {
        "Embed_0/embedding": _extra(5, 4),
        "Encoder_0/encoderblock/LayerNorm_0/scale": _extra(2, 4),
        "head/kernel": _extra(4, 4),
    }
    return {
        **{f"params/img/{name}": array for name, array in images.items()},
        **{f"params/txt/{name}": array for name, array in texts.items()},
        "params/t": _extra(1),
        "params/b": _extra(1),
    }


_FLAX_LEAVES = {"weight": "kernel", "bias": "bias"}
_HEAD_WIDTH = 64


def _flax_ends(state: State) -> dict[str, np.ndarray]:
    """Everything outside of the blocks."""
    kernel = state["patch_embed.proj.weight"].transpose(2, 3, 1, 0)
    class_token = {"cls": state["cls_token"]} if "cls_token" in state else {}
    return {
        **class_token,
        "embedding/kernel": np.ascontiguousarray(kernel),
        "embedding/bias": state["patch_embed.proj.bias"],
        "pos_embedding": state["pos_embed"],
        "Transformer/encoder_norm/scale": state["norm.weight"],
        "Transformer/encoder_norm/bias": state["norm.bias"],
    }


def _flax_blocks(state: State, kinds: Mapping[str, str]) -> Iterator[dict[str, np.ndarray]]:
    """The arrays of every block by Flax's names; ``kinds`` are those of its four parts."""
    for number in itertools.count():
        prefix = f"blocks.{number}."
        if f"{prefix}norm1.weight" not in state:
            return
        block = {}
        for leaf, flax in _FLAX_LEAVES.items():
            for norm in ("norm1", "norm2"):
                name = f"{kinds[norm]}/{'scale' if leaf == 'weight' else 'bias'}"
                block[name] = state[f"{prefix}{norm}.{leaf}"]
            for layer in (0, 1):
                array = state[f"{prefix}mlp.fc{layer + 1}.{leaf}"]
                block[f"{kinds['mlp']}/Dense_{layer}/{flax}"] = np.ascontiguousarray(array.T)
            joined = np.split(state[f"{prefix}attn.qkv.{leaf}"], 3)
            for part, array in zip(("query", "key", "value"), joined, strict=True):
                by_head = array.T.reshape(*array.T.shape[:-1], -1, _HEAD_WIDTH)
                block[f"{kinds['attn']}/{part}/{flax}"] = np.ascontiguousarray(by_head)
        out = state[f"{prefix}attn.proj.weight"].T
        by_head = np.ascontiguousarray(out.reshape(-1, _HEAD_WIDTH, out.shape[-1]))
        block[f"{kinds['attn']}/out/kernel"] = by_head
        block[f"{kinds['attn']}/out/bias"] = state[f"{prefix}attn.proj.bias"]
        yield block


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
    "clip": Format(_clip, "torchscript", ".pt", _rounded_to_half),
    "perceptnet": Format(_state, "torch-legacy", ".pth"),
    "perceptnet-keras": Format(_keras_perceptnet, "h5", ".h5"),
    "perceptnet-flax": Format(_flax_perceptnet, "safetensors", ".safetensors", _positive),
    "perceptnet-flax-later": Format(
        _later_flax_perceptnet, "safetensors", ".safetensors", _positive
    ),
    "state": Format(_state, "torch", ".pth"),
    "dinov2": Format(_dinov2, "torch", ".pth"),
    "mae": Format(_mae, "torch", ".pth"),
    "augreg": Format(_augreg, "npz", ".npz"),
    "siglip2": Format(_siglip2, "npz", ".npz"),
}
"""Formats by their names in ``configurations.CONFIGURATIONS``."""
