"""Complete rows for starts: missing cells get their conditional means under one Gaussian, itself fitted by exact EM.

Starts (k-means, trees) need numbers. Means of columns in place of missing cells would pull rows out of their groups;
conditional means keep the correlations. No likelihood ever counts them.
"""

import numpy as np

from gaussmix.core.frame import Frame
from gaussmix.core.input_arrays import has_missing_cells
from gaussmix.core.marginal_quadratics import integrate_over_missing
from gaussmix.core.missing_patterns import MissingPatterns
from gaussmix.covariance.prior import DefaultPrior
from gaussmix.covariance.structure import Structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem, make_incomplete_source, make_memory_source
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.initialization.initial_mixture import initialize_from_labels
from gaussmix.solvers.loop import run_solver
from gaussmix.solvers.stopping import MeanGainRule
from gaussmix.sources.base import AbstractSource
from gaussmix.types import KD, ND, AnyArray, N

_STOPPING_RULE = MeanGainRule(1e-4, 30)
_MAX_COLUMNS_FOR_CORRELATIONS = 100  # each pattern of missing cells costs a factorization of all columns


def make_source_to_fit(rows: AnyArray, weights: N | None) -> AbstractSource:
    """Return a source of rows (n, D) with weights (n,), in the data's units; NaN is a missing cell."""
    if not has_missing_cells(rows):
        return make_memory_source(rows, weights)
    return make_incomplete_source(rows, complete_rows(rows, weights), weights)


def complete_rows(rows: AnyArray, weights: N | None) -> ND:
    """Return rows (n, D) with conditional means in place of NaN; each column needs an observed cell."""
    averaged = fill_with_column_means(rows, weights)
    name = "full" if rows.shape[1] <= _MAX_COLUMNS_FOR_CORRELATIONS else "diag"
    problem = Problem.from_source(make_incomplete_source(rows, averaged, weights), Structure.from_name(name))
    problem = problem.with_prior(DefaultPrior(), 1)  # few rows predict badly without one
    start = initialize_from_labels(problem.of_completed_rows, np.zeros(len(rows), dtype=np.int64), 1)
    run = run_solver(EM(problem.covariance_estimator), start, problem, _STOPPING_RULE)
    return fill_with_conditional_means(rows, run.model)


def fill_with_column_means(rows: AnyArray, weights: N | None) -> ND:
    """Return rows (n, D) with the mean of the observed cells of the column in place of NaN."""
    is_observed = ~np.isnan(rows)
    counted = is_observed if weights is None else is_observed * weights[:, None]
    largest = np.abs(np.where(is_observed, rows, 0.0)).max(axis=0)
    scale = np.where(largest > 0, largest, 1.0)  # sums of scaled values do not overflow
    sums = (counted * np.where(is_observed, rows / scale, 0.0)).sum(axis=0)
    totals = counted.sum(axis=0)
    return np.where(is_observed, rows, scale * sums / np.where(totals > 0, totals, 1.0)).astype(np.float64)


def fill_with_conditional_means(rows: AnyArray, gaussian: Mixture) -> ND:
    """Return rows (n, D) with conditional means, under a mixture of one component, in place of NaN."""
    frame, quadratics = gaussian.frame, gaussian.to_quadratics()
    patterns, filled = MissingPatterns.from_rows(rows), np.array(rows, dtype=np.float64)
    for is_observed, positions in zip(patterns.is_observed, patterns.rows_of_patterns, strict=True):
        if is_observed.all():
            continue
        marginal = integrate_over_missing(quadratics, is_observed[None])
        deviations = _observed_deviations(rows[positions], frame, gaussian.centers[:1], is_observed)
        expected = np.zeros((len(positions), rows.shape[1]))
        if marginal.prediction is not None:
            expected = deviations @ marginal.prediction[0, 0].T
        restored = frame.restore_means(gaussian.centers[:1] + expected)
        missing = np.flatnonzero(~is_observed)
        filled[positions[:, None], missing] = restored[:, missing]
    return filled


def _observed_deviations(rows: AnyArray, frame: Frame, center: KD, is_observed: AnyArray) -> ND:
    """Return the deviations (m, d) of the observed columns of rows (m, D) from a center (1, D), in the frame."""
    columns = np.flatnonzero(is_observed)
    in_frame = frame.select_columns(columns).transform_rows(np.ascontiguousarray(rows[:, columns]))
    return np.asarray(in_frame - center[:, columns])
