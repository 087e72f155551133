"""Quantities: weights of columns, and layers chosen on data that do not score them."""

import numpy as np
import pytest
from study import made_up

from iqa_jax.study.pseudovalues import SPEARMAN, Pseudovalues
from iqa_jax.study.quantities import View, layers_elsewhere
from iqa_jax.study.reading import read_results

NETWORKS = {
    "net": made_up.network(
        layers={"layer0": {"stride": 4}, "layer1": {"stride": 4}, "layer3": {"stride": 16}}
    ),
    "short": made_up.network(epochs=10),
    "net-random-none-seed0": made_up.network(goal_family="none", goal="random", environment="none"),
}


def view_of(tmp_path, name="tid2013", *, rho=(0.5, 0.7, 0.8, 0.6), elsewhere=None):
    table = made_up.drawn(name, references=8)
    columns = [
        *made_up.layers("net", rho),
        *made_up.layers("short", (0.6, 0.6)),
        *made_up.layers("net-random-none-seed0", (0.4, 0.4, 0.4, 0.4)),
        made_up.Planted(
            "net/joined", 0.8, "layer", "net", tuple(f"layer{n}" for n in range(4)), "rmse"
        ),
        made_up.Planted("ssim", 0.7, direction="higher"),
    ]
    folder = made_up.write(tmp_path / name, table, columns, NETWORKS)
    (results,), _ = read_results([folder])
    return View(Pseudovalues(results).sample(SPEARMAN), "l2", elsewhere)


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    return view_of(tmp_path_factory.mktemp("view"))


@pytest.fixture(scope="module")
def net(view):
    return next(each for each in view.networks if each.name == "net")


def test_networks_are_known_by_their_layers(view):
    assert {each.name for each in view.networks} == set(NETWORKS)


def test_of_a_series_the_longest_counts(view, net):
    assert [each.name for each in view.trained] == ["net"]
    assert [each.name for each in view.controls(net)] == ["net-random-none-seed0"]


def test_mean_over_depth_is_that_of_the_trapezoids(view, net):
    weights = view.depth_mean(net)
    assert weights[:4] == pytest.approx([1 / 6, 1 / 3, 1 / 3, 1 / 6])
    assert not weights[4:].any()


def test_slope_is_that_of_the_regression(view, net):
    values = view.sample.whole.values[:4]
    slope = np.polyfit([0.25, 0.5, 0.75, 1.0], values, 1)[0]
    assert view.sample.value(view.slope(net)) == pytest.approx(slope)


def test_stages_and_the_last_layer(view, net):
    assert view.layer_names(view.stage(net, 4)) == "layer1"
    assert view.stage(net, 32) is None
    assert view.layer_names(view.last(net)) == "layer3"


def test_slope_of_stages_is_from_the_first_stride_to_the_last(view, net):
    values = view.sample.whole.values
    slope = (values[3] - values[1]) / np.log2(16 / 4) * np.log2(32 / 4)
    assert view.sample.value(view.slope_of_stages(net)) == pytest.approx(slope)
    (other,) = view.controls(net)
    assert view.slope_of_stages(other) is None


def test_minus_untrained_subtracts_the_mean_of_the_controls(view, net):
    added = view.sample.value(view.minus_untrained(net))
    control = view.controls(net)[0]
    apart = view.sample.value(view.depth_mean(net)) - view.sample.value(view.depth_mean(control))
    assert added == pytest.approx(apart)


def test_joined_layers_are_found_by_their_readout(view, net):
    assert view.columns[int(view.concatenated(net, "rmse").argmax())].name == "net/joined"
    assert view.concatenated(net, "balanced") is None


def test_a_metric_is_found_unless_it_is_not_there(view):
    assert view.metric("ssim").sum() == 1
    assert view.metric("dists") is None


def test_halves_choose_for_each_other(view, net):
    """Each row of the weights is the best layer of the other half."""
    weights = view.best(net)
    assert weights.shape == (2, len(view.columns))
    for half, row in enumerate(weights):
        assert row.argmax() == view.sample.halves[1 - half].values[:4].argmax()


def test_another_source_chooses_and_the_same_photographs_do_not(tmp_path):
    other = view_of(tmp_path, "kadid10k", rho=(0.8, 0.6, 0.5, 0.5)).sample
    chosen = view_of(tmp_path, "tid2013", elsewhere=layers_elsewhere([other]))
    net = next(each for each in chosen.networks if each.name == "net")
    assert chosen.layer_names(chosen.best(net)) == "layer0"
    assert chosen.best_apparent(net)[0] == "layer2"
    assert chosen.best_network()[0] == "net"


def test_datasets_of_one_source_count_as_one(tmp_path):
    """Two datasets of the same photographs do not outvote another source."""
    views = [
        view_of(tmp_path, "tid2008", rho=(0.8, 0.7, 0.6, 0.5)),
        view_of(tmp_path, "live", rho=(0.8, 0.7, 0.6, 0.5)),
        view_of(tmp_path, "csiq", rho=(0.2, 0.5, 0.6, 0.9)),
    ]
    found = layers_elsewhere([each.sample for each in views])
    z = [np.arctanh(each.sample.whole.values[3]) for each in views]
    expected = (np.mean(z[:2]) + z[2]) / 2
    assert found["net", "layer3", "l2"] == pytest.approx(expected)
