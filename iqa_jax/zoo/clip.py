"""The image encoders of CLIP, trained to recognise the captions of 400 million images.

The authors publish TorchScript archives, mostly in half precision, of encoders of images and text.
Their program takes images of 224x224 pixels alone; see ``backbones.clip_resnet`` and
``backbones.vit`` for other sizes.
"""

from collections.abc import Mapping

import numpy as np

from iqa_jax.images.preprocess import Preprocessing
from iqa_jax.weights.conversion import Rename
from iqa_jax.weights.download import UrlFile
from iqa_jax.zoo.entries import Conversion, Model, Source

_URL = "https://openaipublic.azureedge.net/clip/models"
_PREPROCESSING = Preprocessing(
    mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711)
)


def _in_batch(tokens: np.ndarray) -> np.ndarray:
    """Tokens ``[C]`` or ``[tokens, C]`` with an axis for the batch: ``[1, tokens, C]``."""
    return np.atleast_2d(tokens)[None]


_RENAMES = (
    Rename(r"(?!visual\.)(.+)", r"text.\1"),  # apart from the same names in the image encoder
    Rename(r"visual\.(.+)", r"\1"),
)
_TRANSFORMER_RENAMES = (
    *_RENAMES,
    Rename(r"transformer\.resblocks\.(.+)", r"blocks.\1"),
    Rename(r"conv1\.weight", r"patch_embed.proj.weight"),
    Rename(r"class_embedding", r"cls_token", _in_batch),
    Rename(r"positional_embedding", r"pos_embed", _in_batch),
    Rename(r"ln_pre\.(.+)", r"norm_pre.\1"),
    Rename(r"ln_post\.(.+)", r"norm.\1"),
    Rename(r"(blocks\.\d+)\.ln_([12])\.(.+)", r"\1.norm\2.\3"),
    Rename(r"(blocks\.\d+)\.attn\.in_proj_(.+)", r"\1.attn.qkv.\2"),
    Rename(r"(blocks\.\d+)\.attn\.out_proj\.(.+)", r"\1.attn.proj.\2"),
    Rename(r"(blocks\.\d+)\.mlp\.c_fc\.(.+)", r"\1.mlp.fc1.\2"),
    Rename(r"(blocks\.\d+)\.mlp\.c_proj\.(.+)", r"\1.mlp.fc2.\2"),
)
_TEXT = (
    r"text\.(token_embedding\.weight|positional_embedding|text_projection|logit_scale)",
    r"text\.transformer\.resblocks\..*",
    r"text\.ln_final\.(weight|bias)",
    r"text\.(input_resolution|context_length|vocab_size)",
)
"""The encoder of text, and three numbers that describe the network."""


def _model(
    architecture: str,
    trunk: str,
    file: str,
    sha256: str,
    parameters: int,
    *,
    renames: tuple[Rename, ...] = _TRANSFORMER_RENAMES,
    head: str = r"proj",
) -> Model:
    """An entry of the registry; ``head`` leads to the space that images share with texts."""
    source = Source(
        file=UrlFile(f"{_URL}/{sha256}/{file}"),
        sha256=sha256,
        licence="MIT (CLIP)",
        publications=("radford2021learning",),
    )
    return Model(
        architecture=architecture,
        goal="clip",
        environment="wit400m",
        trunk=trunk,
        preprocessing=_PREPROCESSING,
        parameters=parameters,
        conversions=(Conversion(source, renames, (*_TEXT, head)),),
        epochs=32,
        training_resolution=224,
        recipe="clip",
    )


MODELS: Mapping[str, Model] = {
    "resnet50-clip-wit400m": _model(
        *("resnet50", "clip_resnet50", "RN50.pt"),
        "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762",
        23_527_264,
        renames=_RENAMES,
        head=r"attnpool\..*",
    ),
    "vitb32-clip-wit400m": _model(
        *("vitb32", "vitb32_clip", "ViT-B-32.pt"),
        "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
        87_456_000,
    ),
    "vitb16-clip-wit400m": _model(
        *("vitb16", "vitb16_clip", "ViT-B-16.pt"),
        "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f",
        85_799_424,
    ),
    "vitl14-clip-wit400m": _model(
        *("vitl14", "vitl14_clip", "ViT-L-14.pt"),
        "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836",
        303_179_776,
    ),
}
