import jax.numpy as jnp
import numpy as np
import pytest

import iqa_jax
from iqa_jax import zoo
from iqa_jax.errors import InputError

SOURCE = """
import jax.numpy as jnp

def edges(images):
    across = images[:, :, 1:] - images[:, :, :-1]
    return {"across": across, "pyramid.0": across[:, ::2], "pyramid.1": across[:, ::4]}

def wrong(images):
    return {"a": images.mean()}

something = 3
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my.py"
    path.write_text(SOURCE)
    return path


def test_a_function_is_a_backbone(rng):
    images = rng.integers(0, 256, (2, 9, 8, 3)).astype(np.uint8)
    backbone = iqa_jax.load_backbone(lambda x: {"twice": 2 * x, "half": x[:, ::2, ::2]})
    assert backbone.layers == ("input", "twice", "half")
    assert backbone.channels == {"input": 3, "twice": 3, "half": 3}
    np.testing.assert_allclose(backbone(images)["twice"], images * (2 / 255), rtol=1e-6)


def test_a_function_in_a_file_is_a_backbone(file, rng):
    name = f"{file}:edges"
    images = rng.integers(0, 256, (2, 40, 30, 3)).astype(np.uint8)
    backbone = iqa_jax.load_backbone(name)
    assert (
        zoo.model_layers(name) == backbone.layers == ("input", "across", "pyramid.0", "pyramid.1")
    )
    metric = iqa_jax.load_metric(f"{name}/across+pyramid/l2")
    other = images[::-1]
    across = np.diff(images / 255, axis=2) - np.diff(other / 255, axis=2)
    expected = np.sqrt((across**2).sum((1, 2, 3)) + (across[:, ::4] ** 2).sum((1, 2, 3)))
    np.testing.assert_allclose(metric(images, other), expected, rtol=1e-5)


def test_the_hash_is_that_of_the_file(file):
    before = iqa_jax.load_backbone(f"{file}:edges").sha256
    file.write_text(SOURCE + "# changed")
    assert iqa_jax.load_backbone(f"{file}:edges").sha256 != before


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("no.py:f", "there is no file no.py"),
        ("{file}:missing", "has no function missing"),
        ("{file}:something", "has no function something"),
        ("{file}:wrong", r"expected|has to return a dict .* got a: \(\)"),
    ],
)
def test_complaints(name, complaint, file):
    with pytest.raises(InputError, match=complaint):
        zoo.model_layers(name.format(file=file))


def test_a_file_that_fails_is_named(file):
    file.write_text("import no_such_module")
    with pytest.raises(InputError, match=r"my.py: fails with ModuleNotFoundError: .*no_such"):
        iqa_jax.load_backbone(f"{file}:edges")


def test_a_function_has_to_return_activations():
    backbone = iqa_jax.load_backbone(jnp.mean)
    with pytest.raises(InputError, match="has to return a dict"):
        backbone(np.zeros((1, 8, 8, 3), np.uint8))
