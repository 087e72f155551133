"""The networks of a series differ in nothing but their file, its accuracy and the epochs."""

import dataclasses

import pytest

from iqa_jax.zoo import MODELS, epoch_series


@pytest.mark.parametrize("name", epoch_series.MODELS)
def test_a_shorter_training_is_read_like_the_longest(name):
    longest_name, _, suffix = name.rpartition("-")
    shorter, longest = MODELS[name], MODELS[longest_name]
    assert suffix == f"{shorter.epochs}ep"
    assert shorter.epochs < longest.epochs
    assert not shorter.in_study
    changed = {"conversions", "linear_probe", "epochs", "in_study"}
    for field in {each.name for each in dataclasses.fields(shorter)} - changed:
        assert getattr(shorter, field) == getattr(longest, field), field
    (conversion,) = shorter.conversions
    read_alike = dataclasses.replace(longest.conversions[0], source=conversion.source)
    assert conversion == read_alike
    assert conversion.source.licence == longest.conversions[0].source.licence
    assert conversion.source.publications == longest.conversions[0].source.publications
    assert f"{shorter.epochs}ep" in conversion.source.file.url


def test_lengths_of_the_series():
    epochs = {}
    for model in epoch_series.MODELS.values():
        epochs.setdefault(model.goal, []).append(model.epochs)
    assert epochs == {
        "simclr": [100, 200, 400, 800],
        "swav": [100, 200, 400],
        "pirl": [200],
        "barlowtwins": [300],
    }
    probes = [MODELS[f"resnet50-swav-imagenet1k{end}"].linear_probe for end in ("-100ep", "")]
    assert probes == [71.99, 74.92]
