import platform

import jax
import jax.numpy as jnp
import jaxlib.version
import numpy as np
import pytest
from jax.sharding import AxisType, PartitionSpec

from iqa_jax import compilation
from iqa_jax.compilation import compiled, compiler_options, convolution_library
from iqa_jax.zoo import load_backbone

ONEDNN = "__onednn$convolution"
HAS_ONEDNN = platform.machine() == "x86_64" and jaxlib.version.__version_info__ >= (0, 12)


def convolve(x, kernel):
    return jax.lax.conv_general_dilated(
        x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


SHAPES = [jax.ShapeDtypeStruct(shape, np.float32) for shape in ((1, 9, 9, 32), (3, 3, 32, 32))]


@pytest.fixture
def forgotten():
    """The choice of a library is made anew, and again after the test."""
    compilation._convolutions.cache_clear()
    yield
    compilation._convolutions.cache_clear()


def text_with(options):
    return jax.jit(convolve, compiler_options=options).lower(*SHAPES).compile().as_text()


def test_convolutions_on_a_cpu_are_those_of_the_fastest_library():
    text = text_with(compiler_options())
    assert convolution_library() == ("oneDNN" if HAS_ONEDNN else "Eigen")
    assert (ONEDNN in text) == HAS_ONEDNN
    assert ("convolution(" in text) == (not HAS_ONEDNN)
    assert "ynn" not in text


@pytest.mark.skipif(not HAS_ONEDNN, reason="needs jaxlib 0.12 or newer on x86-64")
def test_all_convolutions_of_a_network_go_to_onednn():
    alexnet = load_backbone("alexnet-random-none-seed0").with_layers("relu5")
    image = jax.ShapeDtypeStruct((1, 64, 80, 3), np.uint8)

    def last(backbone, image):
        return backbone.activations(image)["relu5"]

    lowered = jax.jit(last, compiler_options=compiler_options()).lower(alexnet, image)
    assert lowered.compile().as_text().count(ONEDNN) == 5


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_every_library_convolves_alike(dtype, rng):
    x, kernel = (jnp.asarray(rng.normal(size=each.shape), dtype) for each in SHAPES)
    ours = jax.jit(convolve, compiler_options=compiler_options())(x, kernel)
    xla = jax.jit(convolve)(x, kernel)
    assert ours.dtype == dtype
    largest_sum = float(jnp.max(convolve(jnp.abs(x), jnp.abs(kernel))))
    np.testing.assert_allclose(
        ours.astype(jnp.float32),
        xla.astype(jnp.float32),
        rtol=2 * float(jnp.finfo(dtype).eps),  # both are rounded at the end
        atol=2 * largest_sum * float(jnp.finfo(jnp.float32).eps),  # and sum in another order
    )


@pytest.mark.parametrize("name", ["ynn_fusion_type=individual_dot", "onednn_custom_call=false"])
def test_xla_flags_take_precedence(forgotten, monkeypatch, name):
    assert compiler_options()
    compilation._convolutions.cache_clear()
    monkeypatch.setenv("XLA_FLAGS", f"--xla_cpu_experimental_{name}")
    assert compiler_options() == {}
    assert convolution_library() == "YNNPACK"  # XLA has read its flags before


@pytest.mark.parametrize(
    "unknown", [{"xla_cpu_of_another_time": "true"}, {"xla_cpu_enable_fast_math": "neither"}]
)
def test_a_library_whose_options_are_unknown_is_left_out(forgotten, monkeypatch, unknown):
    eigen = compilation.LIBRARIES["Eigen"]
    known = {"oneDNN": unknown, "Eigen": eigen}
    monkeypatch.setattr(compilation, "LIBRARIES", known)
    assert convolution_library() == "Eigen"
    assert compiler_options() == eigen


def test_a_library_that_is_not_used_in_spite_of_its_options_is_left_out(forgotten, monkeypatch):
    monkeypatch.setattr(compilation, "LIBRARIES", {**compilation.LIBRARIES, "oneDNN": {}})
    assert convolution_library() == "Eigen"


def test_without_any_known_option_xla_chooses(forgotten, monkeypatch):
    unknown = {"xla_cpu_of_another_time": "true"}
    monkeypatch.setattr(compilation, "LIBRARIES", dict.fromkeys(compilation.LIBRARIES, unknown))
    assert compiler_options() == {}
    assert convolution_library() == "YNNPACK"


def test_accelerators_have_no_options():
    assert compiler_options("tpu") == {}
    assert convolution_library("tpu") == "XLA"


@pytest.fixture
def traces():
    return []


@pytest.fixture
def squares(traces):
    @compiled
    def squares(x):
        traces.append(x.shape)
        return jnp.sum(jnp.square(x), axis=-1)

    return squares


@pytest.fixture
def made(monkeypatch):
    """Whether each function that is compiled at the top has options."""
    compiler_options()  # compiles to find them
    found = []
    jit = jax.jit

    def spy(function, **settings):
        inner = jit(function, **settings)

        def call(*arguments):
            found.append(bool(settings.get("compiler_options")))
            return inner(*arguments)

        return call

    monkeypatch.setattr(jax, "jit", spy)
    return found


X = jnp.arange(3.0)


def test_options_are_set_where_nothing_is_traced(made):
    doubled = compiled(lambda x: 2 * x)
    doubled(X)
    jax.vmap(doubled)(X)
    jax.eval_shape(lambda: doubled(X))
    doubled(np.ones(3, np.float32))
    assert made == [True, False, False, True]


def sharded(function):
    mesh = jax.make_mesh((2,), ("rows",), axis_types=(AxisType.Auto,))
    rows = PartitionSpec("rows")
    return jax.shard_map(function, mesh=mesh, in_specs=rows, out_specs=rows)


@pytest.mark.parametrize(
    "around",
    [
        jax.jit,
        lambda f: jax.jit(jax.jit(f)),
        jax.vmap,
        lambda f: jax.jit(jax.vmap(f)),
        jax.checkpoint,
        sharded,
        lambda f: jax.jit(sharded(f)),
        lambda f: lambda rows: jax.lax.map(f, rows),
        lambda f: (
            lambda rows: jax.lax.scan(lambda total, row: (total + f(row), f(row)), 0.0, rows)[1]
        ),
        lambda f: lambda rows: jax.lax.cond(True, f, lambda x: 0.0 * f(x), rows),
        lambda f: lambda rows: jax.jvp(f, (rows,), (rows,))[0],
    ],
)
def test_inside_transformations(around, squares):
    rows = jnp.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(around(squares)(rows), jnp.sum(rows * rows, axis=-1))


def test_derivatives(squares):
    for gradient in (jax.grad(squares), jax.jit(jax.grad(squares)), jax.grad(jax.jit(squares))):
        np.testing.assert_array_equal(gradient(X), 2 * X)
    np.testing.assert_array_equal(jax.hessian(squares)(X), 2 * jnp.eye(3))


@pytest.mark.parametrize("around", [jax.jit, jax.grad, jax.vmap, lambda f: jax.jit(jax.grad(f))])
def test_constants_inside_transformations(around, squares):
    """No argument is traced, but the code around is."""
    y = jnp.ones(2) if around is jax.vmap else 1.0
    found = around(lambda x: x * squares(X))(y)
    np.testing.assert_array_equal(found, jnp.full_like(found, 5))


def test_is_traced_once_inside_and_outside_of_transformations(squares, traces):
    for function in (squares, jax.jit(squares), jax.grad(squares), squares):
        function(X)
    jax.vmap(squares)(jnp.ones((2, 3)))
    assert traces == [(3,)]


def test_keeps_its_name_and_takes_keywords(squares):
    assert squares.__name__ == "squares"
    assert squares(x=X) == 5


def test_moves_nothing_between_host_and_device(squares):
    squares(X)
    with jax.transfer_guard("disallow"):
        squares(X)
