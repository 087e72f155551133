"""ResNet-50s that differ in training objective and training images.

Most files are from VISSL's model zoo (MODEL_ZOO.md at commit 09270ed). Some of them were converted
from the Caffe2 files of Goyal et al. 2019, which are then the second source. The top-1 accuracies
in VISSL's table are those of a linear classifier on ImageNet-1k, even for supervised networks.
Where there are files for several training lengths, the longest is here, and ``epoch_series`` has
the others.
"""

from collections.abc import Mapping

from iqa_jax.zoo.entries import Model
from iqa_jax.zoo.vissl import (
    FAIR_BY_VISSL,
    LEMNISCATE_BY_VISSL,
    SEMISUPERVISED_BY_VISSL,
    SWAV_BY_VISSL,
    VISSL,
    from_caffe2,
    from_places365,
    from_vissl,
    trained,
)

_GOYAL = "goyal2019scaling"
_SUPERVISED = ("he2016deep", _GOYAL)
_PLACES205 = ("zhou2014learning", _GOYAL)
_JIGSAW = ("noroozi2016unsupervised", _GOYAL)
_COLORIZATION = ("zhang2016colorful", _GOYAL)
_ROTNET = ("gidaris2018unsupervised",)
_CLUSTERFIT = ("yan2020clusterfit",)
_NPID = ("wu2018unsupervised",)
_PIRL = ("misra2020self",)
_SIMCLR = ("chen2020simple",)
_SWAV = ("caron2020unsupervised",)
_MOCOV2 = ("chen2020improved",)
_BARLOWTWINS = ("zbontar2021barlow",)
_SEMISUPERVISED = ("yalniz2019billion",)

MODELS: Mapping[str, Model] = {
    "resnet50-supervised-imagenet1k-caffe2": trained(
        *("resnet50", "supervised", "imagenet1k", 75.88),
        from_vissl("converted_vissl_rn50_supervised_in1k_caffe2.torch", _SUPERVISED, FAIR_BY_VISSL),
        from_caffe2("resnet50_in1k_supervised.pkl", _SUPERVISED),
        recipe="goyal2019",
    ),
    "resnet50-supervised-places205": trained(
        *("resnet50", "supervised", "places205", 58.49),
        from_vissl(
            "converted_vissl_rn50_supervised_places205_caffe2.torch", _PLACES205, FAIR_BY_VISSL
        ),
        from_caffe2("resnet50_places205_supervised.pkl", _PLACES205),
        recipe="goyal2019",
    ),
    "resnet50-supervised-places365": trained(
        *("resnet50", "supervised", "places365", None),
        from_places365("resnet50_places365.pth.tar"),
        epochs=90,
        recipe="places365",
    ),
    # VISSL has several jigsaw networks; those of Goyal et al. were trained alike on all three sets.
    "resnet50-jigsaw-imagenet1k": trained(
        *("resnet50", "jigsaw", "imagenet1k", 46.58),
        from_vissl("converted_vissl_rn50_jigsaw_in1k_goyal19.torch", _JIGSAW, FAIR_BY_VISSL),
        from_caffe2("resnet50_jigsaw_in1k_pretext.pkl", _JIGSAW),
        training_resolution=None,
        recipe="goyal2019",
    ),
    "resnet50-jigsaw-imagenet22k": trained(
        *("resnet50", "jigsaw", "imagenet22k", 53.09),
        from_vissl("converted_vissl_rn50_jigsaw_in22k_goyal19.torch", _JIGSAW, FAIR_BY_VISSL),
        from_caffe2("resnet50_jigsaw_in22k_pretext.pkl", _JIGSAW),
        training_resolution=None,
        recipe="goyal2019",
    ),
    "resnet50-jigsaw-yfcc100m": trained(
        *("resnet50", "jigsaw", "yfcc100m", 51.37),
        from_vissl("converted_vissl_rn50_jigsaw_yfcc100m_goyal19.torch", _JIGSAW, FAIR_BY_VISSL),
        from_caffe2("resnet50_jigsaw_yfcc100m_pretext.pkl", _JIGSAW),
        training_resolution=None,
        recipe="goyal2019",
    ),
    "resnet50-colorization-imagenet1k": trained(
        *("resnet50_colorization", "colorization", "imagenet1k", 40.11),
        from_vissl(
            "converted_vissl_rn50_colorization_in1k_goyal19.torch", _COLORIZATION, FAIR_BY_VISSL
        ),
        from_caffe2("resnet50_colorization_in1k_pretext.pkl", _COLORIZATION),
        training_resolution=None,
        recipe="goyal2019",
    ),
    "resnet50-colorization-imagenet22k": trained(
        *("resnet50_colorization", "colorization", "imagenet22k", 49.24),
        from_vissl(
            "converted_vissl_rn50_colorization_in22k_goyal19.torch", _COLORIZATION, FAIR_BY_VISSL
        ),
        from_caffe2("resnet50_colorization_in22k_pretext.pkl", _COLORIZATION),
        training_resolution=None,
        recipe="goyal2019",
    ),
    "resnet50-colorization-yfcc100m": trained(
        *("resnet50_colorization", "colorization", "yfcc100m", 47.46),
        from_vissl(
            "converted_vissl_rn50_colorization_yfcc100m_goyal19.torch",
            *(_COLORIZATION, FAIR_BY_VISSL),
        ),
        from_caffe2("resnet50_colorization_yfcc100m_pretext.pkl", _COLORIZATION),
        training_resolution=None,
        recipe="goyal2019",
    ),
    # VISSL gives no hashes; torch.hub users check these two files by the digits given here.
    "resnet50-rotnet-imagenet1k": trained(
        *("resnet50", "rotnet", "imagenet1k", 48.2),
        from_vissl(
            "rotnet_rn50_in1k_ep105_rotnet_8gpu_resnet_17_07_20.46bada9f"
            "/model_final_checkpoint_phase125.torch",
            *(_ROTNET, VISSL, "5c0b916d"),
        ),
        epochs=105,
    ),
    "resnet50-rotnet-imagenet22k": trained(
        *("resnet50", "rotnet", "imagenet22k", 54.89),
        from_vissl("converted_vissl_rn50_rotnet_in22k_ep105.torch", _ROTNET, VISSL, "559277fa"),
        epochs=105,
    ),
    "resnet50-clusterfit-imagenet1k": trained(
        *("resnet50", "clusterfit", "imagenet1k", 53.63),
        from_vissl("converted_vissl_rn50_rotnet_16kclusters_in1k_ep105.torch", _CLUSTERFIT),
        epochs=105,
    ),
    # Trained by its authors; VISSL's own, trained for as many epochs, has a top-1 of 52.73.
    "resnet50-npid-imagenet1k": trained(
        *("resnet50", "npid", "imagenet1k", 54.99),
        from_vissl(
            "converted_vissl_rn50_npid_lemniscate_neg4k_stepLR_8gpu.torch",
            *(_NPID, LEMNISCATE_BY_VISSL),
        ),
        epochs=200,
        recipe="lemniscate",
    ),
    # The first URL is from the table in VISSL's zoo, the second from its configuration.
    "resnet50-npidpp-imagenet1k": trained(
        *("resnet50", "npidpp", "imagenet1k", 56.68),
        from_vissl(
            "npid_pp/4node_800ep_32kneg_cosine_resnet_23_07_20.75432662"
            "/model_final_checkpoint_phase799.torch",
            _PIRL,
        ),
        from_vissl(
            "npid_4node_800ep_32kneg_cosine_npid++_4nodes_resnet_23_07_20.75432662"
            "/model_final_checkpoint_phase799.torch",
            _PIRL,
        ),
        epochs=800,
    ),
    "resnet50-pirl-imagenet1k": trained(
        *("resnet50", "pirl", "imagenet1k", 64.29),
        from_vissl(
            "pirl_jigsaw_4node_pirl_jigsaw_4node_resnet_22_07_20.34377f59"
            "/model_final_checkpoint_phase799.torch",
            _PIRL,
        ),
        epochs=800,
    ),
    "resnet50-simclr-imagenet1k": trained(
        *("resnet50", "simclr", "imagenet1k", 68.8),
        from_vissl(
            "simclr_rn50_1000ep_simclr_8node_resnet_16_07_20.afe428c7"
            "/model_final_checkpoint_phase999.torch",
            _SIMCLR,
        ),
        epochs=1000,
    ),
    "resnet50-deepclusterv2-imagenet1k": trained(
        *("resnet50", "deepclusterv2", "imagenet1k", 75.18),
        from_vissl("deepclusterv2_800ep_pretrain.pth.tar", _SWAV, SWAV_BY_VISSL),
        epochs=800,
        recipe="swav",
    ),
    "resnet50-swav-imagenet1k": trained(
        *("resnet50", "swav", "imagenet1k", 74.92),
        from_vissl(
            "swav_in1k_rn50_800ep_swav_8node_resnet_27_07_20.a0a6b676"
            "/model_final_checkpoint_phase799.torch",
            _SWAV,
        ),
        epochs=800,
    ),
    "resnet50-mocov2-imagenet1k": trained(
        *("resnet50", "mocov2", "imagenet1k", 66.4),
        from_vissl(
            "moco_v2_1node_lr.03_step_b32_zero_init/model_final_checkpoint_phase199.torch", _MOCOV2
        ),
        epochs=200,
    ),
    "resnet50-barlowtwins-imagenet1k": trained(
        *("resnet50", "barlowtwins", "imagenet1k", 71.8),
        from_vissl(
            "barlow_twins/barlow_twins_32gpus_4node_imagenet1k_1000ep_resnet50.torch", _BARLOWTWINS
        ),
        epochs=1000,
    ),
    # These two were trained on images labelled by a teacher, then on ImageNet-1k; their names have
    # the first environment alone.
    "resnet50-semisupervised-yfcc100m": trained(
        *("resnet50", "semisupervised", "yfcc100m+imagenet1k", 79.2),
        from_vissl(
            "converted_vissl_rn50_semi_sup_08389792.torch",
            *(_SEMISUPERVISED, SEMISUPERVISED_BY_VISSL),
        ),
        top1=79.3,
        accuracy_source="its authors (top-1), VISSL's model zoo (linear probe)",
        recipe="yalniz2019",
    ),
    "resnet50-semiweaklysupervised-instagram": trained(
        *("resnet50", "semiweaklysupervised", "instagram+imagenet1k", 81.06),
        from_vissl(
            "converted_vissl_rn50_semi_weakly_sup_16a12f1b.torch",
            *(_SEMISUPERVISED, SEMISUPERVISED_BY_VISSL),
        ),
        top1=81.2,
        accuracy_source="its authors (top-1), VISSL's model zoo (linear probe)",
        recipe="yalniz2019",
    ),
}
