"""Sums of rows that lack cells: those of observed columns become those of all, with expected values for the rest."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.marginal_quadratics import MarginalQuadratics, integrate_over_missing
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.pattern_pass import CenteredSums
from gaussmix.core.quadratics import Quadratics
from gaussmix.types import KD, Array, BoolPD, IntN

_MAX_NUMBERS_AT_ONCE = 1 << 21  # of the roots of the patterns that are integrated together


class PatternGroup(NamedTuple):
    """Patterns with the same number of observed columns: their positions, and their integrated quadratics."""

    patterns: IntN
    marginal: MarginalQuadratics


def iterate_pattern_groups(quadratics: Quadratics, is_observed: BoolPD, patterns: IntN) -> Iterator[PatternGroup]:
    """Yield those of some patterns that lack cells, the ones with equally many observed columns together."""
    n_observed, n_features = is_observed[patterns].sum(axis=1), is_observed.shape[1]
    max_patterns = max(1, _MAX_NUMBERS_AT_ONCE // (quadratics.n_components * n_features**2))
    for count in np.unique(n_observed[n_observed < n_features]):
        members = patterns[n_observed == count]
        for start in range(0, len(members), max_patterns):
            chosen = members[start : start + max_patterns]
            yield PatternGroup(chosen, integrate_over_missing(quadratics, is_observed[chosen]))


def center_sums(expectation: Expectation, center: KD) -> CenteredSums:
    """Return the sums about the centers (K, d) of a model that the moments of an expectation come from."""
    moments = expectation.moments.with_scatter_about(center)
    first = moments.mass[:, None] * (expectation.moments.mean - center)
    return CenteredSums(
        moments.mass,
        np.where((moments.mass > 0)[:, None], first, 0.0),
        moments.scatter,
        expectation.log_likelihood,
        expectation.entropy,
        expectation.total_log_max_responsibility,
        expectation.n_rows,
        expectation.n_distances,
    )


def add_lifted_sums(
    marginal: MarginalQuadratics, sums: list[CenteredSums], observed_kind: MomentKind, kind: MomentKind
) -> CenteredSums:
    """Return the total of the sums of each pattern's observed columns as sums of all columns.

    ``sums`` have one element for each pattern, of the kind ``observed_kind``; the total is of ``kind``.
    """
    mass, n_observed = np.array([part.mass for part in sums]), marginal.observed.shape[1]
    first = np.array([part.first[:, :n_observed] for part in sums])
    second = np.array([_keep_columns(part.second, observed_kind, n_observed) for part in sums])
    return CenteredSums(
        mass.sum(axis=0),
        _lift_first_moments(marginal, first),
        _lift_second_moments(marginal, mass, second, kind),
        sum(part.log_likelihood for part in sums),
        sum(part.entropy for part in sums),
        sum(part.total_log_max_responsibility for part in sums),
        sum(part.n_rows for part in sums),
        sum(part.n_distances for part in sums),
    )


def _keep_columns(second: Array, kind: MomentKind, n_columns: int) -> Array:
    """Return the sums of products of the first columns; a row without observed cells has one column that is none."""
    if kind is MomentKind.FULL:
        return second[:, :n_columns, :n_columns]
    return second[:, :n_columns] if kind is MomentKind.DIAGONAL else second


def _lift_first_moments(marginal: MarginalQuadratics, first: Array) -> KD:
    """Return the sums of deviations of all columns (K, D), added over patterns, from observed ones (P, K, d)."""
    n_components, n_features = marginal.center.shape
    if marginal.prediction is not None:
        return np.asarray((marginal.prediction @ first[..., None])[..., 0].sum(axis=0))
    total = np.zeros((n_components, n_features))
    np.add.at(total.T, marginal.observed, first.transpose(0, 2, 1))
    return total


def _lift_second_moments(marginal: MarginalQuadratics, mass: Array, second: Array, kind: MomentKind) -> Array:
    """Return the sums of products of all columns in the shape of a kind, added over patterns.

    ``mass`` is (P, K). ``second`` are those of the observed columns: full where columns depend on one another, else of
    the kind itself.
    """
    if kind is MomentKind.NONE:
        return np.zeros((len(marginal.center), 0))
    if marginal.prediction is not None:
        lifted = marginal.prediction @ second @ np.swapaxes(marginal.prediction, 2, 3)
        full = (lifted + mass[..., None, None] * marginal.covariance).sum(axis=0)
        return Moments(mass.sum(axis=0), marginal.center, full, MomentKind.FULL).to_kind(kind).scatter
    if kind is MomentKind.TRACE:
        return np.asarray((second + mass * marginal.covariance.sum(axis=2)).sum(axis=0))
    total = np.einsum("pk,pkj->kj", mass, marginal.covariance)
    if kind is MomentKind.DIAGONAL:
        np.add.at(total.T, marginal.observed, second.transpose(0, 2, 1))
        return np.asarray(total)
    full = np.zeros((*marginal.center.shape, marginal.center.shape[1]))
    for columns, products in zip(marginal.observed, second, strict=True):
        full[:, columns[:, None], columns] += products
    return np.asarray(full + total[:, :, None] * np.eye(full.shape[1]))
