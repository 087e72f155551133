"""Vision transformers of Google and Meta, each from its authors' files.

Position embeddings are interpolated to the size of the image as the authors' own programs do it
for fine-tuning (AugReg, SigLIP 2, MAE) or for any image (DINO, DINOv2). Images whose sides are no
multiples of the patch are refused.
"""

from collections.abc import Mapping

from iqa_jax.images.preprocess import IMAGENET, Preprocessing
from iqa_jax.weights.download import UrlFile
from iqa_jax.zoo import flax_layout
from iqa_jax.zoo.entries import Conversion, Model, Source

_AUGREG_URL = "https://storage.googleapis.com/vit_models/augreg"
_SIGLIP2_URL = "https://storage.googleapis.com/big_vision/siglip2"
_FAIR_URL = "https://dl.fbaipublicfiles.com"

_SYMMETRIC = Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
"""From [0, 1] to [-1, 1]."""

_VIT = "dosovitskiy2021image"


def _from_google(url: str, publication: str, licence: str) -> Conversion:
    return Conversion(
        Source(UrlFile(url), "", licence, (_VIT, publication)),
        renames=flax_layout.RENAMES,
        ignored=flax_layout.IGNORED,
        rearrange=flax_layout.rearrange,
    )


def _from_meta(path: str, licence: str, *publications: str) -> Conversion:
    source = Source(UrlFile(f"{_FAIR_URL}/{path}"), "", licence, publications)
    return Conversion(source, ignored=(r"mask_token",))


def _augreg(architecture: str, file: str, parameters: int) -> Model:
    url = f"{_AUGREG_URL}/{file}.npz"
    return Model(
        architecture=architecture,
        goal="supervised",
        environment="imagenet21k",
        trunk=f"{architecture}_augreg",
        preprocessing=_SYMMETRIC,
        parameters=parameters,
        conversions=(_from_google(url, "steiner2022train", "Apache-2.0 (vision_transformer)"),),
        epochs=300,
        training_resolution=224,
        recipe="augreg",
    )


def _siglip2(architecture: str, file: str, parameters: int) -> Model:
    licence = "Apache-2.0 (big_vision's programs; its other materials are CC BY 4.0)"
    return Model(
        architecture=architecture,
        goal="siglip2",
        environment="webli",
        trunk=f"{architecture}_siglip2",
        preprocessing=_SYMMETRIC,
        parameters=parameters,
        conversions=(_from_google(f"{_SIGLIP2_URL}/{file}.npz", "tschannen2025siglip", licence),),
        training_resolution=256,
        recipe="big_vision",
    )


def _dino(
    architecture: str, file: str, parameters: int, linear_probe: float, epochs: int | None = None
) -> Model:
    path = f"dino/{file}_pretrain/{file}_pretrain.pth"
    return Model(
        architecture=architecture,
        goal="dino",
        environment="imagenet1k",
        trunk=f"{architecture}_dino",
        preprocessing=IMAGENET,
        parameters=parameters,
        conversions=(_from_meta(path, "Apache-2.0 (dino)", _VIT, "caron2021emerging"),),
        linear_probe=linear_probe,
        accuracy_source="the authors",
        epochs=epochs,
        training_resolution=224,
        recipe="dino",
    )


def _dinov2(
    architecture: str, parameters: int, linear_probe: float, *, registers: bool = False
) -> Model:
    suffix = "_reg4" if registers else ""
    publications = ("oquab2024dinov2", *(("darcet2024vision",) if registers else ()))
    path = f"dinov2/dinov2_{architecture}/dinov2_{architecture}{suffix}_pretrain.pth"
    return Model(
        architecture=architecture,
        goal="dinov2",
        environment="lvd142m",
        trunk=f"{architecture}_dinov2{suffix}",
        preprocessing=IMAGENET,
        parameters=parameters,
        conversions=(_from_meta(path, "Apache-2.0 (dinov2)", _VIT, *publications),),
        linear_probe=linear_probe,
        accuracy_source="the authors",
        training_resolution=518,
        recipe="dinov2",
    )


def _mae(architecture: str, size: str, parameters: int, linear_probe: float) -> Model:
    path = f"mae/pretrain/mae_pretrain_vit_{size}.pth"
    return Model(
        architecture=architecture,
        goal="mae",
        environment="imagenet1k",
        trunk=f"{architecture}_mae",
        preprocessing=IMAGENET,
        parameters=parameters,
        conversions=(_from_meta(path, "CC BY-NC 4.0 (mae)", _VIT, "he2022masked"),),
        linear_probe=linear_probe,
        accuracy_source="the authors",
        epochs=1600,
        training_resolution=224,
        recipe="mae",
    )


MODELS: Mapping[str, Model] = {
    # The checkpoints that the authors recommend for their sizes; 300 epochs.
    "vits16-supervised-imagenet21k": _augreg(
        "vits16", "S_16-i21k-300ep-lr_0.001-aug_light1-wd_0.03-do_0.0-sd_0.0", 21_665_664
    ),
    "vitb16-supervised-imagenet21k": _augreg(
        "vitb16", "B_16-i21k-300ep-lr_0.001-aug_medium1-wd_0.1-do_0.0-sd_0.0", 85_798_656
    ),
    "vitl16-supervised-imagenet21k": _augreg(
        "vitl16", "L_16-i21k-300ep-lr_0.001-aug_strong1-wd_0.1-do_0.0-sd_0.0", 303_301_632
    ),
    # The towers of images alone, for 256 x 256 pixels.
    "vitb32-siglip2-webli": _siglip2("vitb32", "siglip2_b32_256", 87_465_216),
    "vitb16-siglip2-webli": _siglip2("vitb16", "siglip2_b16_256", 85_843_200),
    "vitl16-siglip2-webli": _siglip2("vitl16", "siglip2_l16_256", 303_361_024),
    "vits16-dino-imagenet1k": _dino("vits16", "dino_deitsmall16", 21_665_664, 77.0, 800),
    "vitb16-dino-imagenet1k": _dino("vitb16", "dino_vitbase16", 85_798_656, 78.2, 400),
    "vitb8-dino-imagenet1k": _dino("vitb8", "dino_vitbase8", 85_807_872, 80.1),
    "vits14-dinov2-lvd142m": _dinov2("vits14", 22_056_192, 81.1),
    "vitb14-dinov2-lvd142m": _dinov2("vitb14", 86_579_712, 84.5),
    "vitl14-dinov2-lvd142m": _dinov2("vitl14", 304_367_616, 86.3),
    "vits14-dinov2-lvd142m-reg4": _dinov2("vits14", 22_057_728, 80.9, registers=True),
    "vitb14-dinov2-lvd142m-reg4": _dinov2("vitb14", 86_582_784, 84.6, registers=True),
    "vitl14-dinov2-lvd142m-reg4": _dinov2("vitl14", 304_371_712, 86.7, registers=True),
    "vitb16-mae-imagenet1k": _mae("vitb16", "base", 85_798_656, 68.0),
    "vitl16-mae-imagenet1k": _mae("vitl16", "large", 303_301_632, 75.8),
}
"""Models by name; ``reg4`` has four register tokens."""
