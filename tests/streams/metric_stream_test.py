import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from streams.summaries import close

import iqa_jax
from iqa_jax.errors import InputError
from iqa_jax.images.resize import Resize
from iqa_jax.metrics import Metric
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.metrics.pixels import PixelScores
from iqa_jax.metrics.protocols import Protocol
from iqa_jax.readouts import ReadoutName

NAMES = ("psnr", "ssim", "lpips-alex", "alexnet/relu3/l2", "ssim:wang2004")


@pytest.fixture(scope="module")
def stream(checkpoints):
    return iqa_jax.stream(*NAMES, checkpoints_dir=checkpoints)


@pytest.fixture(scope="module")
def pairs():
    """Sixteen pairs of 64x72 pixels in [0, 1]."""
    rng = np.random.default_rng(5)
    reference = rng.integers(0, 256, (16, 64, 72, 3)).astype(np.float32) / 255
    noise = rng.normal(0, 0.1, reference.shape).astype(np.float32)
    return reference, np.clip(reference + noise, 0, 1)


def scores_of(name, pairs, checkpoints):
    return np.asarray(iqa_jax.load_metric(name, checkpoints_dir=checkpoints)(*pairs))


def same(one, other):
    for expected, got in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", NAMES)
def test_one_batch_is_the_mean_of_the_metric(name, stream, pairs, checkpoints):
    scores = scores_of(name, pairs, checkpoints).astype(np.float64)
    summary = stream.update(*pairs).compute()[name]
    assert summary.mean == pytest.approx(scores.mean(), rel=1e-9)
    assert summary.standard_error == pytest.approx(scores.std(ddof=1) / 4, rel=1e-6)
    assert (summary.count, summary.nan_count) == (16, 0)


@pytest.mark.parametrize("name", ["psnr", "ssim", "lpips-alex"])
def test_a_pair_has_the_score_of_the_metric_to_the_bit(name, pairs, checkpoints):
    """Also of a batch of which the rest is masked."""
    scores = scores_of(name, pairs, checkpoints)
    stream = iqa_jax.stream(name, checkpoints_dir=checkpoints)
    for place in range(0, 16, 5):
        summary = stream.update(*pairs, mask=np.arange(16) == place).compute()[name]
        assert summary.mean == scores[place]


@pytest.mark.parametrize("fill", [0.0, np.nan, np.inf, -7.0, 1e30])
def test_what_fills_a_batch_changes_no_bit(fill, stream, pairs):
    mask = np.arange(16) < 11
    filled = [np.where(mask[:, None, None, None], each, np.float32(fill)) for each in pairs]
    expected = stream.update(*pairs, mask=mask)
    same(expected.totals, stream.update(*filled, mask=mask).totals)
    assert expected.compute()["psnr"].count == 11


def test_batches_are_the_whole(stream, pairs):
    whole = stream.update(*pairs).compute()
    mask = np.array([True, True, False, False, False, False])
    padded = [np.concatenate([each[14:], each[:4]]) for each in pairs]
    parts = stream.update(*(each[:8] for each in pairs)).update(*(each[8:14] for each in pairs))
    parts = parts.update(*padded, mask=mask).compute()
    close(parts, whole)


def test_merging_is_adding_batches(stream, pairs):
    first, second = ([each[part] for each in pairs] for part in (slice(0, 8), slice(8, 16)))
    same(
        stream.update(*first).update(*second).totals,
        stream.update(*first).merge(stream.update(*second)).totals,
    )


def test_pairs_with_a_nan_are_counted_and_left_out(stream, pairs):
    reference, distorted = (each.copy() for each in pairs)
    distorted[3, 0, 0, 0] = np.nan
    reference[5, 1, 1, 1] = np.inf
    found = stream.update(reference, distorted).compute()
    expected = stream.update(*pairs, mask=~np.isin(np.arange(16), [3, 5])).compute()
    for name, summary in found.items():
        assert (summary.count, summary.nan_count) == (14, 2)
        assert summary.mean == pytest.approx(expected[name].mean, rel=1e-6)


def test_a_stream_does_not_change(stream, pairs):
    updated = stream.update(*pairs)
    assert stream.compute()["psnr"].count == 0
    assert updated.compute()["psnr"].count == 16
    assert updated.empty().compute()["psnr"].count == 0


def test_bytes_are_the_same_as_numbers(stream, pairs):
    as_bytes = [np.round(each * 255).astype(np.uint8) for each in pairs]
    found = stream.update(*as_bytes).compute()
    expected = stream.update(*(each / np.float32(255) for each in as_bytes)).compute()
    close(found, expected)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_other_floating_point_types_are_those_of_the_metric(dtype, pairs, checkpoints):
    images = [
        jnp.asarray(each).astype(dtype) if dtype == "bfloat16" else each.astype(dtype)
        for each in pairs
    ]
    scores = scores_of("lpips-alex", images, checkpoints).astype(np.float64)
    stream = iqa_jax.stream("lpips-alex", checkpoints_dir=checkpoints)
    mask = np.arange(16) < 9
    step = jax.jit(lambda stream, *images: stream.update(*images, mask=mask).totals)
    for found in (stream.update(*images, mask=mask), stream.replace_totals(step(stream, *images))):
        assert found.compute()["lpips-alex"].mean == pytest.approx(scores[:9].mean(), rel=1e-5)


def test_in_a_compiled_step(stream, pairs):
    steps = []

    @jax.jit
    def step(stream, reference, distorted, mask):
        steps.append(1)
        return stream.update(reference, distorted, mask=mask).totals

    mask = np.arange(16) < 13
    found = stream
    for _ in range(3):
        found = found.replace_totals(step(found, *pairs, mask))
    assert len(steps) == step._cache_size() == 1
    expected = stream.update(*pairs, mask=mask).update(*pairs, mask=mask).update(*pairs, mask=mask)
    close(found.compute(), expected.compute())


def test_a_compiled_step_has_the_scores_of_the_compiled_metric_to_the_bit(pairs, checkpoints):
    metric = iqa_jax.load_metric("lpips-alex", checkpoints_dir=checkpoints)
    scores = jax.jit(lambda metric, *images: metric(*images))(metric, *pairs)
    step = jax.jit(lambda stream, *images, mask: stream.update(*images, mask=mask).totals)
    for place in (0, 7):
        totals = step(iqa_jax.stream(metric), *pairs, mask=np.arange(16) == place)
        assert totals.mean[0] == scores[place]


def test_weights_are_not_copied(stream, pairs):
    updated = stream.update(*pairs)
    for before, after in zip(
        jax.tree.leaves(stream.functions), jax.tree.leaves(updated.functions), strict=True
    ):
        assert after is before


def test_an_update_is_traced_once(pairs, monkeypatch):
    traced = []
    prepare = PixelScores.prepare
    monkeypatch.setattr(
        PixelScores, "prepare", lambda self, image: traced.append(1) or prepare(self, image)
    )
    stream = iqa_jax.stream("ssim:rgb")
    for count in (16, 12, 1):
        stream = stream.update(*pairs, mask=np.arange(16) < count)
    stream.empty().update(*pairs)
    assert len(traced) == 2  # a reference and a distorted image


def test_a_stream_returned_by_a_compiled_step_keeps_its_names(pairs):
    step = jax.jit(lambda stream, *images: stream.update(*images), donate_argnums=0)
    for name in ("ssim", "ssim:wang2004"):
        assert step(iqa_jax.stream(name), *pairs).compute()[name].count == 16


def test_in_a_scan(pairs):
    batches = [each.reshape(4, 4, *each.shape[1:]) for each in pairs]
    stream = iqa_jax.stream("psnr")

    def step(totals, batch):
        return stream.replace_totals(totals).update(*batch).totals, None

    totals, _ = jax.lax.scan(step, stream.totals, tuple(batches))
    close(stream.replace_totals(totals).compute(), stream.update(*pairs).compute())


@pytest.fixture(scope="module")
def mesh():
    return jax.make_mesh((8,), ("devices",), axis_types=(AxisType.Auto,))


def test_on_eight_devices(stream, pairs, mesh):
    """Totals of all devices are joined; what was there before is counted once."""
    rows, all_of_it = PartitionSpec("devices"), PartitionSpec()

    @jax.jit
    @jax.shard_map(mesh=mesh, in_specs=(all_of_it, rows, rows, rows), out_specs=all_of_it)
    def step(stream, reference, distorted, mask):
        batch = stream.empty().update(reference, distorted, mask=mask).psum("devices")
        return stream.merge(batch).totals

    mask = np.arange(16) < 13  # one device has half of its pairs, one has none
    found = jax.device_put(stream, NamedSharding(mesh, all_of_it))
    for shown in (mask, np.ones(16, bool)):
        found = found.replace_totals(step(found, *pairs, shown))
    assert step._cache_size() == 1
    expected = stream.update(*pairs, mask=mask).update(*pairs).compute()
    assert expected["psnr"].count == 29
    close(found.compute(), expected)


def test_on_images_that_are_spread_over_the_devices(stream, pairs, mesh):
    rows = NamedSharding(mesh, PartitionSpec("devices"))
    spread = [jax.device_put(each, rows) for each in pairs]
    replicated = jax.device_put(stream, NamedSharding(mesh, PartitionSpec()))
    found = replicated.update(*spread).compute()
    expected = stream.update(*pairs).compute()
    close(found, expected)


def test_one_process_has_nothing_to_join(stream, pairs):
    updated = stream.update(*pairs)
    assert updated.merge_processes() is updated


def test_images_are_resized_first_where_the_metric_says_so(alexnet, pairs):
    readout = ReadoutName.parse("alexnet/relu3/l2")
    metrics = [
        Metric(FeatureScores.of(alexnet, [readout], protocol=protocol), name)
        for name, protocol in (("native", None), ("resized", Protocol(Resize("short:48"))))
    ]
    found = iqa_jax.stream(*metrics).update(*pairs).compute()
    for metric in metrics:
        mean = np.asarray(metric(*pairs)).mean(dtype=np.float64)
        assert found[metric.name].mean == pytest.approx(mean, rel=1e-9)
    assert found["native"].mean != pytest.approx(found["resized"].mean, rel=0.01)


@pytest.mark.parametrize("shape", [(15,), (16, 1), ()])
def test_a_mask_of_another_shape_is_refused(shape, pairs):
    with pytest.raises(InputError, match=r"mask: expected bool \[16\], one value for each pair"):
        iqa_jax.stream("psnr").update(*pairs, mask=np.ones(shape, bool))


def test_a_mask_of_numbers_is_refused(pairs):
    with pytest.raises(InputError, match=r"mask: expected bool \[16\].*, got float32 \[16\]"):
        iqa_jax.stream("psnr").update(*pairs, mask=np.ones(16, np.float32))


def test_images_are_checked_as_by_the_metric(pairs):
    reference, distorted = pairs
    stream = iqa_jax.stream("ms-ssim")
    with pytest.raises(InputError, match="reference and distorted: expected the same shape"):
        stream.update(reference, distorted[:3])
    with pytest.raises(
        InputError, match=r"distorted: expected .* in \[0, 1\], found values from 0 to 255"
    ):
        stream.update(reference, distorted * 255)
    with pytest.raises(InputError, match=r"distorted: expected .* \[batch, height, width, 3\]"):
        stream.update(reference, distorted[0])
    with pytest.raises(InputError, match="ms-ssim:wang2003: expected images of at least 161x161"):
        stream.update(reference, distorted)
    with pytest.raises(InputError, match="reference: expected an array"):
        stream.update("a.png", distorted)


def test_other_metrics_are_not_merged():
    with pytest.raises(InputError, match="expected a stream of psnr, ssim, got one of psnr"):
        iqa_jax.stream("psnr", "ssim").merge(iqa_jax.stream("psnr"))


def test_compute_is_for_the_host(pairs):
    stream = iqa_jax.stream("psnr").update(*pairs)
    with pytest.raises(InputError, match="outside of jit"):
        jax.jit(lambda stream: stream.compute())(stream)
    mean = jax.jit(lambda stream: stream.totals.mean)(stream)
    assert mean[0] == pytest.approx(stream.compute()["psnr"].mean, rel=1e-6)
