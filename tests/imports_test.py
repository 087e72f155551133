"""Dependencies point one way, and only some modules know flax, grain or the devices."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import iqa_jax

PACKAGE = Path(iqa_jax.__file__).parent

# Each folder, or file of the top level, may import those before it, and itself.
ORDER = """
_renamed text errors bibliography pytrees revisions buckets files progress compilation images
readouts backbones weights zoo datasets engine metrics streams agreement relevance study programs
library
__init__ __main__
""".split()

NETWORKS = {"backbones", "zoo", "metrics"}
NEVER = {
    "weights": {"backbones"},
    "datasets": NETWORKS,
    "engine": NETWORKS,
    "metrics": {"datasets", "engine"},
    "streams": {"datasets", "engine"},
    "agreement": NETWORKS,
    "relevance": NETWORKS,
    "study": NETWORKS | {"engine", "streams", "relevance", "weights"},
}

ONLY = {
    "flax": {"backbones", "streams"},
    "fsspec": {"buckets"},
    "orbax": {"weights"},
    "grain": {"engine"},
    "h5py": {"weights"},
    "ml_dtypes": {"weights"},
    "safetensors": {"weights"},
    "tensorstore": {"engine"},
    "tensorflow_datasets": {"datasets"},
    "array_record": {"datasets"},
    "simplejpeg": {"images"},
    "openpyxl": {"datasets"},
    "optax": {"relevance"},
    "matplotlib": {"programs"},
    "scipy": {"agreement", "programs", "study"},
    "statsmodels": {"study"},
    "tqdm": {"progress"},
    "pandas": {"library"},
    "absl": {"programs"},
    "jinja2": {"programs"},
    "torch": set(),
    "tensorflow": set(),
}


# Every module with the part of the package that it belongs to; a command belongs to the last one.
MODULES = [
    pytest.param(
        "__main__"
        if path.stem == "__main__"
        else path.relative_to(PACKAGE).parts[0].removesuffix(".py"),
        path,
        id=str(path.relative_to(PACKAGE)),
    )
    for path in sorted(PACKAGE.rglob("*.py"))
]


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module == "iqa_jax":
                yield from (f"iqa_jax.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


@pytest.mark.parametrize(("part", "path"), MODULES)
def test_imports(part, path):
    assert part in ORDER
    for name in imports(path):
        package, *rest = name.split(".")
        if package == "iqa_jax" and rest:
            assert ORDER.index(rest[0]) <= ORDER.index(part), name
            assert rest[0] not in NEVER.get(part, ()), name
        assert part in ONLY.get(package, {part}), name


@pytest.mark.parametrize(("part", "path"), MODULES)
def test_devices_are_known_to_one_module(part, path):
    text = path.read_text()
    for word in ("shard_map(", "Mesh(", "NamedSharding", "local_devices", "jax.distributed"):
        assert path.name == "devices.py" or word not in text, word


@pytest.mark.parametrize(("part", "path"), MODULES)
def test_a_file_has_one_subject(part, path):
    assert len(path.read_text().splitlines()) <= 400, part


def loaded_by(code, among):
    """Which of the libraries Python has imported after it ran the code."""
    code += f"\nimport sys; print(*sorted(set({sorted(among)!r}) & set(sys.modules)))"
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=PACKAGE.parent
    ).stdout.splitlines()[-1]


HEAVY = {"flax", "grain", "h5py", "matplotlib", "optax", "orbax", "pandas", "scipy"}
HEAVY |= {"tensorflow_datasets", "tensorstore"}


def test_the_package_alone_loads_nothing():
    assert not loaded_by("import iqa_jax; iqa_jax.__version__", HEAVY | {"jax", "numpy", "PIL"})


def test_a_metric_of_pixels_loads_no_library_of_networks():
    assert not loaded_by("import iqa_jax; iqa_jax.load_metric('psnr')", HEAVY)


def test_a_stream_of_metrics_of_pixels_loads_no_library_of_networks():
    assert not loaded_by("import iqa_jax; iqa_jax.stream('psnr', 'ssim')", HEAVY)


def test_a_metric_of_a_network_loads_none_of_datasets_stores_or_other_formats(checkpoints):
    code = (
        f"import iqa_jax; iqa_jax.load_metric('lpips-alex', checkpoints_dir={str(checkpoints)!r})"
    )
    found = loaded_by(code, HEAVY - {"optax", "tensorstore"}).split()  # of flax and of Orbax
    assert found == ["flax", "orbax"]


def test_scoring_by_a_metric_of_pixels_loads_no_library_of_networks(pair_folder):
    images = [f"--reference={pair_folder / 'a.png'}", f"--distorted={pair_folder / 'a_1.png'}"]
    code = f"""
from iqa_jax.__main__ import main
try:
    main(["score", "--metrics=psnr", *{images!r}])
except SystemExit as ended:
    assert not ended.code
"""
    assert loaded_by(code, HEAVY - {"orbax", "tensorstore"}) == "grain"  # which loads the two
