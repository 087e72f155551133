"""Separable image filters as sums of shifted copies.

On a CPU, a convolution with one channel per group is twenty times slower.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np


def gaussian(size: int, sigma: float) -> tuple[float, ...]:
    """Weights of a Gaussian filter along one axis; they sum to 1."""
    offsets = np.arange(size) - (size - 1) / 2
    weights = np.exp(-np.square(offsets) / (2 * sigma**2))
    return tuple((weights / weights.sum()).tolist())


Weights = Sequence[float] | np.ndarray
"""Weight of each position of a window, or an array ``[positions, C, 1, 1]``, which has weights of
their own for the planes of ``[C, H, W]``."""


def weighted_mean(planes: jax.Array, weights: Weights, axis: int) -> jax.Array:
    """Means within the windows that lie wholly inside the image.

    Args:
      planes: Array of any shape.
      weights: Weights that sum to 1.
      axis: Axis along which the window extends.

    Returns:
      Array of the same shape, but shorter by ``len(weights) - 1`` along ``axis``.
    """
    return _weighted_sum(lambda i: _shifted(planes, i, len(weights), axis), weights)


def weighted_deviation(planes: jax.Array, weights: Weights, axis: int) -> jax.Array:
    """Sums of weighted differences from the centre of the window: 0 wherever an image is flat.

    For weights that sum to 0, such as those of a derivative, they are the sums of the weighted
    values, without the rounding of large values that cancel.

    Args:
      planes: Array of any shape.
      weights: Weights of an odd number of positions.
      axis: Axis along which the window extends.

    Returns:
      Array of the same shape, but shorter by ``len(weights) - 1`` along ``axis``.
    """
    size = len(weights)
    centre = _shifted(planes, jnp.int32(size // 2), size, axis)
    return _weighted_sum(lambda i: _shifted(planes, i, size, axis) - centre, weights)


@partial(jax.jit, static_argnames="weights")
def local_moments(planes: jax.Array, weights: tuple[float, ...]) -> tuple[jax.Array, jax.Array]:
    """Mean and variance within the square windows that lie wholly inside the image.

    The variance is a mean of squared deviations, never the difference of two large numbers: the
    variance in a window is the mean of its rows' variances plus the variance of its rows' means.

    Args:
      planes: ``[..., H, W]``.
      weights: Weights along each axis; they sum to 1.

    Returns:
      Mean and variance, each ``[..., H - len(weights) + 1, W - len(weights) + 1]``.
    """
    return _differentiable_moments(planes, weights)


@partial(jax.jit, static_argnames="weights")
def local_covariance(first: jax.Array, second: jax.Array, weights: tuple[float, ...]) -> jax.Array:
    """Covariance within the square windows that lie wholly inside the image.

    A mean of products of deviations, as the variance of :func:`local_moments` is one of squares.

    Args:
      first: ``[..., H, W]``.
      second: Array of the same shape.
      weights: Weights along each axis; they sum to 1.

    Returns:
      ``[..., H - len(weights) + 1, W - len(weights) + 1]``.
    """
    return _differentiable_covariance(first, second, weights)


def box_downsample(
    planes: jax.Array, factor: int, *, outside: Literal["mirrored", "zero"] = "mirrored"
) -> jax.Array:
    """Means of ``factor`` x ``factor`` windows at every ``factor``-th position.

    The first window is centred on the first pixel (for an even factor, its upper left central
    position is). The same as positions ``(1:factor:end, 1:factor:end)`` of MATLAB's
    ``imfilter(planes, ones(factor) / factor^2, 'symmetric')`` for an image that is continued by its
    mirror image, or of ``conv2(planes, ones(factor) / factor^2, 'same')`` for zeros.

    Args:
      planes: ``[C, H, W]``.
      factor: At least 1.
      outside: Continuation of the image.

    Returns:
      ``[C, ceil(H / factor), ceil(W / factor)]``.
    """
    if factor == 1:
        return planes
    channels, *size = planes.shape
    rows, columns = (-(-length // factor) for length in size)
    margin = ((factor - 1) // 2, factor // 2)
    mode = "symmetric" if outside == "mirrored" else "constant"
    padded = jnp.pad(planes, ((0, 0), margin, margin), mode=mode)
    windows = padded[:, : rows * factor, : columns * factor]
    windows = windows.reshape(channels, rows, factor, columns, factor)
    return jnp.mean(windows, axis=(2, 4))


def scaled_spectrum(spectrum: jax.Array, weights: jax.Array | np.ndarray) -> jax.Array:
    """Product of a spectrum and a real filter.

    Args:
      spectrum: complex64 of any shape.
      weights: float32 of as many dimensions, each of the same length or 1.
    """
    return jax.lax.complex(spectrum.real * weights, spectrum.imag * weights)


def _moments(planes: jax.Array, weights: tuple[float, ...]) -> tuple[jax.Array, jax.Array]:
    size = len(weights)
    row_means = weighted_mean(planes, weights, axis=-1)
    row_variances = _weighted_sum(
        lambda i: jnp.square(_shifted(planes, i, size, axis=-1) - row_means), weights
    )
    means = weighted_mean(row_means, weights, axis=-2)

    def within_and_between(i: jax.Array) -> jax.Array:
        row_mean, row_variance = (
            _shifted(each, i, size, axis=-2) for each in (row_means, row_variances)
        )
        return row_variance + jnp.square(row_mean - means)

    return means, _weighted_sum(within_and_between, weights)


def _moments_forward(planes: jax.Array, weights: tuple[float, ...]):
    means, variances = _moments(planes, weights)
    return (means, variances), (planes, means)


def _moments_backward(
    weights: tuple[float, ...],
    kept: tuple[jax.Array, jax.Array],
    cotangents: tuple[jax.Array, jax.Array],
) -> tuple[jax.Array]:
    # Written by hand: JAX would keep every step of the loops, and pad once for every position.
    (planes, means), (of_means, of_variances) = kept, cotangents
    constant = _spread(of_means - 2 * of_variances * means, weights)
    return (constant + 2 * planes * _spread(of_variances, weights),)


_differentiable_moments = jax.custom_vjp(_moments, nondiff_argnums=(1,))
_differentiable_moments.defvjp(_moments_forward, _moments_backward)


def _covariance(
    first: jax.Array, second: jax.Array, weights: tuple[float, ...]
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Covariance, and the means of both."""
    size = len(weights)
    planes = (first, second)
    row_means = [weighted_mean(each, weights, axis=-1) for each in planes]
    means = [weighted_mean(each, weights, axis=-2) for each in row_means]

    def product(i: jax.Array, values: Sequence[jax.Array], centres: list[jax.Array], axis: int):
        one, other = (
            _shifted(each, i, size, axis) - centre
            for each, centre in zip(values, centres, strict=True)
        )
        return one * other

    within = _weighted_sum(lambda i: product(i, planes, row_means, -1), weights)

    def within_and_between(i: jax.Array) -> jax.Array:
        return _shifted(within, i, size, axis=-2) + product(i, row_means, means, -2)

    return _weighted_sum(within_and_between, weights), means[0], means[1]


def _covariance_forward(first: jax.Array, second: jax.Array, weights: tuple[float, ...]):
    covariance, *means = _covariance(first, second, weights)
    return covariance, (first, second, *means)


def _covariance_backward(
    weights: tuple[float, ...], kept: tuple[jax.Array, ...], cotangent: jax.Array
) -> tuple[jax.Array, jax.Array]:
    first, second, first_mean, second_mean = kept
    spread = _spread(cotangent, weights)
    return (
        second * spread - _spread(cotangent * second_mean, weights),
        first * spread - _spread(cotangent * first_mean, weights),
    )


_differentiable_covariance = jax.custom_vjp(
    lambda first, second, weights: _covariance(first, second, weights)[0], nondiff_argnums=(2,)
)
_differentiable_covariance.defvjp(_covariance_forward, _covariance_backward)


def _spread(planes: jax.Array, weights: Sequence[float]) -> jax.Array:
    """The transpose of :func:`weighted_mean` along both axes."""
    margin = (len(weights) - 1,) * 2
    padded = jnp.pad(planes, ((0, 0),) * (planes.ndim - 2) + (margin, margin))
    mirrored = weights[::-1]
    return weighted_mean(weighted_mean(padded, mirrored, axis=-1), mirrored, axis=-2)


def _shifted(planes: jax.Array, position: jax.Array, size: int, axis: int) -> jax.Array:
    """Values at one position of every window of ``size``."""
    length = planes.shape[axis] - size + 1
    return jax.lax.dynamic_slice_in_dim(planes, position, length, axis)


def _weighted_sum(term: Callable[[jax.Array], jax.Array], weights: Weights) -> jax.Array:
    """The sum over the positions of a window of ``term(position)`` times its weight."""
    # A loop, because a compiler would fuse an unrolled sum with the computation of its input and
    # repeat that for every position.
    first = term(jnp.int32(0))
    table = jnp.asarray(weights, first.dtype)
    return jax.lax.fori_loop(
        1, len(weights), lambda i, total: total + table[i] * term(i), table[0] * first
    )
