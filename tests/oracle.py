"""Plain NumPy in float64, from the definitions alone: what the package has to agree with."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

MEAN = np.array([0.485, 0.456, 0.406])
STD = np.array([0.229, 0.224, 0.225])


def conv(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, stride: int, padding: int):
    """``x`` [H, W, C], ``kernel`` [height, width, C, out]."""
    height, width = kernel.shape[:2]
    padded = np.pad(x, ((padding, padding), (padding, padding), (0, 0)))
    windows = sliding_window_view(padded, (height, width), (0, 1))[::stride, ::stride]
    return np.einsum("hwcij,ijco->hwo", windows, kernel, optimize=True) + bias


def max_pool(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    """An incomplete last window is dropped."""
    return sliding_window_view(x, (size, size), (0, 1))[::stride, ::stride].max((-2, -1))


def l2_pool(x: np.ndarray) -> np.ndarray:
    """Ding et al. 2020: the root of squares weighed by a Hanning window, stride 2."""
    window = np.outer([0.25, 0.5, 0.25], [0.25, 0.5, 0.25])
    windows = sliding_window_view(np.pad(x**2, ((1, 1), (1, 1), (0, 0))), (3, 3), (0, 1))
    return np.sqrt(np.einsum("hwcij,ij->hwc", windows[::2, ::2], window) + 1e-12)


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def alexnet(image: np.ndarray, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every named activation of one image ``uint8`` [H, W, 3]."""

    def convolve(x: np.ndarray, position: int, stride: int, padding: int) -> np.ndarray:
        kernel, bias = (
            np.asarray(weights[f"features.{position}.{kind}"], np.float64)
            for kind in ("kernel", "bias")
        )
        return relu(conv(x, kernel, bias, stride, padding))

    a = {"input": image / 255.0}
    a["relu1"] = convolve((a["input"] - MEAN) / STD, 0, 4, 2)
    a["pool1"] = max_pool(a["relu1"], 3, 2)
    a["relu2"] = convolve(a["pool1"], 3, 1, 2)
    a["pool2"] = max_pool(a["relu2"], 3, 2)
    a["relu3"] = convolve(a["pool2"], 6, 1, 1)
    a["relu4"] = convolve(a["relu3"], 8, 1, 1)
    a["relu5"] = convolve(a["relu4"], 10, 1, 1)
    a["pool5"] = max_pool(a["relu5"], 3, 2)
    return a


def vgg16(
    image: np.ndarray,
    weights: Mapping[str, np.ndarray],
    pool: Callable[[np.ndarray], np.ndarray] = lambda x: max_pool(x, 2, 2),
) -> dict[str, np.ndarray]:
    """Every named activation of one image ``uint8`` [H, W, 3]."""
    a = {"input": image / 255.0}
    x = (a["input"] - MEAN) / STD
    position = 0
    for block, convolutions in enumerate((2, 2, 3, 3, 3), 1):
        for number in range(1, convolutions + 1):
            kernel, bias = (
                np.asarray(weights[f"features.{position}.{kind}"], np.float64)
                for kind in ("kernel", "bias")
            )
            x = relu(conv(x, kernel, bias, 1, 1))
            a[f"relu{block}_{number}"] = x
            position += 2
        x = pool(x)
        a[f"pool{block}"] = x
        position += 1
    return a


def l2(reference: Sequence[np.ndarray], distorted: Sequence[np.ndarray]) -> float:
    """Euclidean distance of the concatenation of layers."""
    pairs = zip(reference, distorted, strict=True)
    return float(np.sqrt(sum(np.sum((r - d) ** 2) for r, d in pairs)))


def unit(
    reference: Sequence[np.ndarray],
    distorted: Sequence[np.ndarray],
    weights: Sequence[np.ndarray] | None = None,
) -> float:
    """LPIPS's distance over layers, with weights of 1 if none are given."""
    weights = weights if weights is not None else [np.ones(r.shape[-1]) for r in reference]
    total = 0.0
    for r, d, w in zip(reference, distorted, weights, strict=True):
        difference = _unit(r) - _unit(d)
        total += np.sum(np.mean(difference**2, axis=(0, 1)) * w)
    return float(total)


def structure_texture(
    reference: Sequence[np.ndarray],
    distorted: Sequence[np.ndarray],
    weights: Sequence[np.ndarray] | None = None,
) -> float:
    """DISTS with weights [2, C] a layer, texture first; equal ones if none are given."""
    weights = weights if weights is not None else [np.ones((2, r.shape[-1])) for r in reference]
    similarity = 0.0
    for r, d, w in zip(reference, distorted, weights, strict=True):
        mr, md = (x.mean((0, 1), dtype=np.float64) for x in (r, d))
        vr, vd = (np.mean((x - m) ** 2, axis=(0, 1)) for x, m in ((r, mr), (d, md)))
        covariance = ((r - mr) * (d - md)).mean((0, 1))
        texture = (2 * mr * md + 1e-6) / (mr**2 + md**2 + 1e-6)
        structure = (2 * covariance + 1e-6) / (vr + vd + 1e-6)
        similarity += np.sum(w[0] * texture + w[1] * structure)
    return float(1 - similarity / sum(w.astype(np.float64).sum() for w in weights))


def _unit(x: np.ndarray) -> np.ndarray:
    return x / (np.sqrt(np.sum(x**2, -1, keepdims=True)) + 1e-10)


def _rounded_to_windows(x, side):
    height, width, channels = x.shape
    rows, columns = (max(1, round(size / side)) * side for size in (height, width))
    out = np.zeros((rows, columns, channels))
    kept = min(rows, height), min(columns, width)
    out[: kept[0], columns - kept[1] :] = x[: kept[0], width - kept[1] :]
    return out


def _transport(r, d):
    """Integral of the squared difference of the quantile functions of two masses."""
    u, v = np.cumsum(r), np.cumsum(d)
    places = np.sort(np.concatenate([u, v]))
    last = len(r) - 1
    cost, start = 0.0, 0.0
    for place in places:
        i, j = (min(np.searchsorted(each, place), last) for each in (u, v))
        cost += (place - start) * (i - j) ** 2
        start = place
    return cost


def wasserstein(reference, distorted, side):
    """DeepWSD's distance of one layer, from the quantile functions of each window."""
    rows = []
    for x in (reference, distorted):
        channel_by_channel = _rounded_to_windows(np.asarray(x, np.float64), side).transpose(2, 0, 1)
        rows.append(channel_by_channel.reshape(side**2, -1))
    r, d = rows
    total = 0.0
    for r_window, d_window in zip(r.T, d.T, strict=True):
        masses = (w**2 / (abs(x).sum() + 1e-6) for w, x in ((r_window, r), (d_window, d)))
        moved = _transport(*masses)
        error = ((r_window - d_window) ** 2).sum()
        total += moved + error / (np.exp(-1 / (moved + 10)) ** 0.5 * (moved + 10) ** 2)
    return total


def decorrelation(reference, distorted):
    """DeepDC's distance of one layer."""
    matrices = []
    for x in (reference, distorted):
        channels = np.asarray(x, np.float64).reshape(-1, x.shape[-1]).T
        squared = ((channels[:, None] - channels[None]) ** 2).sum(-1) / len(channels) ** 2
        a = np.sqrt(squared + 1e-5)
        matrices.append(a - a.mean(0) - a.mean(1)[:, None] + a.mean())
    r, d = matrices
    products = [(x * y).sum() for x, y in ((r, d), (r, r), (d, d))]
    return 1 - (products[0] + 1e-6) / (np.sqrt(products[1] * products[2]) + 1e-6)


def flat(layers):
    """The concatenation of layers."""
    return np.concatenate([np.ravel(layer).astype(np.float64) for layer in layers])


def mean(x):
    return x.mean((0, 1), dtype=np.float64)


def std(x):
    return x.std((0, 1), dtype=np.float64)


def _gram(x):
    rows = x.reshape(-1, x.shape[-1]).astype(np.float64)
    return rows.T @ rows / len(rows)


def euclidean(moment, reference, distorted):
    """Euclidean distance of the moments of all channels."""
    return np.linalg.norm(np.concatenate([*map(moment, reference)]) - flat(map(moment, distorted)))


def _cosine(reference, distorted):
    r, d = flat(reference), flat(distorted)
    return 1 - r @ d / (np.linalg.norm(r) * np.linalg.norm(d))


def _over_layers(function, r, d, *options):
    return np.mean([function(x, y, *options) for x, y in zip(r, d, strict=True)])


READOUTS = {
    "l2": l2,
    "rmse": lambda r, d: l2(r, d) / flat(r).size ** 0.5,
    "unit": unit,
    "unit_root": lambda r, d: unit(r, d) ** 0.5,
    "cosine": _cosine,
    "mean": lambda r, d: euclidean(mean, r, d),
    "std": lambda r, d: euclidean(std, r, d),
    "mean_std": lambda r, d: np.hypot(euclidean(mean, r, d), euclidean(std, r, d)),
    "gram": lambda r, d: sum(
        np.linalg.norm(_gram(x) - _gram(y)) for x, y in zip(r, d, strict=True)
    ),
    "structure_texture": structure_texture,
    "wasserstein": lambda r, d: _over_layers(wasserstein, r, d, 4),
    "wasserstein_16": lambda r, d: _over_layers(wasserstein, r, d, 16),
    "distance_correlation": lambda r, d: _over_layers(decorrelation, r, d),
}
"""Read-outs of layers, without relevance."""


def balanced(pairs):
    """The read-out ``balanced`` of all pairs of a dataset, each the layers of two images."""
    squared = np.array([[l2([x], [y]) ** 2 for x, y in zip(r, d, strict=True)] for r, d in pairs])
    return np.sqrt(_to_mean(squared).sum(1))


def normalized(pairs):
    """The read-out ``normalized`` of all pairs of a dataset."""
    errors = [
        [mean(np.square(x - y, dtype=np.float64)) for x, y in zip(r, d, strict=True)]
        for r, d in pairs
    ]
    return np.sqrt(_to_mean(np.array([*map(np.concatenate, errors)])).mean(1))


def _to_mean(values):
    """Values of pairs divided by their mean over the pairs; 0 where all are 0."""
    means = values.mean(0)
    return values / np.where(means == 0, 1, means)


READOUTS_OF_DATASETS = {"balanced": balanced, "normalized": normalized}
"""Read-outs of all pairs of a dataset."""
