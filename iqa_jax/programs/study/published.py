"""Numbers that the authors published for columns of ours, to be compared."""

from collections.abc import Iterator, Mapping

from iqa_jax.study.pseudovalues import PEARSON, SPEARMAN
from iqa_jax.study.results import Column, Results
from iqa_jax.study.whole import Study

_READOUTS = ("l2", "rmse")
_VGG16 = "vgg16-supervised-imagenet1k-keras"

TOLERANCE = 0.002
"""Difference that the authors' decoding and resizing of images may make."""

Numbers = Mapping[str, tuple[float, float]]
"""Pearson's and Spearman's correlation by layer."""

PUBLISHED: Mapping[tuple[str, str], Numbers] = {
    (_VGG16, "tid2013"): {
        "input": (0.598, 0.687),
        "block1_conv1": (0.765, 0.783),
        "block1_conv2": (0.788, 0.803),
        "block1_pool": (0.787, 0.808),
        "block2_conv1": (0.802, 0.810),
        "block2_conv2": (0.810, 0.814),
        "block2_pool": (0.819, 0.822),
        "block3_conv1": (0.831, 0.837),
        "block3_conv2": (0.832, 0.833),
        "block3_conv3": (0.825, 0.826),
        "block3_pool": (0.840, 0.837),
        "block4_conv1": (0.840, 0.841),
        "block4_conv2": (0.841, 0.837),
        "block4_conv3": (0.834, 0.830),
        "block4_pool": (0.836, 0.833),
        "block5_conv1": (0.842, 0.839),
        "block5_conv2": (0.829, 0.828),
        "block5_conv3": (0.749, 0.763),
        "block5_pool": (0.756, 0.767),
    },
    (_VGG16, "kadid10k"): {
        "input": (0.550, 0.676),
        "block1_conv1": (0.635, 0.771),
        "block1_conv2": (0.611, 0.786),
        "block1_pool": (0.640, 0.798),
        "block2_conv1": (0.705, 0.822),
        "block2_conv2": (0.770, 0.836),
        "block2_pool": (0.747, 0.835),
        "block3_conv1": (0.795, 0.857),
        "block3_conv2": (0.811, 0.852),
        "block3_conv3": (0.817, 0.845),
        "block3_pool": (0.817, 0.851),
        "block4_conv1": (0.831, 0.858),
        "block4_conv2": (0.834, 0.853),
        "block4_conv3": (0.828, 0.849),
        "block4_pool": (0.825, 0.850),
        "block5_conv1": (0.832, 0.857),
        "block5_conv2": (0.825, 0.850),
        "block5_conv3": (0.770, 0.802),
        "block5_pool": (0.775, 0.807),
    },
    ("resnet18", "tid2013"): {
        "layer1": (0.750, 0.732),
        "layer2": (0.773, 0.743),
        "layer3": (0.791, 0.758),
        "layer4": (0.788, 0.763),
    },
    ("resnet18", "tid2008"): {
        "layer1": (0.722, 0.725),
        "layer2": (0.767, 0.754),
        "layer3": (0.786, 0.763),
        "layer4": (0.782, 0.758),
    },
}
"""Correlations by model and dataset: VGG-16 of Keras from the papers' own results, torchvision's
ResNet-18 from the same group's visturing (2026). All are of raw scores at native size."""


def beside_published(study: Study) -> list[tuple[str, ...]]:
    """Rows with our number, the published one and the difference, as text.

    Args:
      study: The study; incomplete datasets are left out.
    """
    return [row for each in study.evidence.native for row in _rows(study, each.results)]


def _rows(study: Study, results: Results) -> Iterator[tuple[str, ...]]:
    if not results.is_complete:
        return
    (dataset,) = (each for each in study.evidence.native if each.results is results)
    for place, column in enumerate(results.columns):
        numbers = PUBLISHED.get((column.model, results.dataset), {})
        published = numbers.get(_their_layer(column))
        if published is None or column.readout not in _READOUTS:
            continue
        for measure, theirs in zip((PEARSON, SPEARMAN), published, strict=True):
            ours = float(dataset.whole[measure].values[place])
            off = f"{ours - theirs:+.3f}{'' if abs(ours - theirs) <= TOLERANCE else ' *'}"
            yield (results.dataset, column.name, measure, f"{ours:.3f}", f"{theirs:.3f}", off)


def _their_layer(column: Column) -> str:
    """Name of a layer as published: outputs after ReLU bear the name of their convolution."""
    layer = column.layer
    if column.model != _VGG16:
        return layer
    kind, _, place = layer.partition("relu")
    if not kind and "_" in place:
        block, number = place.split("_")
        return f"block{block}_conv{number}"
    if layer.startswith("pool"):
        return f"block{layer.removeprefix('pool')}_pool"
    return layer
