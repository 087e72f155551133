import numpy as np
import pytest

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.conversion import convert
from iqa_jax.zoo import flax_layout

ATTENTION = "Transformer/encoderblock_0/MultiHeadDotProductAttention_1"


@pytest.fixture
def parts(rng):
    """Kernels [C, heads, channels] and biases [heads, channels]."""
    return {
        f"{ATTENTION}/{part}/{leaf}": rng.normal(size=(6, 2, 3)[leaf == "bias" :])
        for part in ("query", "key", "value")
        for leaf in ("kernel", "bias")
    }


def test_queries_keys_and_values_are_joined_in_this_order(parts, rng):
    found = flax_layout.rearrange(dict(reversed(parts.items())))
    assert set(found) == {f"{ATTENTION}/qkv/kernel", f"{ATTENTION}/qkv/bias"}
    x = rng.normal(size=(4, 6))
    joined = x @ found[f"{ATTENTION}/qkv/kernel"] + found[f"{ATTENTION}/qkv/bias"]
    for part, values in zip(("query", "key", "value"), np.split(joined, 3, axis=1), strict=True):
        kernel, bias = (parts[f"{ATTENTION}/{part}/{leaf}"] for leaf in ("kernel", "bias"))
        expected = np.einsum("nc,chd->nhd", x, kernel) + bias
        np.testing.assert_allclose(values.reshape(4, 2, 3), expected)


def test_stacked_blocks_are_separated(rng):
    stacked = rng.normal(size=(3, 5))
    found = flax_layout.rearrange(
        {"params/img/Transformer/encoderblock/LayerNorm_0/scale": stacked, "params/t": stacked[0]}
    )
    for number in range(3):
        name = f"params/img/Transformer/encoderblock_{number}/LayerNorm_0/scale"
        np.testing.assert_array_equal(found.pop(name), stacked[number])
    assert set(found) == {"params/t"}


def test_an_incomplete_attention_is_refused(parts):
    del parts[f"{ATTENTION}/key/kernel"]
    arrays = flax_layout.rearrange(parts)
    assert f"{ATTENTION}/qkv/bias" in arrays
    target = {"blocks.0.attn.qkv.kernel": np.zeros((6, 18)), "blocks.0.attn.qkv.bias": np.zeros(18)}
    with pytest.raises(CheckpointError) as error:
        convert(arrays, target, flax_layout.RENAMES, flax_layout.IGNORED)
    assert "query/kernel" in str(error.value)
    assert "blocks.0.attn.qkv.kernel: is not in the checkpoint" in str(error.value)


def test_parts_of_other_shapes_are_refused(parts, rng):
    parts[f"{ATTENTION}/key/kernel"] = rng.normal(size=(5, 2, 3))
    with pytest.raises(ValueError, match="match"):
        flax_layout.rearrange(parts)
    for wrong in (np.float32(1), np.zeros(3)):
        kept = flax_layout.rearrange({f"{ATTENTION}/key/kernel": wrong})
        assert list(kept) == [f"{ATTENTION}/key/kernel"]
    assert list(flax_layout.rearrange({"Transformer/encoderblock/scale": np.float32(1)}))
