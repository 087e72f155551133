"""ResNet-50s that were trained like those of ``selfsupervised``, for fewer epochs.

The files are from VISSL's model zoo. A series shows what longer training alone changes.
"""

import dataclasses
from collections.abc import Iterator, Mapping

from iqa_jax.zoo import selfsupervised
from iqa_jax.zoo.entries import Model
from iqa_jax.zoo.vissl import from_vissl

_SERIES = {
    "simclr": (
        (100, 64.4, "simclr_rn50_100ep_simclr_8node_resnet_16_07_20.8edb093e"),
        (200, 66.61, "simclr_rn50_200ep_simclr_8node_resnet_16_07_20.a816c0ef"),
        (400, 67.71, "simclr_rn50_400ep_simclr_8node_resnet_16_07_20.36b338ef"),
        (800, 69.68, "simclr_rn50_800ep_simclr_8node_resnet_16_07_20.7e8feed1"),
    ),
    "swav": (
        (100, 71.99, "swav_in1k_rn50_100ep_swav_8node_resnet_27_07_20.7e6fc6bf"),
        (200, 73.85, "swav_in1k_rn50_200ep_swav_8node_resnet_27_07_20.bd595bb0"),
        (400, 74.81, "swav_in1k_rn50_400ep_swav_8node_resnet_27_07_20.a5990fc9"),
    ),
    "pirl": ((200, 62.55, "pirl_jigsaw_4node_200ep_pirl_jigsaw_4node_resnet_22_07_20.ffd17b75"),),
    "barlowtwins": (
        (300, 70.75, "barlow_twins/barlow_twins_32gpus_4node_imagenet1k_300ep_resnet50.torch"),
    ),
}
"""Epochs, top-1 accuracy of a linear classifier, and file or folder, by training objective."""


def _models() -> Iterator[tuple[str, Model]]:
    for goal, trainings in _SERIES.items():
        longest = f"resnet50-{goal}-imagenet1k"
        model = selfsupervised.MODELS[longest]
        publications = model.conversions[0].source.publications
        for epochs, linear_probe, place in trainings:
            last = f"{place}/model_final_checkpoint_phase{epochs - 1}.torch"
            file = place if place.endswith(".torch") else last
            yield (
                f"{longest}-{epochs}ep",
                dataclasses.replace(
                    model,
                    conversions=(from_vissl(file, publications),),
                    linear_probe=linear_probe,
                    epochs=epochs,
                    in_study=False,
                ),
            )


MODELS: Mapping[str, Model] = dict(_models())
