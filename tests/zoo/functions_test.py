import json
import os
import subprocess
import sys

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


def test_a_file_is_run_once_for_a_backbone(file):
    runs = file.with_name("runs")
    file.write_text(f"{SOURCE}\nwith open({str(runs)!r}, 'a') as log: log.write('x')")
    outline = zoo.outline_backbone(f"{file}:edges", precision="high")
    backbone = zoo.fill_backbone(outline)
    assert backbone.precision == "high"
    assert backbone.layers == ("input", "across", "pyramid.0", "pyramid.1")
    assert runs.read_text() == "x"
    iqa_jax.load_backbone(f"{file}:edges")
    assert runs.read_text() == "xx"


def test_the_hash_is_that_of_the_file(file):
    before = iqa_jax.load_backbone(f"{file}:edges").sha256
    file.write_text(SOURCE + "# changed")
    assert iqa_jax.load_backbone(f"{file}:edges").sha256 != before


WITH_WEIGHTS = """
import pathlib
import jax
import jax.numpy as jnp
import numpy as np

w = np.load(pathlib.Path(__file__).parent / "w.npy")

@jax.jit
def jitted(images):
    return jax.nn.relu(images @ w)

def direct(images):
    return {"a": images @ w}

def inside(images):
    return {"a": jitted(images), "b": jax.lax.map(jitted, images)}

def back(images):
    out = jax.ShapeDtypeStruct((*images.shape[:3], w.shape[1]), np.float32)
    return {"a": jax.pure_callback(lambda x: np.asarray(x) @ w, out, images)}

def number(images):
    return {"a": images * float(w[0, 0])}

def key(images):
    return {"a": images + jax.random.uniform(jax.random.key(int(w[0, 0])), images.shape)}
"""


@pytest.mark.parametrize("function", ["direct", "inside", "back", "number", "key"])
def test_the_hash_is_that_of_the_weights_too(tmp_path, function):
    path = tmp_path / "my.py"
    path.write_text(WITH_WEIGHTS)
    weights = np.ones((3, 5 if function == "back" else 2000), np.float32)
    hashes = []
    for value in (1, 1, 2):
        weights[0, 0] = value
        np.save(tmp_path / "w.npy", weights)
        hashes.append(iqa_jax.load_backbone(f"{path}:{function}").sha256)
    assert hashes[0] == hashes[1] != hashes[2]
    if function in ("direct", "inside", "back"):
        weights[1, len(weights[1]) // 2] += 1e-3  # where the text of an array has dots
        np.save(tmp_path / "w.npy", weights)
        assert iqa_jax.load_backbone(f"{path}:{function}").sha256 != hashes[2]


def test_the_hash_of_a_function_in_memory():
    def scaled(weights):
        return lambda images: {"a": images @ weights}

    one, same, other = (
        iqa_jax.load_backbone(scaled(np.full((3, 4), value, np.float32))).sha256
        for value in (1, 1, 2)
    )
    assert one == same != other
    assert len(one) == 64
    renamed = iqa_jax.load_backbone(lambda x: {"b": x @ np.full((3, 4), 1, np.float32)}).sha256
    assert renamed != one


_HASHES = """
import sys
from iqa_jax import load_backbone
print(*[load_backbone(f"{sys.argv[1]}:{name}").sha256 for name in sys.argv[2:]])
"""


def test_the_hash_is_the_same_in_every_process(tmp_path):
    path = tmp_path / "my.py"
    path.write_text(WITH_WEIGHTS)
    np.save(tmp_path / "w.npy", np.ones((3, 5), np.float32))
    names = ["inside", "back", "key"]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "XLA_FLAGS": ""}
    command = [sys.executable, "-c", _HASHES, path, *names]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    here = [iqa_jax.load_backbone(f"{path}:{name}").sha256 for name in names]
    assert done.stdout.split() == here


POSTPONED = """
from __future__ import annotations
from dataclasses import dataclass
import typing

@dataclass
class Scale:
    factor: float = 2.0
    kind: typing.ClassVar[str] = "a"

def scaled(images):
    @dataclass
    class Later:
        factor: typing.ClassVar[float] = 3.0
    return {"a": Scale().factor * Later.factor * images}
"""


def test_files_with_dataclasses_whose_annotations_are_postponed(tmp_path):
    before = set(sys.modules)
    # The second is called like a module of the library.
    for name, factor in (("with_dataclasses.py", 2.0), ("json.py", 4.0)):
        path = tmp_path / name
        path.write_text(POSTPONED.replace("2.0", str(factor)))
        backbone = iqa_jax.load_backbone(f"{path}:scaled")
        found = backbone(np.full((1, 4, 4, 3), 255, np.uint8))["a"]
        np.testing.assert_allclose(found, np.full((1, 4, 4, 3), 3 * factor), rtol=1e-6)
    assert not {name for name in set(sys.modules) - before if "json" in name or "with_" in name}
    assert sys.modules["json"] is json


def test_files_that_import_what_lies_beside_them_say_what_to_do(file):
    (file.parent / "beside_my.py").write_text("x = 1")
    file.write_text("import beside_my")
    with pytest.raises(InputError, match=rf"No module named 'beside_my'.*PYTHONPATH={file.parent}"):
        iqa_jax.load_backbone(f"{file}:edges")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("no.py:f", "there is no file no.py"),
        ("{file}:missing", "has no function missing"),
        ("{file}:something", "has no function something"),
        ("{file}:wrong", r"expected|must return a dict .* got a: \(\)"),
    ],
)
def test_complaints(name, complaint, file):
    with pytest.raises(InputError, match=complaint):
        zoo.model_layers(name.format(file=file))


def test_a_file_that_fails_is_named(file):
    file.write_text("import no_such_module")
    with pytest.raises(InputError, match=r"my.py: fails with No module named 'no_such_module'$"):
        iqa_jax.load_backbone(f"{file}:edges")


def test_a_function_must_not_call_a_layer_input():
    with pytest.raises(InputError, match="must not return a layer called input"):
        iqa_jax.load_backbone(lambda x: {"input": 3 * x})


def test_a_function_must_return_activations():
    with pytest.raises(InputError, match="must return a dict"):
        iqa_jax.load_backbone(jnp.mean)
