"""Known overlaps: datasets that share images, and metrics that were trained on a dataset."""

from collections.abc import Mapping

_SHARED: Mapping[frozenset[str], str] = {
    frozenset({"tid2008", "tid2013"}): "show the same 25 images",
    frozenset({"tid2008", "live"}): "share photographs of the Kodak set as references",
    frozenset({"tid2013", "live"}): "share photographs of the Kodak set as references",
}

_DIVIDED = {"bapps2afc"}
"""Datasets whose variants are parts with different images."""

_SHOWN_OTHERWISE: Mapping[str, str] = {
    "bapps2afc:lpips": "bapps2afc",
    "bapps2afc:trainlpips": "bapps2afc:train",
    "bappsjnd:lpips": "bappsjnd",
}
"""Variants that show the same images through another filter."""

_TRAINED: Mapping[tuple[str, str], str] = {
    ("dists", "kadid10k"): "DISTS was trained on the scores of KADID-10k",
    ("lpips", "bapps2afc:train"): "LPIPS was trained on the training part of BAPPS",
    ("perceptnet", "tid2008"): "PerceptNet was trained on the scores of TID2008",
    ("perceptnet", "tid2013"): "PerceptNet was trained on TID2008, which shows the same images",
}
"""(Metric without its variant, dataset) -> overlap."""


def overlap_warning(training: str, test: str) -> str | None:
    """Warns if something is trained and tested on datasets that share images.

    Args:
      training: Name of the dataset used for training.
      test: Name of the dataset used for testing.

    Returns:
      A sentence; None if no overlap is known.
    """
    if _plain(training) == _plain(test):
        return f"{test} is used for both training and test: agreement on new contents may be lower."
    datasets = frozenset(_without_variant(_plain(name)) for name in (training, test))
    shared = _SHARED.get(datasets)
    if len(datasets) == 1 and not datasets <= _DIVIDED:
        shared = "have the same images"
    return shared and f"{training} and {test} {shared}: agreement on new contents may be lower."


def trained_on(metric: str, dataset: str) -> str | None:
    """Warns if a published metric was trained on the dataset that it is tested on.

    Args:
      metric: Name of a metric, ``lpips-alex``, ``dists:resize256``, of a read-out with a
        relevance, ``vgg16/relu1_2/unit@lpips-vgg``, or of a network that was trained on scores,
        ``perceptnet-ratings-tid2008/gdn3/l2``.
      dataset: Name of the dataset.

    Returns:
      A sentence; None if nothing is known.
    """
    name = _without_variant(metric.rpartition("@")[-1])
    learned = "" if "-random-none-" in name else name.split("-")[0]
    trained = _TRAINED.get((learned, _plain(dataset)))
    return trained and f"{trained}: {metric} may agree less with people on other data."


def metrics_trained_on(dataset: str) -> list[str]:
    """Which published metrics were trained on a dataset, a sentence for each.

    Args:
      dataset: Name of the dataset.
    """
    return [text for (_, trained), text in _TRAINED.items() if trained == _plain(dataset)]


def shared_images(dataset: str) -> list[str]:
    """Which other datasets show images of this one.

    Args:
      dataset: Name of the dataset.
    """
    name = _without_variant(_plain(dataset))
    return [other for both in _SHARED if name in both for other in both - {name}]


def _plain(dataset: str) -> str:
    """A dataset's name in one spelling, without the filter through which its images are shown."""
    plain = dataset.lower().replace("-", "").replace("_", "")
    return _SHOWN_OTHERWISE.get(plain, plain)


def _without_variant(name: str) -> str:
    return name.partition(":")[0]
