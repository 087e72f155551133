import pytest

from iqa_jax.zoo import MODELS
from iqa_jax.zoo.licences import NOT_STATED, withheld_rights


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("MIT", ""),
        ("BSD-3-Clause (torchvision)", ""),
        ("Apache-2.0", ""),
        ("CC BY 4.0", ""),
        ("CC-BY-NC 4.0", "licence CC-BY-NC 4.0: commercial use is forbidden"),
        ("CC BY-NC 4.0", "licence CC BY-NC 4.0: commercial use is forbidden"),
        ("for non-commercial use", "licence for non-commercial use: commercial use is forbidden"),
        (NOT_STATED, "no licence stated: whether the weights may be used is up to their authors"),
    ],
)
def test_what_a_licence_withholds(licence, expected):
    assert withheld_rights(licence) == expected


def test_networks_whose_licences_withhold_something():
    found = {
        name
        for name, model in MODELS.items()
        for conversion in model.conversions
        if withheld_rights(conversion.source.licence)
    }
    assert {"perceptnet-ratings-tid2008", "resnet50-jigsaw-imagenet22k"} <= found
    assert not found & {"resnet50", "resnet50-clip-wit400m", "resnet20-supervised-cifar10"}
