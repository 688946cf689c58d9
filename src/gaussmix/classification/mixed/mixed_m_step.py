"""The M-step of a mixture of numeric and categorical columns, with the pseudo-observations of a prior."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_prior import MixedPrior
from gaussmix.classification.mixed.mixed_rows import PatternSums
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance.base import AbstractCovariance, AbstractCovarianceEstimator
from gaussmix.covariance.estimator import make_covariance_estimator
from gaussmix.covariance.regularizer import FloorRegularizer
from gaussmix.covariance.structure import Structure
from gaussmix.types import KD, KDD, Array, D, IntD

_MIN_MASS = 1e-9  # of an empty component, so that its log weight is finite
MIN_VARIANCE = 1e-9  # of a standardised column
_MIN_PROBABILITY = 1e-12


class MStepResult(NamedTuple):
    """A mixture, and its covariances as the estimator of their structure made them: the next M-step begins there."""

    mixture: MixedMixture
    covariance: AbstractCovariance | None


@dataclass(frozen=True, eq=False)
class MixedMStep:
    """From sums over the rows to the mixture that maximises the expected log posterior density.

    Attributes
    ----------
    prior : MixedPrior
    estimator : AbstractCovarianceEstimator
        The structure of the block's covariances.
    units : ndarray of shape (b,) or None
        Units of the block's columns in which the covariances have the structure; None for those of the rows.
    diagonal_estimator : AbstractCovarianceEstimator or None
        The structure of all columns, which is axis-aligned, if the block is empty; None for one variance per component
        and column.
    """

    prior: MixedPrior
    estimator: AbstractCovarianceEstimator
    units: D | None = None
    diagonal_estimator: AbstractCovarianceEstimator | None = None

    def __call__(self, previous: MixedMixture, sums: PatternSums) -> MixedMixture:
        """Return the next mixture; class probabilities stay those of the previous one."""
        return self.update(previous, sums).mixture

    def update(
        self, previous: MixedMixture, sums: PatternSums, covariance: AbstractCovariance | None = None
    ) -> MStepResult:
        """Return the next mixture and its covariances; ``covariance`` are those of the previous M-step."""
        layout, total = previous.layout, sums.total
        mass = total[:, layout.constant] + _MIN_MASS
        means = np.empty_like(previous.means)
        variances = np.empty_like(previous.variances)
        covariances = previous.covariances
        self._estimate_independent_columns(sums, means, variances, layout.independent_columns)
        if layout.block:
            means[:, layout.block_columns], covariance = self._estimate_block(previous, sums, covariance)
            covariances = self._from_units(covariance)
        elif self.diagonal_estimator is not None and layout.n_numeric:
            covariance = self._estimate_diagonal(previous, sums, means, covariance)
            variances[:] = np.einsum("kii->ki", self._from_units(covariance))
        mixture = MixedMixture(
            layout,
            np.log(mass / mass.sum()),
            previous.class_log_probabilities,
            means,
            variances,
            covariances,
            tuple(
                _estimate_table(total[:, levels], self.prior.strength.count_levels(probabilities))
                for levels, probabilities in zip(layout.levels, self.prior.level_probabilities, strict=True)
            ),
        )
        return MStepResult(mixture, covariance)

    def _estimate_independent_columns(self, sums: PatternSums, means: KD, variances: Array, columns: IntD) -> None:
        """Set means and variances of the independent columns."""
        if not len(columns):
            return
        layout, strength = sums.layout, self.prior.strength
        mass, values, squares = (sums.total[:, kind] for kind in (layout.present, layout.values, layout.squares))
        prior_means = self.prior.means[:, columns]
        estimated = (values + strength.mean * prior_means) / np.maximum(mass + strength.mean, _MIN_MASS)
        scatter = squares - 2.0 * estimated * values + mass * estimated**2
        scatter += strength.mean * (estimated - prior_means) ** 2 + strength.covariance * self.prior.variances
        means[:, columns] = estimated
        variances[:] = np.maximum(scatter / np.maximum(mass + strength.covariance, _MIN_MASS), MIN_VARIANCE)

    def _estimate_diagonal(
        self, previous: MixedMixture, sums: PatternSums, means: KD, covariance: AbstractCovariance | None
    ) -> AbstractCovariance:
        """Return the covariances of the independent columns within the structure of ``diagonal_estimator``.

        The means (K, D) are those of the present cells, which maximise the likelihood for any variances. A missing cell
        has its previous variance.
        """
        layout, total, strength = sums.layout, sums.total, self.prior.strength
        present, values, squares = (total[:, kind] for kind in (layout.present, layout.values, layout.squares))
        mass = total[:, layout.constant]
        scatter = squares - 2.0 * means * values + present * means**2
        scatter = np.maximum(scatter, 0.0) + (mass[:, None] - present) * previous.variances
        scatter += strength.mean * (means - self.prior.means) ** 2 + strength.covariance * self.prior.variances
        moments = Moments(mass + strength.covariance, means, scatter, MomentKind.DIAGONAL)
        assert self.diagonal_estimator is not None
        return self._estimate_in_units(self.diagonal_estimator, moments, covariance)

    def _estimate_block(
        self, previous: MixedMixture, sums: PatternSums, covariance: AbstractCovariance | None
    ) -> tuple[KD, AbstractCovariance]:
        """Return means (K, b) and covariances of the block."""
        moments, strength = expect_block_moments(previous, sums), self.prior.strength
        prior_means = self.prior.means[:, previous.layout.block_columns]
        mass = np.maximum(moments.mass + strength.mean, _MIN_MASS)[:, None]
        means = (moments.mass[:, None] * moments.mean + strength.mean * prior_means) / mass
        shift = means - prior_means
        n_pseudo = strength.of_block(means.shape[1])
        scatter = moments.with_scatter_about(means).scatter + n_pseudo * self.prior.covariances
        scatter = scatter + strength.mean * shift[:, :, None] * shift[:, None, :]
        posterior = Moments(moments.mass + n_pseudo, means, scatter, moments.kind)
        return means, self._estimate_in_units(self.estimator, posterior, covariance)

    def _estimate_in_units(
        self, estimator: AbstractCovarianceEstimator, moments: Moments, covariance: AbstractCovariance | None
    ) -> AbstractCovariance:
        """Return the covariances, in the units of the structure, from moments in those of the rows."""
        if self.units is not None:
            squares = self.units[:, None] * self.units if moments.kind is MomentKind.FULL else self.units**2
            moments = Moments(moments.mass, moments.mean * self.units, moments.scatter * squares, moments.kind)
        kind = estimator.moment_kind
        return estimator.estimate(moments if kind is moments.kind else moments.to_kind(kind), covariance)

    def _from_units(self, covariance: AbstractCovariance) -> KDD:
        """Return covariance matrices (K, b, b) in the units of the rows."""
        matrices = covariance.matrices()
        symmetric = 0.5 * (matrices + np.swapaxes(matrices, 1, 2))
        return np.asarray(symmetric if self.units is None else symmetric / (self.units[:, None] * self.units))


def expect_block_moments(mixture: MixedMixture, sums: PatternSums) -> Moments:
    """Return the expected moments (K, b) of the block's columns over all rows.

    Deviations from the means of the mixture are regressed on those of the observed columns, and the covariance of
    the error is added (Ghahramani & Jordan, "Supervised learning from incomplete data via an EM approach", NIPS 6,
    1994).
    """
    means, covariances = mixture.block_means, mixture.covariances
    mass, first, second = sums.block_sums_about(means)
    if not sums.is_observed.all():
        precisions = mixture.block_precisions(sums.is_observed).matrices
        observed = sums.is_observed[:, None, :, None]
        slopes = np.where(observed, np.eye(covariances.shape[1]), covariances @ precisions)
        errors = np.where(observed | np.swapaxes(observed, 2, 3), 0.0, covariances - slopes @ covariances)
        first = np.einsum("gkij,gkj->gki", slopes, first)
        second = slopes @ second @ np.swapaxes(slopes, 2, 3) + mass[..., None, None] * errors
    return Moments.from_centered_sums(mass.sum(axis=0), means, first.sum(axis=0), second.sum(axis=0), MomentKind.FULL)


def _estimate_table(counts: Array, prior_counts: Array) -> Array:
    """Return log probabilities (K, n_levels) from counts and prior counts of the same shape."""
    total = counts + prior_counts + _MIN_PROBABILITY
    return np.asarray(np.log(total / total.sum(axis=1, keepdims=True)))


def make_block_estimator(structure: str, n_columns: int, units: D | None = None) -> AbstractCovarianceEstimator:
    """Return the estimator of a structure for ``n_columns`` standardised columns, with the variance floor.

    With ``units`` (n_columns,) the floor is that of columns in these units: the same for all, relative to the mean of
    their variances.
    """
    min_variance = MIN_VARIANCE if units is None else MIN_VARIANCE * float(np.mean(units**2))
    return make_covariance_estimator(Structure.from_name(structure), FloorRegularizer(np.full(n_columns, min_variance)))
