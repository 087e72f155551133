"""DISTS (Ding et al. 2020, arXiv 2004.07728): a read-out of a VGG-16 with L2 poolings."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from etils import epath
from metrics import computed

import iqa_jax
from iqa_jax import zoo
from iqa_jax.errors import InputError
from iqa_jax.images.decode import decode_image
from iqa_jax.images.preprocess import unit_range
from iqa_jax.images.resize import resize_pixels
from iqa_jax.images.sources import ImageFolder
from iqa_jax.metrics import parse_metric
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.readouts import ReadoutName
from iqa_jax.weights import checkpoints as stored

MODEL = "vgg16-supervised-imagenet1k-l2pool"
LAYERS = ("input", "relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
EQUAL = f"{MODEL}/{'+'.join(LAYERS)}/structure_texture"
DRAWN = f"{EQUAL}@drawn"
SHALLOW = f"{MODEL}/input+relu1_2/structure_texture"
"""What an image is shrunk to is seen in any layer; the first are fast on large images."""
OFFICIAL = {"I03": 0.4742, "I04": 0.1424, "I06": 0.06825}
"""Published by the metric's authors for three pairs of TID2013, native size, as printed."""


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """The backbone, relevances of the two kinds with drawn weights, nothing downloaded."""
    directory = epath.Path(tmp_path_factory.mktemp("checkpoints"))
    next(zoo.fetch_each([MODEL], checkpoints_dir=directory))  # the backbone before its relevance
    channels = zoo.load_backbone(MODEL, checkpoints_dir=directory).channels
    rng = np.random.default_rng(0)
    for name, terms in (("drawn", (2,)), ("single", ())):
        weights = {
            layer: rng.uniform(size=(*terms, channels[layer])).astype(np.float32)
            for layer in LAYERS
        }
        stored.save(directory, name, weights, {"kind": "relevance", "model": MODEL})
    return directory


@pytest.fixture(scope="module", params=[DRAWN, EQUAL], ids=["drawn", "equal"])
def metric(request, checkpoints):
    return iqa_jax.load_metric(request.param, checkpoints_dir=checkpoints)


@pytest.fixture
def pair(rng):
    reference = rng.integers(0, 256, (3, 33, 49, 3)).astype(np.uint8)
    noise = rng.normal(0, 25, reference.shape)
    return reference, np.clip(reference + noise, 0, 255).astype(np.uint8)


def test_official_values(checkpoints, test_data):
    path = test_data / "weights" / "dists" / "weights.pt"
    zoo.fetch(MODEL, source=str(path), checkpoints_dir=checkpoints)
    metric = iqa_jax.load_metric(f"{EQUAL}@dists", checkpoints_dir=checkpoints)
    folder = ImageFolder(epath.Path(test_data / "tid2013_pairs"))
    for image, official in OFFICIAL.items():
        reference, distorted = (
            decode_image(folder.read(f"{kind}/{image}.bmp"), image)[None]
            for kind in ("ref", "dist")
        )
        digits = 5 if image == "I06" else 4
        # Half a unit of the last printed digit, and float32.
        tolerance = 0.5 * 10**-digits + 1e-6
        assert abs(float(metric(reference, distorted)[0]) - official) < tolerance, image


def test_agrees_with_plain_numpy(checkpoints, pair):
    function = computed.load(DRAWN, EQUAL, checkpoints_dir=checkpoints)
    reference, distorted = (x[0] for x in pair)
    found = computed.versions(function, reference, distorted[None])
    features = (
        oracle.vgg16(x, function.backbone.parameters, oracle.l2_pool)
        for x in (reference, distorted)
    )
    r, d = ([each[layer] for layer in LAYERS] for each in features)
    (drawn,) = function.relevances
    weights = [np.asarray(drawn.weights[layer]) for layer in LAYERS]
    expected = {
        DRAWN: oracle.structure_texture(r, d, weights),
        EQUAL: oracle.structure_texture(r, d),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], [value], rtol=1e-5, err_msg=name)


def test_shape_and_identity(metric, pair):
    reference, distorted = pair
    distance = metric(reference, distorted)
    assert distance.shape == (3,)
    assert distance.dtype == jnp.float32
    assert (distance > 0).all()
    assert (metric(reference, reference) == 0).all()
    black = np.zeros_like(reference)
    assert (metric(black, black) == 0).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (65, 97)])
@pytest.mark.parametrize("precision", ["highest", "bf16"])
def test_identical_images_are_at_no_distance_at_any_layer(size, precision, checkpoints, rng):
    layers = zoo.model_layers(MODEL)
    names = [f"{MODEL}/{x}/{r}" for x in layers for r in ("l2", "structure_texture")]
    function = computed.load(*names, checkpoints_dir=checkpoints, precision=precision)
    reference = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
    distorted = np.stack([reference, 255 - reference, reference])
    found = computed.versions(function, reference, distorted)
    assert {name for name, values in found.items() if values[0] != 0 or values[2] != 0} == set()
    assert all(np.isfinite(values).all() for values in found.values())


@pytest.mark.parametrize("size", [(300, 420), (256, 301), (120, 300)])
def test_images_are_shrunk_first_as_in_the_paper(size, checkpoints, rng):
    protocol = parse_metric("dists:resize256").protocol
    name = ReadoutName.parse(SHALLOW)
    outline = FeatureScores.outline([name], checkpoints_dir=checkpoints, protocol=protocol)
    shrinking = outline.fill(checkpoints_dir=checkpoints)
    assert shrinking.signature["protocol_resize"] == {"text": "short:256", "only_larger": True}
    images = rng.integers(0, 256, (2, 1, *size, 3)).astype(np.uint8)
    found = computed.pairs(shrinking, *images)[SHALLOW]
    least = min(256, *size)
    shrunk = [np.asarray(resize_pixels(unit_range(image), protocol.resize)) for image in images]
    assert min(shrunk[0].shape[1:3]) == least
    native = iqa_jax.load_metric(SHALLOW, checkpoints_dir=checkpoints)
    np.testing.assert_allclose(found, native(*shrunk), rtol=1e-5)
    unlike = native(*images)
    assert np.allclose(found, unlike, rtol=1e-5) == (min(size) <= 256)


def test_symmetry_and_batch_independence(metric, pair):
    reference, distorted = pair
    together = metric(reference, distorted)
    np.testing.assert_allclose(metric(distorted, reference), together, rtol=1e-5)
    alone = [metric(reference[i : i + 1], distorted[i : i + 1])[0] for i in range(3)]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_jit_and_vmap_equal_eager(metric, pair):
    eager = metric(*pair)
    compiled = jax.jit(lambda metric, r, d: metric(r, d))(metric, *pair)
    np.testing.assert_allclose(compiled, eager, rtol=1e-5)
    mapped = jax.vmap(lambda r, d: metric(r[None], d[None]))(*pair)[:, 0]
    np.testing.assert_allclose(mapped, eager, rtol=1e-5)


def test_gradient_is_finite_at_identical_and_black_images(metric, pair):
    noise = jnp.asarray(pair[0][:1], jnp.float32) / jnp.float32(255)
    gradients = jax.jit(jax.grad(lambda metric, r, d: metric(r, d).sum(), argnums=(1, 2)))
    black = jnp.zeros_like(noise)
    for reference, distorted in ((noise, noise), (black, black), (black, noise)):
        assert all(np.isfinite(each).all() for each in gradients(metric, reference, distorted))


def test_a_relevance_is_for_one_kind_of_read_out(checkpoints):
    with pytest.raises(InputError, match=r"unit takes 1 weight.* the relevance drawn has 2"):
        iqa_jax.load_metric(f"{MODEL}/relu1_2/unit@drawn", checkpoints_dir=checkpoints)
    with pytest.raises(InputError, match=r"structure_texture takes 2 .* relevance single has 1"):
        iqa_jax.load_metric(f"{EQUAL}@single", checkpoints_dir=checkpoints)
