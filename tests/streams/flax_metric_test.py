import jax
import numpy as np
import optax
import orbax.checkpoint as ocp
import pytest
from flax import nnx
from streams.summaries import close

import iqa_jax
from iqa_jax.errors import InputError
from iqa_jax.streams.flax_metric import MetricWeight

NAMES = ("psnr", "lpips-alex")


@pytest.fixture
def batches(rng):
    """Two batches of four pairs, the last with two that do not count."""
    reference = rng.random((8, 64, 64, 3), np.float32)
    distorted = np.clip(reference + rng.normal(0, 0.1, reference.shape), 0, 1).astype(np.float32)
    mask = np.arange(8) < 6
    return [
        {"reference": reference[part], "distorted": distorted[part], "mask": mask[part]}
        for part in (slice(0, 4), slice(4, 8))
    ]


@pytest.fixture
def metric(checkpoints):
    return iqa_jax.StreamMetric(*NAMES, checkpoints_dir=checkpoints)


@pytest.fixture
def expected(batches, checkpoints):
    stream = iqa_jax.stream(*NAMES, checkpoints_dir=checkpoints)
    for batch in batches:
        stream = stream.update(**batch)
    return stream.compute()


def test_it_is_the_stream(metric, batches, expected):
    for batch in batches:
        metric.update(**batch)
    assert expected["psnr"].count == 6
    assert metric.compute() == expected


def test_reset_forgets_scores_and_keeps_weights(metric, batches, expected):
    metric.update(**batches[0])
    metric.reset()
    assert metric.compute()["psnr"].count == 0
    for batch in batches:
        metric.update(**batch)
    assert metric.compute() == expected


def test_in_a_compiled_step(metric, batches, expected):
    traces = []

    @nnx.jit
    def step(metric, batch):
        traces.append(1)
        metric.update(**batch)

    for batch in batches:
        step(metric, batch)
    assert len(traces) == 1
    close(metric.compute(), expected)


def test_split_and_merged(metric, batches, expected):
    metric.update(**batches[0])
    structure, totals, weights = nnx.split(metric, nnx.metrics.MetricState, MetricWeight)
    assert {leaf.shape for leaf in jax.tree.leaves(totals)} == {(len(NAMES),)}

    @jax.jit
    def step(totals, weights, batch):
        merged = nnx.merge(structure, totals, weights)
        merged.update(**batch)
        return nnx.state(merged, nnx.metrics.MetricState)

    nnx.update(metric, step(totals, weights, batches[1]))
    close(metric.compute(), expected)


def test_it_continues_from_a_checkpoint(metric, batches, expected, checkpoints, tmp_path):
    metric.update(**batches[0])
    state = nnx.state(metric, nnx.metrics.MetricState)
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "metric", nnx.to_pure_dict(state))
        checkpointer.wait_until_finished()
        found = checkpointer.restore(tmp_path / "metric", nnx.to_pure_dict(state))
    other = iqa_jax.StreamMetric(*NAMES, checkpoints_dir=checkpoints)
    restored = nnx.state(other, nnx.metrics.MetricState)
    nnx.replace_by_pure_dict(restored, found)
    nnx.update(other, restored)
    other.update(**batches[1])
    assert other.compute() == expected


def test_beside_other_metrics(batches):
    metrics = nnx.MultiMetric(quality=iqa_jax.StreamMetric("psnr"), loss=nnx.metrics.Average())
    with jax.numpy_dtype_promotion("standard"):  # for Average
        metrics.update(**batches[0], values=np.ones(4, np.float32))
        found = metrics.compute()
    assert found["quality"]["psnr"].count == 4
    assert found["loss"] == 1


def test_no_optimizer_of_parameters_trains_its_weights(metric):
    assert not jax.tree.leaves(nnx.state(metric, nnx.Param))
    optimizer = nnx.Optimizer(metric, optax.sgd(1.0), wrt=nnx.Param)
    assert not jax.tree.leaves(nnx.state(optimizer, nnx.optimizer.OptVariable))


def test_weights_are_not_copied_by_an_update(metric, batches):
    before = jax.tree.leaves(nnx.state(metric, MetricWeight))
    metric.update(**batches[0])
    for one, other in zip(before, jax.tree.leaves(nnx.state(metric, MetricWeight)), strict=True):
        assert one is other


def test_errors_are_those_of_the_stream(batches):
    with pytest.raises(InputError, match="at least one metric"):
        iqa_jax.StreamMetric()
    with pytest.raises(InputError, match=r"mask: expected bool \[4\]"):
        iqa_jax.StreamMetric("psnr").update(**batches[0] | {"mask": np.ones(3, bool)})
