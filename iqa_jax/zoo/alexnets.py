"""AlexNets that differ in training objective and training images.

Most files are from VISSL's model zoo, like those of ``selfsupervised``.
"""

from collections.abc import Mapping

from iqa_jax.zoo.entries import Model
from iqa_jax.zoo.vissl import (
    DEEPCLUSTER_BY_VISSL,
    FAIR_BY_VISSL,
    ROTNET_BY_VISSL,
    from_caffe2,
    from_places365,
    from_vissl,
    trained,
)

_GOYAL = "goyal2019scaling"
_BVLC = ("krizhevsky2012imagenet", "jia2014caffe", _GOYAL)
_PLACES205 = ("zhou2014learning", _GOYAL)
_JIGSAW = ("noroozi2016unsupervised", _GOYAL)
_COLORIZATION = ("zhang2016colorful", _GOYAL)
_ROTNET = ("gidaris2018unsupervised",)
_DEEPCLUSTER = ("caron2018deep",)

MODELS: Mapping[str, Model] = {
    "alexnet-supervised-imagenet1k-bvlc": trained(
        *("alexnet_bvlc", "supervised", "imagenet1k", 49.54),
        from_vissl("converted_caffenet_bvlc_in1k_supervised.torch", _BVLC, FAIR_BY_VISSL),
        from_caffe2("caffenet_bvlc_in1k_supervised.npy", _BVLC),
        training_resolution=227,
        recipe="caffe",
    ),
    "alexnet-supervised-places205": trained(
        *("alexnet_bvlc", "supervised", "places205", None),
        from_caffe2("caffenet_bvlc_places205_supervised.pkl", _PLACES205),
        training_resolution=227,
        recipe="caffe",
    ),
    "alexnet-supervised-places365": trained(
        *("alexnet", "supervised", "places365", None),
        from_places365("alexnet_places365.pth.tar"),
        epochs=90,
        recipe="places365",
    ),
    "alexnet-jigsaw-imagenet1k": trained(
        *("alexnet_jigsaw", "jigsaw", "imagenet1k", 34.82),
        from_vissl("converted_alexnet_jigsaw_in1k_pretext.torch", _JIGSAW, FAIR_BY_VISSL),
        from_caffe2("alexnet_jigsaw_in1k_pretext.pkl", _JIGSAW),
        training_resolution=None,
        recipe="goyal2019",
    ),
    "alexnet-jigsaw-imagenet22k": trained(
        *("alexnet_jigsaw", "jigsaw", "imagenet22k", 37.5),
        from_vissl("converted_alexnet_jigsaw_in22k_pretext.torch", _JIGSAW, FAIR_BY_VISSL),
        from_caffe2("alexnet_jigsaw_in22k_pretext.pkl", _JIGSAW),
        training_resolution=None,
        recipe="goyal2019",
    ),
    "alexnet-jigsaw-yfcc100m": trained(
        *("alexnet_jigsaw", "jigsaw", "yfcc100m", 37.01),
        from_vissl("converted_alexnet_jigsaw_yfcc100m_pretext.torch", _JIGSAW, FAIR_BY_VISSL),
        from_caffe2("alexnet_jigsaw_yfcc100m_pretext.pkl", _JIGSAW),
        training_resolution=None,
        recipe="goyal2019",
    ),
    "alexnet-colorization-imagenet1k": trained(
        *("alexnet_colorization", "colorization", "imagenet1k", 30.39),
        from_vissl(
            "converted_alexnet_colorization_in1k_pretext.torch", _COLORIZATION, FAIR_BY_VISSL
        ),
        from_caffe2("alexnet_colorization_in1k_pretext.pkl", _COLORIZATION),
        training_resolution=None,
        recipe="goyal2019",
    ),
    "alexnet-colorization-imagenet22k": trained(
        *("alexnet_colorization", "colorization", "imagenet22k", 36.83),
        from_vissl(
            "converted_alexnet_colorization_in22k_pretext.torch", _COLORIZATION, FAIR_BY_VISSL
        ),
        from_caffe2("alexnet_colorization_in22k_pretext.pkl", _COLORIZATION),
        training_resolution=None,
        recipe="goyal2019",
    ),
    "alexnet-colorization-yfcc100m": trained(
        *("alexnet_colorization", "colorization", "yfcc100m", 34.19),
        from_vissl(
            "converted_alexnet_colorization_yfcc100m_pretext.torch", _COLORIZATION, FAIR_BY_VISSL
        ),
        from_caffe2("alexnet_colorization_yfcc100m_pretext.pkl", _COLORIZATION),
        training_resolution=None,
        recipe="goyal2019",
    ),
    "alexnet-rotnet-imagenet1k": trained(
        *("alexnet_rotnet", "rotnet", "imagenet1k", 39.51),
        from_vissl("rotnet_alexnet_model_net_epoch50.torch", _ROTNET, ROTNET_BY_VISSL),
        epochs=50,
        recipe="rotnet",
    ),
    "alexnet-deepcluster-imagenet1k": trained(
        *("alexnet_deepcluster", "deepcluster", "imagenet1k", 37.88),
        from_vissl("deepcluster_alexnet_checkpoint.torch", _DEEPCLUSTER, DEEPCLUSTER_BY_VISSL),
        epochs=500,
        recipe="deepcluster",
    ),
}
