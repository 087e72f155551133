import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, PartitionSpec

from iqa_jax import compilation
from iqa_jax.compilation import compiled, compiler_options


def convolve(x, kernel):
    return jax.lax.conv_general_dilated(
        x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


SHAPES = [jax.ShapeDtypeStruct(shape, np.float32) for shape in ((1, 9, 9, 32), (3, 3, 32, 32))]


def test_convolutions_on_a_cpu_are_those_of_the_faster_library():
    program = jax.jit(convolve, compiler_options=compiler_options())
    text = program.lower(*SHAPES).compile().as_text()
    assert "convolution(" in text
    assert "ynn" not in text


def test_the_options_of_a_cpu_are_for_cpus_alone():
    assert compiler_options("cpu") == compiler_options() != {}
    assert compiler_options("tpu") == compiler_options("gpu") == {}


def test_xla_flags_take_precedence(monkeypatch):
    choose = compiler_options.__wrapped__
    assert choose()
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_experimental_ynn_fusion_type=individual_dot")
    assert choose() == {}


def test_options_that_xla_does_not_know_are_left_out(monkeypatch):
    monkeypatch.setattr(compilation, "_EIGEN", {"xla_cpu_of_another_time": "true"})
    assert compiler_options.__wrapped__() == {}


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
