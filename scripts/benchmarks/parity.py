"""Compares our metrics with other implementations, and every read-out with its definition.

Example:
  pip install torch torchvision lpips piq scikit-image flip-evaluator
  python scripts/benchmarks/parity.py

Peers score random images of odd sizes: PyTorch's `lpips` and `piq`'s DISTS (with our networks in
them; SqueezeNet's is untrained), scikit-image (PSNR, and SSIM on the valid region), `piq` (SSIM,
MS-SSIM at sizes that its padding does not change, MS-GMSD, MDSI, VIF; and GMSD, HaarPSI, FSIM, VSI
and IW-SSIM, in which it differs from the authors' scripts), NVIDIA's `flip-evaluator`, and the
program `ssimulacra2` (built from github.com/cloudinary/ssimulacra2) if it is on the PATH; its
recursive filter rounds more than ours.

Rows "stored" compare with scores in `tests/golden`, of the authors' programs or of what their files
name as origin, on the pairs of `pixel_pairs.py` and `deep_pairs.py`. Rows "definition" compare the
read-outs of two layers of AlexNet with `tests/oracle.py`, in float64. Prints the largest relative
difference of each. Needs the weights of alexnet, vgg16, dists and deepwsd's network (iqa fetch).
"""

# The definitions and the stored scores are those of the tests.
# pyright: reportMissingImports=false

import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import parity_peers
from etils import epath

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
import oracle
from golden import deep_pairs, drawn_files, pixel_pairs

from iqa_jax.images.preprocess import IDENTITY
from iqa_jax.metrics import Metric, list_metrics, load_metric, parse_metric
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.metrics.pixels import FULL_NAMES, PIXEL_METRICS
from iqa_jax.programs import running
from iqa_jax.programs.settings import ModelSettings
from iqa_jax.readouts import READOUTS, LayerStatistics
from iqa_jax.readouts.statistics import STATISTICS
from iqa_jax.text import aligned
from iqa_jax.zoo import Relevance, convert_file, load_backbone, load_relevance

_SIZES = ((65, 97), (256, 256), (384, 512))
_STRENGTHS = (2, 20, 80)
_LAYERS = ("relu2", "relu5")
_LARGEST_OF_NETWORKS, _LARGEST_DEFINED = 256, 97
"""Longest sides of images for networks and definitions, which take time and memory."""

_GOLDEN = Path(pixel_pairs.__file__).parent
_SQUEEZENET, _VGG19 = "squeezenet1_1-random-none-seed0", "vgg19_conv5_4-random-none-seed0"
_OF_VGG16 = "relu1_2+relu2_2+relu3_3+relu4_3+relu5_3"

Image = np.ndarray
Row = tuple[str, str, str, str]


def pairs(largest: int = max(map(max, _SIZES))) -> Iterator[tuple[Image, Image]]:
    """Random images with noise of several strengths, ``uint8`` [H, W, 3], up to a longest side."""
    rng = np.random.default_rng(0)
    for size in (each for each in _SIZES if max(each) <= largest):
        for strength in _STRENGTHS:
            reference = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
            noisy = reference + rng.normal(0, strength, reference.shape)
            yield reference, np.clip(noisy, 0, 255).astype(np.uint8)


def main(settings: ModelSettings) -> None:
    """Prints a line for each metric and peer, and each read-out."""
    where = {"checkpoints_dir": settings.checkpoints_dir}
    rows = []
    for compared in (_with_peers, _with_stored, _with_definitions):
        for row in compared(where):
            print(*row, sep="\t", file=sys.stderr, flush=True)
            rows.append(row)
    order = {name: place for place, name in enumerate([*list_metrics(), *READOUTS])}
    rows.sort(key=lambda row: order[row[0]])
    header = ("metric", "compared with", "pairs", "largest relative difference")
    print("\n".join(aligned(header, rows, text_columns=2)))


def _row(name: str, peer: str, found: Iterable[tuple[float, float]]) -> Row:
    differences = [abs(ours - theirs) / (abs(theirs) or 1.0) for ours, theirs in found]
    largest = f"{max(differences):.1e}" if differences else "-"
    return name, peer, str(len(differences)), largest


def _of_pair(metric: Metric, pair: Iterable[Image]) -> float:
    return float(metric(*(image[None] for image in pair))[0])


def _with_peers(where: Mapping) -> Iterator[Row]:
    networks: dict[tuple[str, str], Callable] = {
        ("lpips-alex", "lpips"): parity_peers.Lpips("alex", load_backbone("alexnet", **where)),
        ("lpips-vgg", "lpips"): parity_peers.Lpips("vgg", load_backbone("vgg16", **where)),
    }
    dists = parse_metric("dists").readout
    assert dists
    for name in ("dists", "dists:resize256"):
        networks[name, "piq"] = parity_peers.Dists(
            load_backbone(dists.model, **where),
            load_relevance("dists", **where),
            is_resized=name != "dists",
        )
    for (name, peer), function in {**parity_peers.OF_PIXELS, **networks}.items():
        metric = load_metric(name, **where)
        largest = [_LARGEST_OF_NETWORKS] if (name, peer) in networks else []
        yield _row(name, peer, _of_peer(metric, function, pairs(*largest)))
    squeeze = parity_peers.Lpips("squeeze", load_backbone(_SQUEEZENET))
    metric = _squeeze(squeeze.weights())
    found = _of_peer(metric, squeeze, pairs(_LARGEST_OF_NETWORKS))
    yield _row("lpips-squeeze", "lpips, untrained network", found)


def _of_peer(
    metric: Metric, peer: Callable, chosen: Iterable[tuple[Image, Image]]
) -> Iterator[tuple[float, float]]:
    """Our scores and those of a peer, which is None for pairs that it cannot score alike."""
    for pair in chosen:
        theirs = peer(*pair)
        if theirs is not None:
            yield _of_pair(metric, pair), float(theirs)


def _squeeze(weights: list[np.ndarray]) -> Metric:
    """LPIPS of an untrained SqueezeNet."""
    readout = parse_metric("lpips-squeeze").readout
    assert readout
    layers = dict(zip(readout.layers, map(jnp.asarray, weights), strict=True))
    relevance = Relevance(layers, "lpips-squeeze", _SQUEEZENET, "")
    readout = replace(readout, model=_SQUEEZENET)
    scores = FeatureScores.of(
        load_backbone(_SQUEEZENET), [readout], relevances={relevance.name: relevance}
    )
    return Metric(scores, "lpips-squeeze")


def _with_stored(where: Mapping) -> Iterator[Row]:
    by_metric = {}
    for pair, scores in _stored("pixel_metrics").items():
        for name, score in scores.items():
            by_metric.setdefault(name, {})[pair] = score
    for name in list_metrics():
        full = FULL_NAMES.get(name, name)
        if name in PIXEL_METRICS:
            scores = by_metric[full] if full in by_metric else _stored(name)
            metric = load_metric(name)
            yield _row(name, "stored", _of_stored(metric, scores, pixel_pairs.pair))
    deep = _stored("deep_distances")
    for name, peer, metric, scores in (
        ("deepwsd", "stored", load_metric("deepwsd", **where), deep["deepwsd"]),
        (
            "deepdc",
            "stored, on VGG-16",
            _deepdc("vgg16", _OF_VGG16, where),
            deep["deepdc of vgg16"],
        ),
        ("deepdc", "stored, untrained network", _deepdc(_VGG19), deep[f"deepdc of {_VGG19}"]),
        ("perceptnet", "stored, drawn weights", _perceptnet(), _stored("perceptnet")),
    ):
        yield _row(name, peer, _of_stored(metric, scores, deep_pairs.pair))


def _stored(name: str) -> dict:
    return json.loads((_GOLDEN / f"{name}.json").read_text())["scores"]


def _of_stored(
    metric: Metric, scores: Mapping[str, Any], pair: Callable[[str], tuple[Image, Image]]
) -> Iterator[tuple[float, float]]:
    """Our scores and stored ones, of the pairs that are computed from a seed."""
    for name, score in scores.items():
        if name not in pixel_pairs.REAL:
            yield _of_pair(metric, pair(name)), _defined(score)


def _defined(score: Any) -> float:
    """A score; of several the one by definition, with the default number of pixels per degree."""
    while isinstance(score, Mapping):
        score = score.get("definition") or next(iter(score.values()))
    return score


def _deepdc(model: str, layers: str | None = None, where: Mapping | None = None) -> Metric:
    """DeepDC of another network than its own."""
    name = parse_metric("deepdc")
    assert name.readout
    readout = replace(name.readout, model=model)
    if layers:
        readout = replace(readout, layers=tuple(layers.split("+")))
    backbone = replace(load_backbone(model, **(where or {})), preprocessing=IDENTITY)
    return Metric(FeatureScores.of(backbone, [readout], protocol=name.protocol), "deepdc")


def _perceptnet() -> Metric:
    """The metric with the weights of the stored scores, which are drawn from a seed."""
    readout = parse_metric("perceptnet").readout
    assert readout
    with tempfile.TemporaryDirectory() as name:
        folder = epath.Path(name)
        path = epath.Path(drawn_files.write(readout.model, folder))
        convert_file(readout.model, path, directory=folder)
        return load_metric("perceptnet", checkpoints_dir=folder)


def _with_definitions(where: Mapping) -> Iterator[Row]:
    network = load_backbone("alexnet", **where).with_layers(_LAYERS)
    dataset = [
        tuple([np.asarray(network(x[None])[layer][0]) for layer in _LAYERS] for x in pair)
        for pair in pairs(_LARGEST_DEFINED)
    ]
    for name, readout in READOUTS.items():
        layers = [
            [
                LayerStatistics(
                    {each: STATISTICS[each](x, y) for each in readout.statistics},
                    x.shape[0] * x.shape[1],
                )
                for x, y in zip(*pair, strict=True)
            ]
            for pair in dataset
        ]
        means: list = [None] * len(_LAYERS)
        if normalised_by := readout.normalised_by:
            means = [
                sum(map(normalised_by, each)) / len(dataset) for each in zip(*layers, strict=True)
            ]
            expected = oracle.READOUTS_OF_DATASETS[name](dataset)
        else:
            expected = [oracle.READOUTS[name](*pair) for pair in dataset]
        found = [
            readout.combine(
                readout.summands(layer.values, layer.positions, normaliser=mean)
                for layer, mean in zip(each, means, strict=True)
            )
            for each in layers
        ]
        yield _row(name, "definition", zip(map(float, found), expected, strict=True))


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))
