import pytest

from iqa_jax.datasets import DATASETS
from iqa_jax.datasets.catalogue import CATALOGUE, about
from iqa_jax.datasets.overlaps import metrics_trained_on, shared_images


@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_is_in_the_catalogue(name):
    assert about(name).title
    assert about(name).protocol
    assert about(name).claims


def test_nothing_else_is():
    assert set(CATALOGUE) == {name.partition(":")[0] for name in DATASETS}


@pytest.mark.parametrize("name", sorted(set(CATALOGUE) - {"csv"}))
def test_published_datasets_say_where_they_are_and_what_to_cite(name):
    assert about(name).url.startswith("http")
    assert about(name).publications
    assert about(name).citation


def test_variants_share_an_entry():
    assert about("live:original") is about("live")
    with pytest.raises(KeyError):
        about("tid2014")


def test_what_is_known_of_others():
    assert metrics_trained_on("kadid10k") == ["DISTS was trained on the scores of KADID-10k"]
    assert metrics_trained_on("bapps-2afc:train-lpips")
    assert metrics_trained_on("bapps-2afc") == metrics_trained_on("csiq") == []
    assert metrics_trained_on("tid2013") == [
        "PerceptNet was trained on TID2008, which shows the same images"
    ]
    assert sorted(shared_images("tid2008")) == ["live", "tid2013"]
    assert sorted(shared_images("live:original")) == ["tid2008", "tid2013"]
    assert shared_images("csiq") == []
