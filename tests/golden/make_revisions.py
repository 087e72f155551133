"""Freezes the values of every revision of ``iqa_jax.revisions`` on a fixed probe.

    PYTHONPATH=tests python -m golden.make_revisions

Run it after raising or adding a revision, and look at the diff: nothing else may change. It refuses
to write values that changed without a new revision.
"""

import dataclasses
import io
import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from golden import draws
from PIL import Image

from iqa_jax.agreement.ceiling import noise_ceiling
from iqa_jax.agreement.correlation import agreement, fit_logistic
from iqa_jax.agreement.forced_choice import same_or_different, two_alternatives
from iqa_jax.agreement.intervals import BOOTSTRAP, JACKKNIFE, Method, correlation_intervals
from iqa_jax.backbones import Backbone, family
from iqa_jax.images.decode import decode_image
from iqa_jax.images.luminance import lightness
from iqa_jax.images.preprocess import IMAGENET
from iqa_jax.images.resize import Resize, resize_pixels
from iqa_jax.metrics.pixels import PIXEL_METRICS
from iqa_jax.metrics.protocols import DeepWSD
from iqa_jax.metrics.structural_similarity import viewed_gray_levels
from iqa_jax.readouts import READOUTS, LayerStatistics
from iqa_jax.readouts.statistics import STATISTICS
from iqa_jax.revisions import REVISIONS
from iqa_jax.zoo import load_backbone

FILE = Path(__file__).parent / "revisions.json"

TOLERANCE = 1e-5
"""Tolerance relative to the largest value in the row. In float32, two compilers differ by less than
1e-6; a changed formula makes a larger difference."""

ARCHITECTURES = (
    *("alexnet", "alexnet_bvlc", "alexnet_deepcluster", "vgg16_l2pool", "resnet18", "densenet121"),
    *("squeezenet1_1", "efficientnet_b0", "convnext_tiny", "clip_resnet50", "perceptnet"),
    *("vits16_augreg", "vits14_dinov2_reg4"),
)
"""The cheapest architecture of each family, and those with formulas of their own."""

_LAYERS = 7
"""Number of layers, from the first; deeper ones repeat them and take long to compile."""

_SIZE = (64, 65)
"""Smallest height and width at which all of these layers have positions; a transformer is shown
what remains of whole patches."""

Rows = list[list[float]]


def probe() -> dict[str, Rows]:
    """Values of everything that has a revision, in rows of numbers of similar magnitude."""
    parts = (
        *(_images(), _backbones(), _statistics(), _readouts(), _protocols(), _metrics()),
        _agreement(),
    )
    found = {name: rows for part in parts for name, rows in part.items()}
    return {
        name: [np.asarray(row, np.float64).tolist() for row in rows] for name, rows in found.items()
    }


def moved(now: Rows, before: Rows) -> bool:
    """Whether values differ by more than rounding."""
    if [len(row) for row in now] != [len(row) for row in before]:
        return True
    return not all(
        np.abs(np.subtract(row, old)).max() <= TOLERANCE * np.abs(old).max()
        for row, old in zip(now, before, strict=True)
    )


def complaints(revisions, values, stored) -> list[str]:
    """Complaints about stored values, one sentence per name; empty if there are none.

    Args:
      revisions: Revisions by name.
      values: Present result of :func:`probe`.
      stored: Stored ``revision`` and ``values`` by name.
    """
    remake = "run PYTHONPATH=tests python -m golden.make_revisions"
    found = [f"{name}: has no probe" for name in revisions.keys() - values.keys()]
    found += [f"{name}: has no revision" for name in values.keys() - revisions.keys()]
    found += [f"{name}: is no longer there; {remake}" for name in stored.keys() - revisions.keys()]
    for name in revisions.keys() & values.keys():
        then = stored.get(name)
        if then is None:
            found.append(f"{name}: is new; {remake}")
        elif then["revision"] != revisions[name]:
            found.append(f"{name}: has a new revision; {remake}")
        elif moved(values[name], then["values"]):
            found.append(
                f"{name}: its values have moved; if they are meant to, raise its revision in "
                f'iqa_jax/revisions.py, say why in CHANGELOG under "Scores changed", and {remake}'
            )
    return sorted(found)


def _pixels(height: int, width: int, seed: int) -> jax.Array:
    return jnp.asarray(draws.image(height, width, seed) / np.float32(255))


def _mean_and_spread(values) -> list[float]:
    array = np.asarray(values, np.float64)
    return [array.mean(), array.std(), *array.reshape(-1)[:: max(1, array.size // 5)][:5]]


def _images() -> dict[str, list]:
    image, pixels = draws.image(33, 40, seed=1), _pixels(33, 40, seed=1)
    deep = (image[..., 0].astype(np.uint16) << 8) + image[..., 1]
    with_alpha = np.concatenate([image, image[..., :1]], axis=-1)
    encoded = [Image.fromarray(each) for each in (image, image[..., 0], deep, with_alpha)]
    encoded.append(Image.fromarray(image).quantize(16))
    half = Resize("exact:33x20")  # only one axis, as the order of two depends on Pillow's version
    return {
        "images/decoding": [
            _mean_and_spread(decode_image(_png(each), "probe")) for each in encoded
        ],
        "images/resizing": [_mean_and_spread(half(image))],
        "images/resizing on the device": [
            _mean_and_spread(jax.jit(resize_pixels, static_argnums=1)(pixels, Resize("short:20")))
        ],
        "images/luminance": [_mean_and_spread(jax.jit(lightness)(pixels))],
        "images/preprocessing": [_mean_and_spread(IMAGENET(pixels))],
    }


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _backbones() -> dict[str, list]:
    rows: dict[str, list] = {}
    for architecture in ARCHITECTURES:
        backbone = load_backbone(f"{architecture}-random-none-seed0")
        of_family = rows.setdefault(f"backbone/{family(architecture)}", [])
        patch = backbone.network.multiple
        size = [length // patch * patch for length in _SIZE]
        of_family += _moments(backbone, _pixels(*size, seed=1)[None])
    return rows


@jax.jit
def _moments(backbone: Backbone, images: jax.Array) -> list[jax.Array]:
    """Mean, standard deviation and a mean without symmetries, for each of the first layers."""

    def of_layer(x: jax.Array) -> jax.Array:
        signs = jnp.cos(jnp.arange(x.size, dtype=jnp.float32) ** 2).reshape(x.shape)
        return jnp.stack([jnp.mean(x), jnp.std(x), jnp.mean(x * signs)])

    activations = backbone.activations(images)
    return [of_layer(activations[layer]) for layer in backbone.layers[:_LAYERS]]


def _pair() -> tuple[jax.Array, jax.Array]:
    """Activations with four channels, of two images."""
    reference, distorted = (
        jnp.asarray(np.concatenate([draws.image(7, 9, s), draws.image(7, 9, s + 9)], -1)[..., :4])
        for s in (1, 2)
    )
    scale = jnp.float32(1 / 100)
    return reference.astype(jnp.float32) * scale, distorted.astype(jnp.float32) * scale


def _statistics() -> dict[str, list]:
    return {f"statistic/{name}": [jax.jit(each)(*_pair())] for name, each in STATISTICS.items()}


def _readouts() -> dict[str, list]:
    weights = jnp.asarray([0.5, 1.0, 0.0, 2.0], jnp.float32)
    rows = {}
    for name, readout in READOUTS.items():
        values = {each: STATISTICS[each](*_pair()) for each in readout.statistics}
        alone = LayerStatistics(values, positions=63)
        of_dataset = 2 * readout.normalised_by(alone) + 1 if readout.normalised_by else None
        relevance = {0: None, 1: weights, 2: jnp.stack([weights, weights[::-1]])}[readout.terms]
        rows[f"readout/{name}"] = [
            [
                readout.combine(
                    [readout.summands(values, 63, relevance=each, normaliser=of_dataset)] * count
                )
                for each in (None, relevance)
                for count in (1, 2)
            ]
        ]
    return rows


def _protocols() -> dict[str, list]:
    protocol, sizes = DeepWSD(), ((33, 40), (514, 60), (385, 401), (90, 1300))
    shrunk = [protocol.shrink(_pixels(*size, seed=1)) for size in sizes]
    scores = [protocol.score(jnp.float32(3.5), *size) for size in sizes]
    return {"protocol/deepwsd": [*map(_mean_and_spread, shrunk), scores]}


def _metrics() -> dict[str, list]:
    names = [name for name in PIXEL_METRICS if f"metric/{name}" in REVISIONS]

    @jax.jit
    def scores(reference: jax.Array, distorted: jax.Array) -> list[jax.Array]:
        return [PIXEL_METRICS[name](reference, distorted) for name in names]

    reference = _pixels(161, 178, seed=1)
    found = scores(reference, 0.7 * reference + 0.3 * _pixels(161, 178, seed=2))
    rows = {f"metric/{name}": [[score]] for name, score in zip(names, found, strict=True)}
    rows["metric/ssim:matlab"].append(_mean_and_spread(viewed_gray_levels(_pixels(384, 385, 1))))
    return rows


def _agreement() -> dict[str, list]:
    distances = np.log1p(np.arange(24) * 7 % 25)
    scores = (np.arange(24) * 7 % 25 // 3 + np.arange(24) * 5 % 7).astype(float)
    found = agreement(distances, scores, higher_is_better=False, fit=False)
    fit = fit_logistic(distances, -scores)
    shares = np.arange(24) * 11 % 25 / 24
    shares[1::2] = 1 - shares[::2]
    choices = two_alternatives(distances, shares)
    differences = same_or_different(distances, shares)
    ceilings = noise_ceiling(scores, np.full(24, 0.5), np.full(24, 2.0))
    contents = [f"{number % 6}" for number in range(24)]
    intervals = {
        method: dataclasses.astuple(
            correlation_intervals(
                distances[:, None], scores, contents, higher_is_better=False, method=Method(method)
            )
        )
        for method in (JACKKNIFE, BOOTSTRAP)
    }
    return {
        "agreement/pearson": [[found.plcc]],
        "agreement/spearman": [[found.srcc]],
        "agreement/kendall": [[found.krcc]],
        "agreement/logistic": [[fit.plcc, fit.rmse]],
        "agreement/two alternatives": [[choices.score, choices.best, choices.observer]],
        "agreement/same or different": [[differences.score, differences.best]],
        "agreement/ceiling": [[*dataclasses.astuple(ceilings)[1:]]],
        **{
            f"agreement/{method}": [np.concatenate(ends).tolist()]
            for method, ends in intervals.items()
        },
    }


def main() -> None:
    """Writes the file, unless values changed without a new revision."""
    values = probe()
    before = json.loads(FILE.read_text()) if FILE.exists() else {}
    wrong = [text for text in complaints(REVISIONS, values, before) if "make_revisions" not in text]
    wrong += [text for text in complaints(REVISIONS, values, before) if "have moved" in text]
    if wrong:
        sys.exit("\n".join(wrong))
    lines = [
        f'  {json.dumps(name)}: {{"revision": {number}, "values": {_text(values[name])}}}'
        for name, number in REVISIONS.items()
    ]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _text(rows: Rows) -> str:
    return json.dumps([[float(f"{value:.8g}") for value in row] for row in rows])


if __name__ == "__main__":
    main()
