import pytest

from iqa_jax.errors import InputError
from iqa_jax.zoo import MODELS
from iqa_jax.zoo.citing import model_publications, relevance_publications


@pytest.mark.parametrize("name", MODELS)
def test_every_network_has_a_publication(name):
    assert model_publications(name)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("alexnet", ("krizhevsky2014weird",)),
        ("alexnet-jigsaw-imagenet1k", ("noroozi2016unsupervised", "goyal2019scaling")),
        ("resnet50-random-none-seed7", ("he2016deep",)),
        ("resnet50-swav-imagenet1k", ("caron2020unsupervised",)),
        ("vgg16_l2pool-random-none-seed0", ("simonyan2015very",)),
        ("edges.py:edges", ()),
    ],
)
def test_networks(name, keys):
    assert model_publications(name) == keys


def test_relevances():
    assert relevance_publications("lpips-alex") == ("zhang2018unreasonable",)
    assert relevance_publications("lpips-squeeze") == ("zhang2018unreasonable",)
    assert relevance_publications("dists") == ("ding2022image",)
    assert relevance_publications("mine") == ()


def test_unknown_networks_are_refused():
    with pytest.raises(InputError, match="no model 'resnet-50'"):
        model_publications("resnet-50")
