"""Initial mixtures from labels, moments or parameters, and the order of their components."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gaussmix.core.label_prior import KnownComponents, LabelPrior
from gaussmix.core.moments import MomentKind, Moments, compute_group_moments
from gaussmix.core.quadratics import CentersModel
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.model.mixture import Mixture, mixture_from_moments
from gaussmix.model.problem import Problem
from gaussmix.solvers.fused_m_step import fit_first_covariances
from gaussmix.types import KD, D, IntK, IntN, K

_TIE_TOLERANCE_IN_SDS = 1e-6  # closer means are ties, and the next column decides


def initialize_from_moments(problem: Problem, moments: Moments) -> Mixture:
    """Return the mixture of an M-step of moments: weight, mean and covariance of each component."""
    estimator, frame = problem.covariance_estimator, problem.source.frame
    covariance = fit_first_covariances(problem, estimator.with_prior(moments))
    return mixture_from_moments(moments, estimator, frame, problem.feature_names, covariance=covariance)


def initialize_from_label_prior(problem: Problem, label_prior: LabelPrior, n_components: int) -> Mixture:
    """Return the mixture of an M-step in which the responsibilities of each row are those of ``label_prior``."""
    kind = problem.covariance_estimator.moment_kind
    return initialize_from_moments(problem, partition_moments(problem, label_prior, n_components, kind))


def initialize_from_labels(problem: Problem, labels: IntN, n_components: int) -> Mixture:
    """Return the mixture of one Gaussian for each label 0 to K - 1; rows of -1 belong equally to all."""
    return initialize_from_label_prior(problem, KnownComponents(labels), n_components)


def partition_moments(problem: Problem, label_prior: LabelPrior, n_components: int, kind: MomentKind) -> Moments:
    """Return the moments of the components whose responsibilities ``label_prior`` gives, in two passes."""
    few_rows = problem.rows_and_known_labels_for_fused_run
    if few_rows is not None and isinstance(label_prior, KnownComponents):
        label_prior.require_components(len(few_rows.rows), n_components, first_row=0)
        has_weight = True if few_rows.row_weights is None else few_rows.row_weights > 0
        if not ((label_prior.labels < 0) & has_weight).any():
            return compute_group_moments(*few_rows[:2], label_prior.labels, n_components, kind)
    source = problem.source.with_label_prior(label_prior)
    session, origin = problem.engine.bind(source), np.zeros((n_components, source.n_features))
    moments = session.e_step(CentersModel.uniform(origin), MomentKind.TRACE).moments
    return session.e_step(CentersModel.uniform(moments.mean), kind).moments


def replace_parameters(
    start: Mixture, weights: K | None, centers: KD | None, covariance: AbstractCovariance | None
) -> Mixture:
    """Return a mixture with the parameters that are not None replaced; they are given in its frame."""
    return replace(
        start,
        weights=start.weights if weights is None else weights,
        centers=start.centers if centers is None else centers,
        covariance=start.covariance if covariance is None else covariance,
    )


def argsort_components_by_mean(centers: KD, standard_deviations: D) -> IntK:
    """Return the positions (K,) that sort components by increasing mean of the first column, ties by the next.

    Means tie if the gap between them is small. Rounding the means to a grid would depend on the frame's origin.
    """
    min_gaps = _TIE_TOLERANCE_IN_SDS * np.where(standard_deviations > 0, standard_deviations, 1.0)
    first_order = np.argsort(centers[:, 0], kind="stable")
    leading = centers[first_order, 0]
    if (leading[1:] - leading[:-1] > min_gaps[0]).all():  # without ties no other column counts
        return np.asarray(first_order)
    order = np.argsort(centers, axis=0, kind="stable")
    gaps = np.diff(np.take_along_axis(centers, order, axis=0), axis=0, prepend=-np.inf)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.cumsum(gaps > min_gaps, axis=0), axis=0)
    return np.lexsort(ranks.T[::-1])


def argsort_free_components_by_mean(mixture: Mixture, problem: Problem, fixed_positions: Sequence[int] = ()) -> IntK:
    """Return the positions (K,) that sort the components by their means; those at ``fixed_positions`` stay."""
    order = np.arange(mixture.n_components)
    movable = np.delete(order, fixed_positions) if len(fixed_positions) else order.copy()
    order[movable] = movable[argsort_components_by_mean(mixture.centers[movable], np.sqrt(problem.column_variances))]
    return order


def sort_components_by_mean(mixture: Mixture, problem: Problem, fixed_positions: Sequence[int] = ()) -> Mixture:
    """Return the mixture with its components sorted by their means; those at ``fixed_positions`` stay."""
    return mixture.permute_components(argsort_free_components_by_mean(mixture, problem, fixed_positions))
