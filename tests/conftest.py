"""Eight virtual devices, strict numerics, and the weights and data that tests share."""

import os

os.environ["XLA_FLAGS"] = (
    f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
)
os.environ.pop("IQA_JAX_CHECKPOINTS", None)

import ctypes
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import jax
import numpy as np
import pytest
from etils import epath
from PIL import Image
from relevance.planted import Planted, plant

from iqa_jax import zoo
from iqa_jax.backbones import Backbone

MODELS = ("alexnet", "vgg16")


def pytest_configure(config: pytest.Config) -> None:
    """Compiled programs are kept for other workers and later runs."""
    if not config.pluginmanager.hasplugin("cacheprovider"):
        return
    # Beside what --cache-clear removes, which each worker would do while others write.
    folder = str(config.rootpath / config.getini("cache_dir") / "compiled")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = folder  # for processes that tests start
    jax.config.update("jax_compilation_cache_dir", folder)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


@pytest.fixture(autouse=True)
def strict_numerics() -> Iterator[None]:
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        yield


@pytest.fixture(autouse=True, scope="session")
def programs_keep_nothing_in_the_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("caches"))


@pytest.fixture(autouse=True, scope="module")
def compiled_programs_are_forgotten() -> Iterator[None]:
    """Those of a whole run of the tests would fill the memory of a small machine."""
    yield
    jax.clear_caches()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc keeps what is freed
        libc.malloc_trim(0)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[epath.Path]:
    """The real weights of AlexNet and VGG-16, converted once; no test adds to them."""
    directory = epath.Path(tmp_path_factory.mktemp("checkpoints"))
    zoo.fetch(*MODELS, checkpoints_dir=directory)
    fetched = set(directory.iterdir())
    yield directory
    added = sorted(each.name for each in set(directory.iterdir()) - fetched)
    assert not added, f"tests wrote into the shared checkpoints: {', '.join(added)}"


@pytest.fixture
def own_checkpoints(checkpoints: epath.Path, tmp_path: Path) -> Path:
    """The same weights in a folder to which a test may add."""
    directory = tmp_path / "checkpoints"
    directory.mkdir()
    for each in checkpoints.iterdir():
        (directory / each.name).symlink_to(each)
    return directory


@pytest.fixture(scope="session")
def alexnet(checkpoints: epath.Path) -> Backbone:
    return zoo.load_backbone("alexnet", checkpoints_dir=checkpoints)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Real images, scores and weights outside of the repository."""
    folder = os.environ.get("IQA_JAX_TEST_DATA")
    if not folder:
        pytest.skip("IQA_JAX_TEST_DATA is not set: no real test data")
    return Path(folder)


@pytest.fixture(scope="session")
def planted() -> Planted:
    """A store in which some channels are known to matter."""
    return plant()


@pytest.fixture(scope="session")
def store_environment() -> Iterator[Mapping[str, str]]:
    """Environment in which programs find a store of objects on this machine."""
    from object_store import object_store  # not for runs without tests of buckets

    with object_store() as environment:
        yield environment


@pytest.fixture
def bucket(store_environment: Mapping[str, str]) -> epath.Path:
    """A folder of a bucket in which there is nothing."""
    from object_store import BUCKET

    return epath.Path(f"gs://{BUCKET}/{uuid.uuid4().hex}")


@pytest.fixture
def store_requests(
    store_environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """The methods of all requests to the store while a test runs."""
    from object_store import count_requests

    return count_requests(monkeypatch)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def pair_folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A csv dataset of two image sizes: 3 references with 4, 2 and 3 versions."""
    rows = ["reference,distorted,score,distortion,level,reference_id"]
    for reference, (size, versions) in {
        "a": ((72, 80), 4),
        "b": ((64, 64), 2),
        "c": ((72, 80), 3),
    }.items():
        pixels = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{reference}.png")
        for level in range(1, versions + 1):
            noise = rng.normal(0, 15 * level, pixels.shape)
            noisy = np.clip(pixels + noise, 0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(tmp_path / f"{reference}_{level}.png")
            score = 9 - level - 0.01 * len(rows)
            rows.append(
                f"{reference}.png,{reference}_{level}.png,{score},noise,{level},{reference}"
            )
    (tmp_path / "pairs.csv").write_text("\n".join(rows) + "\n")
    return tmp_path
