"""The original vision transformers, run by their authors' own programs.

The environment variable ``ORIGINALS`` names a folder with clones of facebookresearch/dino, dinov2
and mae, openai/CLIP, google-research/vision_transformer and big_vision, each under the last part of
its name. MAE's needs timm 0.4.12. Only TensorFlow, for reading files, and the drawing of initial
parameters are replaced; CLIP's layer norms, which compute in float32, compute in the precision of
their input, and its position embeddings are interpolated as OpenCLIP does it.
"""

import functools
import importlib
import os
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flax.training.checkpoints  # noqa: F401  before TensorFlow is replaced
import jax
import numpy as np
import torch
from golden import formats


def _leave(tensor: torch.Tensor, **_: float) -> torch.Tensor:
    """Draws nothing, since all parameters are replaced."""
    return tensor


torch.nn.init.trunc_normal_ = _leave
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")

Maps = dict[str, np.ndarray]
"""Activations [h, w, C] by name."""

_SIZES = {"s": ("small", "S", 384, 12), "b": ("base", "B", 768, 12), "l": ("large", "L", 1024, 24)}


def shapes(trunk: str) -> dict[str, tuple[int, ...]]:
    """Shapes of the parameters, by the names and in the layout of PyTorch."""
    size, patch, family = _parts(trunk)
    if family in ("augreg", "siglip2"):
        return _flax_shapes(size, patch, family)
    if family == "clip":
        return _clip_shapes(size, patch)
    state = _torch_module(trunk, _side(trunk) * patch).state_dict()
    unused = ("head.weight", "head.bias", "mask_token")
    return {name: tuple(value.shape) for name, value in state.items() if name not in unused}


def activations(trunk: str, state: Mapping[str, np.ndarray], x: np.ndarray, kind: str) -> Maps:
    """The layers of an input, in forward order; those on request come last.

    Args:
      trunk: Name of the architecture.
      state: Weights by PyTorch's names.
      x: Input [C, H, W], float64.
      kind: ``float32`` or ``float64``.
    """
    runs = {"augreg": _run_flax, "siglip2": _run_flax, "clip": _run_clip}
    run = runs.get(_parts(trunk)[2], _run_torch)
    found = run(trunk, state, x, kind)
    return dict(sorted(found.items(), key=lambda item: "." in item[0]))


def _parts(trunk: str) -> tuple[str, int, str]:
    """Letter of the size, side of a patch, and family."""
    name, _, family = trunk.partition("_")
    return name[3], int(name[4:]), family


def _side(trunk: str) -> int:
    _, patch, family = _parts(trunk)
    return {"siglip2": 256, "dinov2": 518, "dinov2_reg4": 518}.get(family, 224) // patch


def _torch_module(trunk: str, pixels: int) -> torch.nn.Module:
    size, patch, family = _parts(trunk)
    name = _SIZES[size][0]
    if family == "dino":
        utils = types.SimpleNamespace(trunc_normal_=_leave)
        with _importing("dino", utils=utils):
            module = importlib.import_module("vision_transformer")
        return getattr(module, f"vit_{name}")(patch_size=patch, num_classes=0)
    if family == "mae":
        with _importing("mae"):
            module = importlib.import_module("models_vit")
        build = getattr(module, f"vit_{name}_patch{patch}")
        return build(img_size=pixels, num_classes=0, global_pool=False)
    os.environ["XFORMERS_DISABLED"] = "1"
    with _importing("dinov2"):
        module = importlib.import_module("dinov2.hub.backbones")
    suffix = "_reg" if family == "dinov2_reg4" else ""
    return getattr(module, f"dinov2_vit{size}{patch}{suffix}")(pretrained=False)


def _run_torch(trunk: str, state: Mapping[str, np.ndarray], x: np.ndarray, kind: str) -> Maps:
    _, patch, family = _parts(trunk)
    module = _torch_module(trunk, x.shape[1])
    tensors = {name: torch.from_numpy(array) for name, array in state.items()}
    if family == "mae":
        with _importing("mae"):
            positions = importlib.import_module("util.pos_embed")
        positions.interpolate_pos_embed(module, tensors)
    if hasattr(module, "mask_token"):
        tensors["mask_token"] = torch.zeros_like(module.mask_token)
    module.load_state_dict(tensors, strict=True)
    dtype = getattr(torch, kind)
    module = module.to(dtype).eval()
    height, width = (length // patch for length in x.shape[1:])
    found: Maps = {}

    def keep(name: str, tokens: Any, class_token: str | None = None) -> None:
        tokens = (tokens[0] if isinstance(tokens, tuple) else tokens)[0].detach().numpy()
        found[name] = tokens[-height * width :].reshape(height, width, -1)
        if class_token:
            found[class_token] = tokens[:1, None]

    def hook(*names: str) -> Callable[..., None]:
        return lambda _, inputs, outputs: keep(names[0], outputs, *names[1:])

    module.blocks[0].register_forward_pre_hook(lambda _, inputs: keep("embedding", inputs[0]))
    for number, block in enumerate(module.blocks, 1):
        name = f"block{number}"
        scaled = hasattr(block, "ls1")
        (block.ls1 if scaled else block.attn).register_forward_hook(hook(f"{name}.attention"))
        (block.ls2 if scaled else block.mlp).register_forward_hook(hook(f"{name}.mlp"))
        block.register_forward_hook(hook(name, f"{name}.class_token"))
    module.norm.register_forward_hook(hook("norm", "class_token"))
    with torch.no_grad():
        module(torch.from_numpy(x)[None].to(dtype))
    return found


def _clip_module(size: str, patch: int) -> torch.nn.Module:
    _, _, width, depth = _SIZES[size]
    with _importing("CLIP/clip"):
        module = importlib.import_module("model")
    module.LayerNorm.forward = torch.nn.LayerNorm.forward
    return module.VisionTransformer(224, patch, width, depth, width // 64, output_dim=8)


def _clip_shapes(size: str, patch: int) -> dict[str, tuple[int, ...]]:
    _, _, width, _ = _SIZES[size]
    norms = ("norm_pre", "norm")
    shapes = {
        "cls_token": (1, 1, width),
        **_flax_shapes(size, patch, "clip"),
        "pos_embed": (1, (224 // patch) ** 2 + 1, width),
        **{f"{norm}.{leaf}": (width,) for norm in norms for leaf in ("weight", "bias")},
    }
    del shapes["patch_embed.proj.bias"]
    state = _clip_module(size, patch).state_dict()
    empty = {name: np.broadcast_to(np.float32(0), shape) for name, shape in shapes.items()}
    theirs = {name: array.shape for name, array in formats.clip_names(empty).items()}
    assert theirs == {name: tuple(each.shape) for name, each in state.items() if name != "proj"}
    return shapes


def _run_clip(trunk: str, state: Mapping[str, np.ndarray], x: np.ndarray, kind: str) -> Maps:
    size, patch, _ = _parts(trunk)
    module = _clip_module(size, patch)
    tensors = {
        name: torch.from_numpy(np.array(array)) for name, array in formats.clip_names(state).items()
    }
    module.load_state_dict({**tensors, "proj": module.proj.detach()}, strict=True)
    module = module.to(getattr(torch, kind)).eval()
    height, width = (length // patch for length in x.shape[1:])
    module.positional_embedding = torch.nn.Parameter(
        _interpolated(module.positional_embedding.detach(), height, width)
    )
    found: Maps = {}

    def keep(name: str, tokens: Any, class_token: str | None = None) -> None:
        tokens = (tokens[0] if isinstance(tokens, tuple) else tokens)[:, 0].detach().numpy()
        found[name] = tokens[1:].reshape(height, width, -1)
        if class_token:
            found[class_token] = tokens[:1, None]

    def hook(*names: str) -> Callable[..., None]:
        return lambda _, inputs, outputs: keep(names[0], outputs, *names[1:])

    def keep_class_token(_: Any, inputs: Any, outputs: torch.Tensor) -> None:
        found["class_token"] = outputs.detach().numpy()[:, None]

    blocks = module.transformer.resblocks
    blocks[0].register_forward_pre_hook(lambda _, inputs: keep("embedding", inputs[0]))
    for number, block in enumerate(blocks, 1):
        block.attn.register_forward_hook(hook(f"block{number}.attention"))
        block.mlp.register_forward_hook(hook(f"block{number}.mlp"))
        block.register_forward_hook(hook(f"block{number}", f"block{number}.class_token"))
    module.ln_post.register_forward_hook(keep_class_token)
    with torch.no_grad():
        module(torch.from_numpy(x)[None].to(getattr(torch, kind)))
    return found


def _interpolated(positions: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """OpenCLIP's ``resize_pos_embed``: bicubic and antialiased; the class token keeps its own."""
    first, grid = positions[:1], positions[1:]
    side = round(len(grid) ** 0.5)
    maps = grid.reshape(1, side, side, -1).permute(0, 3, 1, 2)
    maps = torch.nn.functional.interpolate(
        maps, (height, width), mode="bicubic", antialias=True, align_corners=False
    )
    return torch.cat([first, maps.permute(0, 2, 3, 1).reshape(height * width, -1)])


def _flax_shapes(size: str, patch: int, family: str) -> dict[str, tuple[int, ...]]:
    _, _, width, depth = _SIZES[size]
    first = family == "augreg"
    found = {"cls_token": (1, 1, width)} if first else {}
    found["pos_embed"] = (1, _side(f"vit{size}{patch}_{family}") ** 2 + first, width)
    found |= {
        "patch_embed.proj.weight": (width, 3, patch, patch),
        "patch_embed.proj.bias": (width,),
    }
    layers = {
        "attn.qkv": (3 * width, width),
        "attn.proj": (width, width),
        "mlp.fc1": (4 * width, width),
        "mlp.fc2": (width, 4 * width),
    }
    norms = [f"blocks.{number}.norm{part}" for number in range(depth) for part in (1, 2)]
    for name in (*norms, "norm"):
        found |= {f"{name}.weight": (width,), f"{name}.bias": (width,)}
    for number in range(depth):
        for layer, shape in layers.items():
            name = f"blocks.{number}.{layer}"
            found |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return found


def _run_flax(trunk: str, state: Mapping[str, np.ndarray], x: np.ndarray, kind: str) -> Maps:
    family = _parts(trunk)[2]
    flat = formats.FORMATS[family].tree(trunk, state)
    prefix = "params/img/" if family == "siglip2" else ""
    parameters: dict[str, Any] = {}
    for name, array in flat.items():
        if name.startswith(prefix) and "MAPHead" not in name and not name.startswith("head/"):
            *parents, leaf = name.removeprefix(prefix).split("/")
            inner = functools.reduce(
                lambda tree, key: tree.setdefault(key, {}), parents, parameters
            )
            inner[leaf] = array
    parameters = jax.tree.map(lambda array: np.asarray(array, kind), parameters)
    image = np.asarray(x.transpose(1, 2, 0), kind)[None]
    run = _run_vit_jax if family == "augreg" else _run_big_vision
    return run(trunk, parameters, image, kind)


def _run_vit_jax(trunk: str, parameters: dict[str, Any], image: np.ndarray, kind: str) -> Maps:
    size, patch, _ = _parts(trunk)
    _, _, width, depth = _SIZES[size]
    with _importing("vision_transformer", **_no_tensorflow()):
        models = importlib.import_module("vit_jax.models_vit")
        checkpoint = importlib.import_module("vit_jax.checkpoint")
        pre_linen = importlib.import_module("flax.training.checkpoints").convert_pre_linen
    block = models.Encoder1DBlock
    models.Encoder1DBlock = functools.partial(block, dtype=np.dtype(kind))
    grid = tuple(length // patch for length in image.shape[1:3])
    parameters = dict(pre_linen(parameters))
    embedding = parameters["Transformer"]["posembed_input"]
    embedding["pos_embedding"] = np.asarray(
        checkpoint.interpolate_posembed(embedding["pos_embedding"], 1 + grid[0] * grid[1], True),
        kind,
    )
    model = models.VisionTransformer(
        num_classes=None,
        patches=types.SimpleNamespace(size=(patch, patch)),
        transformer={"num_layers": depth, "mlp_dim": 4 * width, "num_heads": width // 64},
        hidden_size=width,
        classifier="token_unpooled",
    )
    _, kept = model.apply({"params": parameters}, image, train=False, capture_intermediates=True)
    models.Encoder1DBlock = block
    (kept,) = (kept["intermediates"],)
    return _read_vit_jax(kept["Transformer"], depth, grid)


def _read_vit_jax(kept: Mapping[str, Any], depth: int, grid: tuple[int, int]) -> Maps:
    found: Maps = {}

    def read(name: str, value: Any) -> np.ndarray:
        tokens = np.asarray(value[0][0])
        found[name] = tokens[1:].reshape(*grid, -1)
        return tokens[:1, None]

    read("embedding", kept["posembed_input"]["__call__"])
    for number in range(1, depth + 1):
        block = kept[f"encoderblock_{number - 1}"]
        parts = {name.partition("_")[0]: each for name, each in block.items()}
        read(f"block{number}.attention", parts["MultiHeadDotProductAttention"]["__call__"])
        read(f"block{number}.mlp", parts["MlpBlock"]["__call__"])
        token = read(f"block{number}", block["__call__"])
        found[f"block{number}.class_token"] = token
    found["class_token"] = read("norm", kept["encoder_norm"]["__call__"])
    return {
        name: found[name] for name in (*(n for n in found if n != "class_token"), "class_token")
    }


def _run_big_vision(trunk: str, parameters: dict[str, Any], image: np.ndarray, kind: str) -> Maps:
    size, patch, _ = _parts(trunk)
    _, letter, _, depth = _SIZES[size]
    utils = types.ModuleType("big_vision.utils")
    common = types.ModuleType("big_vision.models.common")
    with _importing(
        "big_vision", **{"big_vision.utils": utils, "big_vision.models.common": common}
    ):
        package = importlib.import_module("big_vision")
        package.utils = utils
        importlib.import_module("big_vision.models").common = common
        vit = importlib.import_module("big_vision.models.vit")
    model = vit.Model(variant=f"{letter}/{patch}", pool_type="none", scan=True, dtype_mm=kind)
    grid = tuple(length // patch for length in image.shape[1:3])
    new = np.zeros((1, grid[0] * grid[1], 1), kind)
    stored = parameters["pos_embedding"]
    wanted = np.broadcast_to(new, (1, new.shape[1], stored.shape[-1]))
    parameters["pos_embedding"] = np.asarray(vit.resample_posemb(stored, wanted), kind)
    encoded, kept = model.apply({"params": parameters}, image)

    def read(tokens: Any) -> np.ndarray:
        return np.asarray(tokens[0]).reshape(*grid, -1)

    found = {"embedding": read(kept["with_posemb"])}
    for number in range(1, depth + 1):
        block = kept["encoder"][f"block{number - 1:02d}"]
        found[f"block{number}.attention"] = read(block["sa"])
        found[f"block{number}.mlp"] = read(block["mlp"])
        found[f"block{number}"] = read(block["+mlp"])
    return {**found, "norm": read(encoded)}


def _no_tensorflow() -> dict[str, Any]:
    gfile = types.ModuleType("tensorflow.io")
    gfile.gfile = None
    tensorflow = types.ModuleType("tensorflow")
    return {"tensorflow": tensorflow, "tensorflow.io": gfile}


@contextmanager
def _importing(repository: str, **replaced: Any) -> Iterator[None]:
    """Imports from the clone of a repository, with some modules replaced."""
    folder = str(Path(os.environ["ORIGINALS"]) / repository)
    missing = {name: each for name, each in replaced.items() if name not in sys.modules}
    sys.modules.update(missing)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
