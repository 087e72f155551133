"""The image encoders of CLIP, trained to recognise the captions of 400 million images.

The authors publish TorchScript archives, mostly in half precision, of encoders of images and text.
"""

from collections.abc import Mapping

from iqa_jax.images.preprocess import Preprocessing
from iqa_jax.weights.conversion import Rename
from iqa_jax.weights.download import UrlFile
from iqa_jax.zoo.entries import Conversion, Model, Source

_URL = "https://openaipublic.azureedge.net/clip/models"
_PREPROCESSING = Preprocessing(
    mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711)
)

_RENAMES = (
    Rename(r"(?!visual\.)(.+)", r"text.\1"),  # apart from the same names in the image encoder
    Rename(r"visual\.(.+)", r"\1"),
)
_TEXT = (
    r"text\.(token_embedding\.weight|positional_embedding|text_projection|logit_scale)",
    r"text\.transformer\.resblocks\..*",
    r"text\.ln_final\.(weight|bias)",
    r"text\.(input_resolution|context_length|vocab_size)",
)
"""The encoder of text, and three numbers that describe the network."""


def _source(file: str, sha256: str) -> Source:
    return Source(
        file=UrlFile(f"{_URL}/{sha256}/{file}"),
        sha256=sha256,
        licence="MIT",
        publications=("radford2021learning",),
    )


MODELS: Mapping[str, Model] = {
    "resnet50-clip-wit400m": Model(
        architecture="resnet50",
        goal="clip",
        environment="wit400m",
        trunk="clip_resnet50",
        preprocessing=_PREPROCESSING,
        parameters=23_527_264,
        conversions=(
            Conversion(
                _source(
                    "RN50.pt", "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762"
                ),
                _RENAMES,
                (*_TEXT, r"attnpool\..*"),
            ),
        ),
    ),
}
