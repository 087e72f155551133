"""Depth of every architecture."""

from collections.abc import Mapping

DEPTHS: Mapping[str, int] = {
    **dict.fromkeys(("alexnet", "alexnet_bvlc", "alexnet_jigsaw"), 5),
    **dict.fromkeys(("alexnet_colorization", "alexnet_rotnet", "alexnet_deepcluster"), 5),
    **dict.fromkeys(("vgg11", "vgg11_bn"), 8),
    **dict.fromkeys(("vgg13", "vgg13_bn"), 10),
    **dict.fromkeys(("vgg16", "vgg16_bn", "vgg16_l2pool"), 13),
    **dict.fromkeys(("vgg19", "vgg19_bn", "vgg19_conv5_4"), 16),
    "resnet18": 17,
    "resnet34": 33,
    "resnet50": 49,
    "resnet50_colorization": 49,
    "resnet101": 100,
    "resnet152": 151,
    "resnet20": 19,
    "resnet32": 31,
    "resnet44": 43,
    "resnet56": 55,
    "densenet121": 120,
    "densenet161": 160,
    "densenet169": 168,
    "densenet201": 200,
    "squeezenet1_0": 17,
    "squeezenet1_1": 17,
    "efficientnet_b0": 81,
    "efficientnet_b1": 115,
    "efficientnet_b2": 115,
    "efficientnet_b3": 130,
    "efficientnet_b4": 160,
    "efficientnet_b5": 194,
    "efficientnet_b6": 224,
    "efficientnet_b7": 273,
    "efficientnet_lite0": 49,
    "efficientnet_lite1": 64,
    "efficientnet_lite2": 64,
    "convnext_tiny": 58,
    "convnext_base": 112,
}
"""Convolutions and linear layers on the longest path through the convolutional part, by key of
``ARCHITECTURES``. The number in a name, such as ResNet-50, often counts the classifier too. The two
layers of a squeeze and excitation are on the longest path."""
