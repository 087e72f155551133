import numpy as np
import pytest
from engine.store import made_up
from etils import epath

from iqa_jax.engine.store import StatisticsStore
from iqa_jax.metrics import parse_metric
from iqa_jax.programs.evaluate.columns import ScoreColumn
from iqa_jax.programs.evaluate.exposure import mark
from iqa_jax.weights import checkpoints
from iqa_jax.zoo import TrainingData

TID2013 = TrainingData("tid2013", "abc")


@pytest.fixture
def learned(tmp_path):
    """The folder of a relevance that was learned from some pairs."""

    def learned(dataset, fingerprint="of others"):
        statistics = {"dataset": dataset, "dataset_fingerprint": fingerprint}
        provenance = {"kind": "relevance", "model": "m", "source": {"statistics": statistics}}
        folder = epath.Path(tmp_path / "checkpoints")
        checkpoints.save(folder, "lpips-mine", {"a": np.ones(2, np.float32)}, provenance)
        return folder

    return learned


def computed(name):
    return ScoreColumn(name, name, metric=parse_metric(name))


def overlap_of(column, tested, **options):
    (found,) = mark([column], tested, **options)
    assert found.is_in_sample == bool(found.overlap)
    return found.overlap


@pytest.mark.parametrize(
    ("dataset", "fingerprint", "overlap"),
    [
        ("tid2013", "of others", "tid2013 is used for both training and test"),
        ("renamed", "abc", "tid2013 is used for both training and test"),
        ("tid2008", "of others", "tid2008 and tid2013 show the same 25 images"),
        ("live", "of others", "photographs of the Kodak set"),
        ("kadid10k", "of others", ""),
    ],
)
def test_a_relevance_of_our_own(dataset, fingerprint, overlap, learned):
    folder = learned(dataset, fingerprint)
    name = "m/a/unit@lpips-mine"
    for column in (computed(name), ScoreColumn(name, name)):
        found = overlap_of(column, TID2013, checkpoints_dir=folder)
        assert overlap in found
        assert bool(found) == bool(overlap)
        if found:
            assert found.startswith(f"The relevance lpips-mine was learned from {dataset}: ")


def test_its_name_does_not_make_it_a_published_one(learned):
    bapps = TrainingData("bapps-2afc:train", "")
    column = computed("m/a/unit@lpips-mine")
    assert not overlap_of(column, bapps, checkpoints_dir=learned("csiq"))


@pytest.mark.parametrize(
    ("name", "dataset", "overlap"),
    [
        ("dists:resize256", "kadid10k", "DISTS was trained on the scores of KADID-10k"),
        ("DISTS", "kadid10k", "DISTS was trained on the scores of KADID-10k"),
        ("lpips-alex", "bapps-2afc:train", "LPIPS was trained on the training part"),
        ("vgg16/relu1_2/unit@lpips-vgg", "bapps-2afc:train", "LPIPS was trained"),
        ("lpips-alex", "kadid10k", ""),
        ("psnr", "kadid10k", ""),
        ("theirs", "kadid10k", ""),
    ],
)
def test_published_metrics(name, dataset, overlap, tmp_path):
    tested = TrainingData(dataset, "")
    found = overlap_of(ScoreColumn(name, name), tested, checkpoints_dir=tmp_path)
    assert overlap in found
    assert bool(found) == bool(overlap)


@pytest.mark.parametrize(
    ("dataset", "fingerprint", "is_transductive"),
    [
        ("tid2013", "of fewer", True),
        ("renamed", "abc", True),
        ("tid2008", "of others", True),
        ("kadid10k", "of others", False),
    ],
)
def test_means_of_the_tested_pairs(dataset, fingerprint, is_transductive, tmp_path):
    signature = {**made_up.SIGNATURE, "dataset": dataset, "dataset_fingerprint": fingerprint}
    made_up.make_writer(tmp_path, made_up.make_table(), signature=signature)
    model = made_up.SIGNATURE["model"]
    normalisers = {model: StatisticsStore.open(tmp_path, model)}
    names = (f"{model}/last/normalized", f"{model}/last/l2", "other/last/balanced", "psnr")
    columns = [computed(name) for name in names]
    columns.append(ScoreColumn(names[0], names[0]))
    found = mark(columns, TID2013, normalisers=normalisers, checkpoints_dir=tmp_path)
    expected = [is_transductive, False, True, False, True]
    assert [column.is_transductive for column in found] == expected
    assert found[2].transductive_readout == "balanced"
    assert [column.is_transductive for column in mark(columns, TID2013)] == [
        *(True, False, True, False, True)
    ]
