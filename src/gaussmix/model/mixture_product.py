"""Products of the densities of two mixtures."""

import math
from dataclasses import replace
from typing import Generic, NamedTuple

import numpy as np

from gaussmix.covariance import AbstractCovariance
from gaussmix.errors import ParameterError, UnrepresentableError
from gaussmix.model.column_dependence import require_independent_columns
from gaussmix.model.gaussian_algebra import concatenate_covariances, multiply_all_gaussian_pairs
from gaussmix.model.mixture_parameters import M, MixtureParameters, change_frame, require_same_columns
from gaussmix.model.noise import Noise, multiply_noise
from gaussmix.types import KD, K


class MixtureProduct(NamedTuple, Generic[M]):
    """The normalized product of two mixtures, and the natural log of the integral of their product."""

    mixture: M
    log_integral: float


def multiply_mixtures(first: M, second: M) -> MixtureProduct[M]:
    """Return the normalized product of two mixtures, and the natural log of its integral in the data's units.

    Every pair of Gaussians gives a Gaussian. A noise component multiplied by a Gaussian gives that Gaussian; the
    product of two noise components is constant and counts with the smaller box. The result is in the frame of
    ``first``.

    Raises
    ------
    ParameterError
        If the mixtures have different columns, or transformed ones.
    DependenceError
        If a mixture has linearly dependent columns.
    UnrepresentableError
        If they lie so far apart, about 1e150 standard deviations, that the integral has no logarithm.
    """
    require_same_columns("product", first, second)
    for mixture in (first, second):
        require_independent_columns(mixture, "product")
        _require_no_transforms(mixture)
    other = change_frame(second, first.frame)
    with np.errstate(divide="ignore"):
        first_logs, other_logs = np.log(first.weights), np.log(other.weights)
    centers, covariance, log_integrals = multiply_all_gaussian_pairs(
        first.centers, first.covariance, other.centers, other.covariance
    )
    log_weights: list[K] = [np.add.outer(first_logs, other_logs).ravel() + log_integrals]
    stacks: list[tuple[KD, AbstractCovariance]] = [(centers, covariance)]
    for mixture, logs, noise in ((first, first_logs, other.noise), (other, other_logs, first.noise)):
        if noise is not None:
            log_weights.append(logs + noise.log_weighted_density)
            stacks.append((mixture.centers, mixture.covariance))
    noise_product = multiply_noise(first.noise, other.noise)
    if noise_product is not None:
        log_weights.append(np.array([noise_product.log_weight]))
    logs = np.concatenate(log_weights)
    weights, log_total = _normalize_log_weights(logs)
    product = replace(
        first,
        weights=weights if noise_product is None else weights[:-1],
        centers=np.vstack([means for means, _ in stacks]),
        covariance=concatenate_covariances([part for _, part in stacks]),
        noise=None if noise_product is None else Noise(float(weights[-1]), noise_product.box),
        n_fixed_parameters=0,
    )
    return MixtureProduct(product, log_total + first.frame.log_abs_det_jacobian)


def _require_no_transforms(mixture: MixtureParameters) -> None:
    """Raise ParameterError if a factor of a product has transformed columns."""
    if mixture.transforms is not None:
        allowed = "None in both factors of a product of densities"
        raise ParameterError.invalid_value("transforms", list(mixture.transforms.names), allowed)


class _NormalizedWeights(NamedTuple):
    """Weights that add up to 1, and the natural log of the sum that they were divided by."""

    weights: K
    log_total: float


def _normalize_log_weights(log_weights: K) -> _NormalizedWeights:
    """Return weights proportional to exp(log_weights); raise an UnrepresentableError if every one underflows.

    The largest is subtracted before the sum is taken: log 2 would vanish beside logs of 1e20.
    """
    largest = float(log_weights.max())
    if not np.isfinite(largest):
        raise UnrepresentableError.product_underflows()
    relative = np.exp(log_weights - largest)
    total = float(relative.sum())
    return _NormalizedWeights(relative / total, largest + math.log(total))
