import pytest

from iqa_jax.datasets.overlaps import overlap_warning, trained_on


@pytest.mark.parametrize(
    ("training", "test", "shared"),
    [
        ("tid2008", "tid2013", "show the same 25 images"),
        ("tid2013", "tid2008", "show the same 25 images"),
        ("TID2013", "LIVE", "photographs of the Kodak set"),
        ("live:original", "tid2008", "photographs of the Kodak set"),
        ("live:original", "live", "have the same images"),
        ("csiq", "csiq", "csiq is used for both training and test"),
        ("bapps-2afc:train", "bapps-2afc:train", "is used for both training and test"),
        ("bapps-2afc:train", "bapps-2afc:train-lpips", "is used for both training and test"),
        ("bapps-2afc:lpips", "bapps-2afc", "is used for both training and test"),
        ("bapps-jnd", "bapps-jnd:lpips", "is used for both training and test"),
    ],
)
def test_overlaps_are_reported(training, test, shared):
    warning = overlap_warning(training, test)
    assert warning is not None
    assert shared in warning
    assert test in warning


@pytest.mark.parametrize(
    ("training", "test"),
    [
        ("tid2013", "kadid10k"),
        ("csiq", "live"),
        ("bapps-2afc:train", "bapps-2afc"),
        ("bapps-2afc:train-lpips", "bapps-2afc:lpips"),
        ("bapps-2afc:train", "bapps-2afc:lpips"),
        ("csv", "demo"),
    ],
)
def test_datasets_without_a_known_overlap(training, test):
    assert overlap_warning(training, test) is None


@pytest.mark.parametrize(
    ("metric", "dataset", "reason"),
    [
        ("dists", "kadid10k", "DISTS was trained on the scores of KADID-10k"),
        ("dists:resize256", "KADID-10k", "DISTS was trained on the scores of KADID-10k"),
        ("vgg16/relu1_2/structure_texture@dists", "kadid10k", "DISTS was trained"),
        ("lpips-alex", "bapps-2afc:train", "LPIPS was trained on the training part of BAPPS"),
        ("lpips-alex", "bapps-2afc:train-lpips", "LPIPS was trained on the training part"),
        ("vgg16/relu1_2/unit@lpips-vgg", "bapps-2afc:train", "LPIPS was trained"),
        ("perceptnet", "tid2008", "PerceptNet was trained on the scores of TID2008"),
        ("perceptnet-ratings-tid2008/gdn3/rmse", "TID2013", "trained on TID2008, which shows the"),
    ],
)
def test_metrics_trained_on_the_test_data(metric, dataset, reason):
    warning = trained_on(metric, dataset)
    assert warning is not None
    assert reason in warning
    assert metric in warning


@pytest.mark.parametrize(
    ("metric", "dataset"),
    [
        ("lpips-alex", "bapps-2afc"),
        ("lpips-alex", "bapps-2afc:lpips"),
        ("lpips-alex", "kadid10k"),
        ("dists", "tid2013"),
        ("ssim:matlab", "kadid10k"),
        ("perceptnet", "kadid10k"),
        ("perceptnet-random-none-seed0/gdn4/l2", "tid2008"),
        ("vgg16/relu1_2/unit", "kadid10k"),
        ("vgg16/relu1_2/unit@mine", "bapps-2afc:train"),
    ],
)
def test_metrics_not_trained_on_the_test_data(metric, dataset):
    assert trained_on(metric, dataset) is None
