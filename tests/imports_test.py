"""Dependencies point one way, and only some modules know flax, grain or the devices."""

import ast
from pathlib import Path

import pytest

import iqa_jax

PACKAGE = Path(iqa_jax.__file__).parent

# Each may import those before it, and itself.
ORDER = """
errors files memory tables revisions samples damage decoding images resize luminance preprocess
numerics backbones weights zoo statistics readouts pairing comparison metrics columns datasets
settings pipeline parallel capacity parts scoring store normaliser exposure reduction extraction
stored_readouts agreement breakdown resampling intervals forced_choice verification relevance
selection doubts records layer_choice analysis score score_files evaluate outputs report
map_pictures plots __init__
""".split()

NO_NETWORK = (
    *("datasets", "pipeline", "parallel", "capacity", "parts", "scoring", "agreement", "breakdown"),
    *("store", "forced_choice", "resampling", "intervals", "verification", "weights"),
)
NETWORK = {
    *("backbones", "zoo", "comparison", "metrics", "reduction", "extraction", "stored_readouts"),
    *("relevance", "score", "selection", "layer_choice", "analysis", "evaluate"),
    *("columns", "normaliser", "exposure", "doubts", "records"),
}

ONLY = {
    "flax": {"backbones"},
    "orbax": {"weights"},
    "grain": {"pipeline"},
    "h5py": {"weights"},
    "ml_dtypes": {"weights"},
    "safetensors": {"weights"},
    "tensorstore": {"store"},
    "tensorflow_datasets": {"datasets"},
    "openpyxl": {"datasets"},
    "optax": {"relevance"},
    "matplotlib": {"map_pictures", "plots", "relevance"},
    "scipy": {"agreement", "doubts", "intervals", "verification"},
    "tqdm": {
        *("weights", "parts", "scoring", "extraction", "verification", "analysis", "score"),
        *("score_files", "evaluate", "relevance", "datasets"),
    },
    "absl": set(),
    "torch": set(),
    "tensorflow": set(),
}


# Every module with the part of the package that it belongs to.
MODULES = [
    pytest.param(
        path.relative_to(PACKAGE).parts[0].removesuffix(".py"),
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
            assert not (part in NO_NETWORK and rest[0] in NETWORK), name
        assert part in ONLY.get(package, {part}), name


@pytest.mark.parametrize(("part", "path"), MODULES)
def test_devices_are_known_to_parallel_alone(part, path):
    text = path.read_text()
    for word in ("shard_map", "Mesh(", "NamedSharding", "local_devices", "jax.distributed"):
        assert part == "parallel" or word not in text, word


@pytest.mark.parametrize(("part", "path"), MODULES)
def test_a_file_has_one_subject(part, path):
    assert len(path.read_text().splitlines()) <= 400, part
