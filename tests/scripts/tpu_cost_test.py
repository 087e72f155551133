"""What the TPU compiler expects of our step, without a TPU."""

import csv
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from benchmarks.costing.chips import chip_of
from benchmarks.costing.hlo import charges
from benchmarks.costing.matrix_work import matrix_operations
from benchmarks.costing.outlines import outline_metric, outline_readouts

from iqa_jax.errors import InputError
from iqa_jax.metrics import parse_metric
from iqa_jax.readouts import ReadoutName

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "scripts" / "benchmarks" / "tpu_cost.py"


def run(folder, *flags):
    """The tool in a process of its own, with libtpu in a folder."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "XLA_FLAGS": ""}
    command = [sys.executable, str(TOOL), *flags]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


@pytest.mark.slow
def test_alexnet_on_a_v5e(tmp_path):
    """LPIPS in bfloat16, 512x384; a v5e has 16 GB."""
    folder = os.environ.get("IQA_JAX_LIBTPU")
    if not folder:
        pytest.skip("IQA_JAX_LIBTPU is not set: no TPU compiler")
    table = tmp_path / "cost.csv"
    flags = "--metrics=lpips-alex", "--precision=bf16", "--sizes=512x384", f"--output={table}"
    done = run(folder, *flags)
    assert done.returncode == 0, done.stderr
    with table.open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["matrix_limit"]) == pytest.approx(41.4, rel=0.01)
    assert float(row["matrix_limit"]) < float(row["kilocycles_per_image"]) < 250
    assert 1 < float(row["memory_bound"]) < 100
    assert float(row["temp_gib"]) < 1
    assert (row["units"], row["versions"]) == ("16", "8")
    assert "conv_general_dilated" in done.stdout
    again = run(folder, *flags)
    assert (again.returncode, again.stdout) == (0, "")
    assert len(table.read_text().splitlines()) == 2


@pytest.fixture
def tool(monkeypatch):
    """The tool as a module, where no libtpu is installed."""
    monkeypatch.syspath_prepend(str(TOOL.parent))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    import tpu_cost

    return tpu_cost


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({}, "expected --metrics or --models"),
        ({"sizes": ("512",)}, "expected WIDTHxHEIGHT, got '512'"),
        ({"topology": "v9:2x2"}, "expected v5e, v5p, v6e"),
        ({}, r"pip install --no-deps --target=FOLDER libtpu"),
    ],
)
def test_flags_are_checked_before_libtpu_is_missed(tool, flags, message):
    metrics = () if "--metrics" in message else ("psnr",)
    with pytest.raises(InputError, match=message):
        tool.main(tool.Settings(metrics=metrics, **flags))


def test_chips():
    assert chip_of("v5e:2x2").flops_a_cycle == pytest.approx(4 * 128 * 128 * 2, rel=0.001)
    with pytest.raises(InputError, match="got 'h200:1'"):
        chip_of("h200:1")


def priced(name, cycles, shape="f32[8,128,64]{2,1,0:T(8,128)}", opcode="fusion", more=""):
    return (
        f"  %{name} = {shape} {opcode}(%x), kind=kLoop, calls=%fused{more}, "
        f'metadata={{op_name="jit(run)/{name}"}}, '
        f'backend_config={{"window_config":{{"estimated_cycles":"{cycles}"}}}}'
    )


def loop(name, condition, body, more=""):
    return (
        f"  %{name} = (s32[], f32[8,128,64]{{2,1,0}}) while(%start), condition=%{condition}, "
        f"body=%{body}{more}"
    )


FUSED = "%fused (p: f32[8]) -> f32[8] {\n" + priced("inside", 10**9) + "\n}\n"
"""Instructions inside a fusion belong to its price."""


def counting(end, *, step=1, name=""):
    """Condition and start of a loop's body with a counter."""
    return f"""%condition{name} (p.0: (s32[], f32[8])) -> pred[] {{
  %end = s32[]{{:T(128)}} constant({end})
  %p.0 = (s32[], f32[8]{{0}}) parameter(0)
  %count = s32[] get-tuple-element(%p.0), index=0
  ROOT %less = pred[] compare(%count, %end), direction=LT
}}
%body{name} (p.1: (s32[], f32[8])) -> (s32[], f32[8]) {{
  %one = s32[]{{:T(128)}} constant({step})
  %p.1 = (s32[], f32[8]{{0}}) parameter(0)
  %count.1 = s32[] get-tuple-element(%p.1), index=0
  %next = s32[] add(%count.1, %one)
  %next.copy = s32[] copy(%next)
  ROOT %pair = (s32[], f32[8]{{0}}) tuple(%next.copy, %count.1)
"""


def program(entry, computations="", start=0):
    return f"""HloModule made_up
{FUSED}{computations}
ENTRY %main (x: f32[8]) -> f32[8] {{
  %x = f32[8]{{0}} parameter(0)
  %zero = s32[]{{:T(128)}} constant({start})
  %zero.copy = s32[]{{:T(128)}} copy(%zero)
  %start = (s32[], f32[8]{{0}}) tuple(%zero.copy, /*index=1*/%x)
{entry}
}}
"""


def cycles(text):
    return sum(each.cycles for each in charges(text))


def test_the_entry_counts_once_and_fusions_as_a_whole():
    text = program("\n".join([priced("a", 5), priced("b", 7, opcode="copy")]))
    (a, b) = charges(text)
    assert (a.cycles, b.cycles) == (5, 7)
    assert (a.instruction.name, a.instruction.source) == ("%a", "jit(run)/a")
    assert a.bytes_kept == 8 * 128 * 64 * 4


def test_results_in_the_fast_memory_are_not_kept_in_the_main_one():
    shape = "(f32[8,128]{1,0:T(8,128)S(1)}, /*index=1*/bf16[8,64]{1,0:T(8,128)(2,1)})"
    (found,) = charges(program(priced("a", 5, shape)))
    assert found.bytes_kept == 8 * 64 * 2


@pytest.mark.parametrize(
    ("start", "end", "step", "trips"), [(0, 8, 1, 8), (3, 8, 2, 3), (5, 5, 1, 0)]
)
def test_a_loop_counts_its_trips(start, end, step, trips):
    body = counting(end, step=step) + priced("a", 5) + "\n}\n"
    text = program(loop("while.1", "condition", "body") + "\n" + priced("b", 100), body, start)
    assert cycles(text) == 100 + 5 * trips


def test_the_compilers_own_number_of_trips_comes_first():
    body = counting(8) + priced("a", 5) + "\n}\n"
    known = ', backend_config={"known_trip_count":{"n":"4"},"x":{}}'
    assert cycles(program(loop("while.1", "condition", "body", known), body)) == 20


def test_loops_in_loops():
    inner = counting(3, name="2") + priced("a", 5) + "\n}\n"
    outer = counting(8).replace("  ROOT %pair", loop("w", "condition2", "body2") + "\n  ROOT %pair")
    begin = "  %nought = s32[] constant(0)\n  %start = (s32[], f32[8]{0}) tuple(%nought, %p.1)\n"
    outer = outer.replace("  %w =", begin + "  %w =") + priced("b", 7) + "\n}\n"
    found = charges(program(loop("while.1", "condition", "body"), inner + outer))
    assert {each.instruction.name: each.times for each in found} == {"%a": 24, "%b": 8}
    assert sum(each.cycles for each in found) == 8 * (3 * 5 + 7)


@pytest.mark.parametrize(
    "branches",
    [
        "branch_computations={%small, %large}",
        "true_computation=%small, false_computation=%large",
    ],
)
def test_the_dearest_branch_of_a_conditional_counts(branches):
    both = "".join(
        f"%{name} (p: f32[8]) -> f32[8] {{\n{priced(name + '.1', price)}\n}}\n"
        for name, price in {"small": 5, "large": 9}.items()
    )
    text = program(f"  %which = f32[8]{{0}} conditional(%x, %x, %x), {branches}", both)
    assert cycles(text) == 9


def test_a_loop_whose_trips_are_unknown_fails():
    body = counting(8).replace("constant(8)", "parameter(1)") + priced("a", 5) + "\n}\n"
    with pytest.raises(InputError, match=r"trips of the loop %while\.1 is not known"):
        charges(program(loop("while.1", "condition", "body"), body))


def test_a_kernel_without_a_price_fails_and_a_buffer_does_not():
    call = "  %call = f32[8]{0} custom-call(%x), custom_call_target="
    assert cycles(program(call + '"AllocateBuffer"\n' + priced("a", 5))) == 5
    with pytest.raises(InputError, match=r"%call \(tpu_custom_call\) has no price"):
        charges(program(call + '"tpu_custom_call"'))


def test_only_small_results_may_have_no_price():
    assert cycles(program("  %sum = f32[8]{0} reduce(%x), to_apply=%fused")) == 0
    with pytest.raises(InputError, match=r"%sum \(reduce\) has no price"):
        charges(program("  %sum = f32[512,512]{1,0} reduce(%x), to_apply=%fused"))


@pytest.mark.parametrize("call", ["reshape(%x)", "concatenate(%x, %x), dimensions={0}"])
def test_what_moves_values_without_a_price_costs_what_memory_takes(call):
    text = program(f"  %apart = f32[512,512]{{1,0}} {call}\n" + priced("a", 5))
    apart, a = charges(text, bytes_a_cycle=1024)
    assert apart.cycles == 2 * 512 * 512 * 4 / 1024
    assert a.cycles == 5


def test_another_text_is_refused():
    with pytest.raises(InputError, match="found none with an ENTRY"):
        charges("module @jit_run")


@pytest.mark.parametrize(
    ("precision", "dtype", "passes"),
    [
        *(("highest", "float32", 6), ("high", "float32", 3), ("default", "float32", 1)),
        ("highest", "bfloat16", 1),
    ],
)
def test_matrix_operations(precision, dtype, passes):
    """A convolution mapped over five images, and a product that is one of two branches."""

    def step(images, kernel, matrix):
        def of_image(image):
            return jax.lax.conv_general_dilated(
                image[None], kernel, (2, 2), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
            )

        with jax.default_matmul_precision(precision):
            small = jax.lax.platform_dependent(
                matrix,
                cpu=lambda m: m @ jnp.concatenate([m, m], 1),
                default=lambda m: jnp.concatenate([m @ m, m], 1),
            )
            return jax.lax.map(of_image, images), small

    shapes = (5, 9, 9, 3), (3, 3, 3, 16), (4, 4)
    traced = jax.jit(step).trace(*(jax.ShapeDtypeStruct(each, dtype) for each in shapes))
    expected = 5 * (4 * 4 * 16) * 27 + 4 * 4 * 4
    assert matrix_operations(traced.jaxpr.jaxpr) == 2 * passes * expected


@pytest.mark.parametrize("metric", ["lpips-alex", "dists:resize256", "ssim"])
def test_metrics_need_no_weights(tmp_path, monkeypatch, metric):
    monkeypatch.setenv("IQA_JAX_CHECKPOINTS", str(tmp_path))
    step = outline_metric(parse_metric(metric), "bf16")
    shapes = [jax.ShapeDtypeStruct((*n, 64, 64, 3), jnp.uint8) for n in ((), (2,))]
    (scores,) = jax.eval_shape(type(step).versions, step, *shapes)
    assert (scores.shape, scores.dtype) == ((2,), jnp.float32)


def test_only_published_relevances_have_shapes():
    readout = ReadoutName("alexnet", ("relu1",), "unit", "mine")
    with pytest.raises(InputError, match="expected a published relevance, lpips-alex"):
        outline_readouts([readout], "highest")
