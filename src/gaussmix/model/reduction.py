"""``reduce_mixture``: a mixture with fewer components, and the same mean and covariance."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NamedTuple, TypeVar

import numpy as np

from gaussmix.core.scalar_checks import is_number_in, require_integer
from gaussmix.covariance import Structure, covariance_from_matrices
from gaussmix.errors import ParameterError, ReductionError
from gaussmix.model.component_reduction import ReducedComponents, merge_close_components
from gaussmix.model.intensity import Intensity
from gaussmix.model.mixture import Mixture
from gaussmix.model.runnalls import merge_cheapest_pairs
from gaussmix.model.validation import require_instance
from gaussmix.types import KD, KDD, K

T = TypeVar("T", Mixture, Intensity)
ReductionMethod = Literal["mahalanobis", "runnalls"]
_DEFAULT_MERGE_DISTANCE = 2.0  # the squared distance 4 of Vo & Ma 2006


class _Limits(NamedTuple):
    """Limits of a reduction that are known to be valid; infinity and None mean no limit."""

    max_components: int | None
    merge_distance: float | None
    max_divergence: float | None


def reduce_mixture(
    mixture_or_intensity: T,
    *,
    min_weight: float = 1e-5,
    max_components: int | None = None,
    merge_distance: float | None = None,
    max_divergence: float | None = None,
    method: ReductionMethod = "mahalanobis",
) -> T:
    """Return a mixture with fewer components: light ones are dropped, and similar ones merged.

    Merging keeps the weight, the mean and the covariance of the whole. The result does not depend on units or offsets.
    What is dropped raises the weights of the others, so that a mixture stays a density and an intensity keeps its mass.

    Parameters
    ----------
    mixture_or_intensity : Mixture or Intensity
        A noise component, transforms and linear relations of columns stay as they are.
    min_weight : float, default=1e-5
        Components with a smaller fraction of the weight of all Gaussians are dropped.
    max_components : int, optional
        Largest number of components. ``'mahalanobis'`` drops the lightest after merging, ``'runnalls'`` merges on.
    merge_distance : float, optional
        For ``'mahalanobis'``: components within this Mahalanobis distance of a heavier one, by their own covariance,
        are merged into it; 2 by default (Vo & Ma, IEEE Trans. Signal Processing 54, 2006, table II).
    max_divergence : float, optional
        For ``'runnalls'``: pairs are merged as long as that costs at most this much, in nats.
    method : {"mahalanobis", "runnalls"}, default="mahalanobis"
        ``'runnalls'`` merges the pair with the smallest upper bound of the Kullback-Leibler divergence from the
        mixture before, again and again (Runnalls, IEEE Trans. Aerospace and Electronic Systems 43, 2007, equation 16).

    Returns
    -------
    Mixture or Intensity
        Of the type of the input, with the structure VVV; the input itself if nothing changes.

    Raises
    ------
    ParameterError
        If a limit is not allowed, belongs to the other method, or is missing for ``'runnalls'``.

    Examples
    --------
    >>> from gaussmix import Mixture, reduce_mixture
    >>> mixture = Mixture.from_parameters([0.5, 0.3, 0.2], [[0.0], [0.1], [9.0]], [[[1.0]]] * 3)
    >>> reduce_mixture(mixture).weights.tolist()
    [0.8, 0.2]
    """
    require_instance("mixture_or_intensity", mixture_or_intensity, Mixture | Intensity, "a Mixture or an Intensity")  # type: ignore[arg-type]
    if not is_number_in(min_weight, 0.0, 1.0, includes_low=True):
        raise ParameterError.invalid_value("min_weight", min_weight, "a number of at least 0 and below 1")
    if method not in _METHODS:
        raise ParameterError.invalid_choice("method", method, list(_METHODS))
    limits = _parse_limits(max_components, merge_distance, max_divergence, method)
    if isinstance(mixture_or_intensity, Intensity):
        return replace(
            mixture_or_intensity, mixture=_reduce(mixture_or_intensity.mixture, min_weight, limits, _METHODS[method])
        )
    return _reduce(mixture_or_intensity, min_weight, limits, _METHODS[method])


def _parse_limits(
    max_components: int | None, merge_distance: float | None, max_divergence: float | None, method: str
) -> _Limits:
    """Return the limits; raise ParameterError if one is not allowed."""
    if max_components is not None:
        require_integer("max_components", max_components, 1)
    limits = {"mahalanobis": ("merge_distance", merge_distance), "runnalls": ("max_divergence", max_divergence)}
    for owner, (name, value) in limits.items():
        if value is not None and owner != method:
            raise ReductionError.other_method(name, value, method)
        if value is not None and not is_number_in(value, 0.0, np.inf, includes_low=True):
            raise ParameterError.invalid_value(name, value, "a finite number of at least 0")
    if method == "runnalls" and max_components is None and max_divergence is None:
        raise ReductionError.no_limit()
    return _Limits(max_components, merge_distance, max_divergence)


def _reduce(mixture: Mixture, min_weight: float, limits: _Limits, merge: "_Merge") -> Mixture:
    """Return a reduced mixture; the mixture itself if no component is dropped or merged."""
    total = float(mixture.weights.sum())
    if total == 0.0:  # all weight belongs to the noise
        return mixture
    kept = np.flatnonzero(mixture.weights >= min_weight * total)
    kept = kept if len(kept) else np.array([int(np.argmax(mixture.weights))])
    reduced = merge(mixture.weights[kept], mixture.centers[kept], mixture.covariance.matrices()[kept], limits)
    if len(reduced.weights) == mixture.n_components:
        return mixture
    matrices = 0.5 * (reduced.covariances + np.swapaxes(reduced.covariances, 1, 2))
    return replace(
        mixture,
        weights=reduced.weights * (total / reduced.weights.sum()),
        centers=reduced.means,
        covariance=covariance_from_matrices(Structure.from_name("VVV"), matrices, *matrices.shape[:2]),
        n_fixed_parameters=0,
    )


_Merge = Callable[[K, KD, KDD, _Limits], ReducedComponents]


def _merge_close(weights: K, means: KD, covariances: KDD, limits: _Limits) -> ReducedComponents:
    """Merge by Mahalanobis distance."""
    distance = _DEFAULT_MERGE_DISTANCE if limits.merge_distance is None else float(limits.merge_distance)
    n_kept = len(weights) if limits.max_components is None else limits.max_components
    groups = np.zeros(len(weights), dtype=np.int64)
    reduced = merge_close_components(groups, weights, means, covariances, distance**2, len(weights))
    heaviest = np.sort(np.argsort(-reduced.weights, kind="stable")[:n_kept])
    return ReducedComponents(
        reduced.positions[heaviest], reduced.weights[heaviest], reduced.means[heaviest], reduced.covariances[heaviest]
    )


def _merge_by_divergence(weights: K, means: KD, covariances: KDD, limits: _Limits) -> ReducedComponents:
    """Merge by the bound of the divergence, relative to weights that add up to 1."""
    max_cost = -math.inf if limits.max_divergence is None else float(limits.max_divergence)
    n_kept = len(weights) if limits.max_components is None else limits.max_components
    return merge_cheapest_pairs(weights / weights.sum(), means, covariances, n_kept, max_cost)


_METHODS: dict[str, _Merge] = {"mahalanobis": _merge_close, "runnalls": _merge_by_divergence}
