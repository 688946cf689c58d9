"""Fill missing cells from a mixture: by conditional means, by draws, or from the most probable component.

Given the observed cells of a row, component k has the probability r_k and predicts the missing cells as a Gaussian
with a mean m_k and a covariance C_k. The conditional mean is sum_k r_k m_k, and the conditional variance of a cell is
sum_k r_k (C_k + m_k^2) minus the square of that mean. Draws of several tables are multiple imputations in the sense of
Rubin (1987), given the parameters.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gaussmix.core.input_arrays import parse_rows
from gaussmix.core.linalg import cholesky_stack
from gaussmix.core.marginal_quadratics import integrate_over_missing
from gaussmix.core.missing_patterns import MissingPatterns
from gaussmix.core.random_numbers import make_generator
from gaussmix.core.scalar_checks import require_integer
from gaussmix.errors import ParameterError
from gaussmix.model.mixture import Mixture
from gaussmix.types import ND, NK, AnyArray, Array, ArrayLike, IntD

IMPUTATION_METHODS = ("mean", "draw", "mode")


@dataclass(frozen=True, eq=False)
class Imputation:
    """Rows without missing cells, and how uncertain each filled cell is.

    Attributes
    ----------
    rows : ndarray of shape (n, D), or (n_draws, n, D) for several draws
        The observed cells as they were, the others filled; in the data's units.
    standard_deviations : ndarray of shape (n, D)
        Conditional standard deviation of each filled cell given the observed cells of its row; 0 for observed cells.
        Of a transformed column it is half the distance between the values one deviation above and below the mean of
        the transformed column.
    """

    rows: Array
    standard_deviations: ND


class _FilledCells(NamedTuple):
    """The missing cells of the m rows of one pattern, in the frame: tables (T, m, j), and covariances (m, j, j)."""

    tables: Array
    covariances: Array


def impute_rows(
    mixture: Mixture,
    X: ArrayLike,
    method: str = "mean",
    n_draws: int | None = None,
    random_state: int | np.random.Generator | None = None,
) -> Imputation:
    """Fill the missing cells of rows from a mixture, given the observed cells of each row.

    Parameters
    ----------
    mixture : Mixture
    X : array-like of shape (n, D)
        Rows in the data's units; NaN, None and masked cells are missing.
    method : {'mean', 'draw', 'mode'}, default='mean'
        'mean': the conditional mean, the best guess by squared error. 'draw': random values with the conditional
        distribution, which keep variances and correlations. 'mode': the conditional mean under the most probable
        component.
    n_draws : int, optional
        Number of tables to draw, for multiple imputation. Default: one, without an axis of its own.
    random_state : int, Generator or None, default=None
        Source of the draws.

    Returns
    -------
    Imputation

    Raises
    ------
    ParameterError
        If there is no such method, or ``n_draws`` is given without draws.
    """
    if method not in IMPUTATION_METHODS:
        raise ParameterError.invalid_choice("method", method, list(IMPUTATION_METHODS))
    if n_draws is not None and method != "draw":
        raise ParameterError.invalid_value("n_draws", n_draws, "None unless method is 'draw'")
    n_tables = 1 if n_draws is None else require_integer("n_draws", n_draws, 1)
    parsed = parse_rows(X, mixture.n_features, mixture.feature_names, allow_missing=True)
    given = mixture.transform_rows(parsed)
    dependence = mixture.dependence
    rows = given if dependence is None else dependence.select_independent(given)
    tables, deviations = np.repeat(rows[None], n_tables, axis=0), np.zeros(given.shape)
    patterns, rng = MissingPatterns.from_rows(rows), make_generator(random_state)
    for is_observed, positions in zip(patterns.is_observed, patterns.rows_of_patterns, strict=True):
        if is_observed.all():
            continue
        missing = np.flatnonzero(~is_observed)
        cells = _fill_pattern(mixture, parsed[positions], rows[positions], is_observed, method, n_tables, rng)
        tables[:, positions[:, None], missing] = _restore_cells(mixture, cells.tables, missing)
        deviations[positions] = _deviations_of_all_columns(mixture, cells.covariances, missing)
    filled = np.array([_restore_rows(mixture, table, given, parsed) for table in tables])
    deviations = np.where(np.isnan(parsed), _to_half_widths(mixture, filled[0], deviations), 0.0)
    return Imputation(filled[0] if n_draws is None else filled, deviations)


def _fill_pattern(
    mixture: Mixture,
    rows_in_data_units: ND,
    rows: ND,
    is_observed: AnyArray,
    method: str,
    n_tables: int,
    rng: np.random.Generator,
) -> _FilledCells:
    """Return the missing cells of rows (m, d) of one pattern, and their conditional covariances, in the frame."""
    missing, observed = np.flatnonzero(~is_observed), np.flatnonzero(is_observed)
    probabilities = mixture.predict_proba(rows_in_data_units)
    means, covariances = _predict_cells(mixture, rows, missing, observed)
    mean = np.einsum("nk,nkj->nj", probabilities, means)
    spread = np.einsum("nk,kij->nij", probabilities, covariances)
    spread += np.einsum("nk,nki,nkj->nij", probabilities, means - mean[:, None], means - mean[:, None])
    if method == "mean":
        return _FilledCells(mean[None], spread)
    if method == "mode":
        return _FilledCells(means[np.arange(len(rows)), probabilities.argmax(axis=1)][None], spread)
    tables = [_draw_cells(mixture, probabilities, means, covariances, missing, rng) for _ in range(n_tables)]
    return _FilledCells(np.array(tables), spread)


def _predict_cells(mixture: Mixture, rows: ND, missing: IntD, observed: IntD) -> tuple[Array, Array]:
    """Return what each component predicts for the missing cells of rows (m, d): means (m, K, j), covariances (K, j, j).

    The noise, if there is one, is the last component: uniform over its box.
    """
    is_observed = np.zeros(rows.shape[1], dtype=bool)
    is_observed[observed] = True
    marginal = integrate_over_missing(replace(mixture, noise=None).to_quadratics(), is_observed[None])
    frame = mixture.frame.select_columns(observed)
    in_frame = frame.transform_rows(np.ascontiguousarray(rows[:, observed], dtype=np.float64))
    means = np.repeat(mixture.centers[None][:, :, missing], len(rows), axis=0)
    if marginal.prediction is None:
        covariances = marginal.covariance[0][:, missing, None] * np.eye(len(missing))
    else:
        differences = in_frame[:, None] - mixture.centers[None][:, :, observed]
        means = means + np.einsum("kjd,nkd->nkj", marginal.prediction[0][:, missing], differences)
        covariances = marginal.covariance[0][:, missing[:, None], missing]
    if mixture.noise is None:
        return means, covariances
    box = mixture.noise.box
    of_noise = np.tile(box.center[missing], (len(rows), 1, 1))
    variances = np.diag((box.maximum - box.minimum)[missing] ** 2 / 12.0)
    return np.concatenate([means, of_noise], axis=1), np.concatenate([covariances, variances[None]])


def _draw_cells(
    mixture: Mixture, probabilities: NK, means: Array, covariances: Array, missing: IntD, rng: np.random.Generator
) -> ND:
    """Return random values of the missing cells (m, j) with their distribution given the observed ones."""
    cumulative = np.cumsum(probabilities, axis=1)
    chosen = (rng.random(len(means))[:, None] * cumulative[:, -1:] > cumulative).sum(axis=1)
    drawn = means[np.arange(len(means)), chosen]
    factors = cholesky_stack(covariances).factors
    drawn = drawn + np.einsum("nij,nj->ni", factors[chosen], rng.normal(size=drawn.shape))
    if mixture.noise is None:
        return np.asarray(drawn)
    box = mixture.noise.box
    uniform = rng.uniform(box.minimum[missing], box.maximum[missing], drawn.shape)
    return np.asarray(np.where((chosen == mixture.n_components)[:, None], uniform, drawn))


def _restore_cells(mixture: Mixture, tables: Array, missing: IntD) -> Array:
    """Return cells (T, m, j) of the independent columns ``missing`` after the frame, before inverse transforms."""
    frame = mixture.frame.select_columns(missing)
    return np.array([frame.restore_means(table) for table in tables])


def _deviations_of_all_columns(mixture: Mixture, covariances: Array, missing: IntD) -> ND:
    """Return conditional standard deviations (m, D) of all columns, in the units of the transformed columns."""
    exponents = mixture.frame.total_exponent[missing]
    scaled = np.ldexp(covariances, -(exponents[:, None] + exponents))
    if mixture.dependence is None:
        deviations = np.zeros((len(scaled), mixture.n_features))
        deviations[:, missing] = np.sqrt(np.einsum("njj->nj", scaled))
        return deviations
    loadings = mixture.dependence.loadings[:, missing]
    return np.asarray(np.sqrt(np.maximum(np.einsum("ij,njk,ik->ni", loadings, scaled, loadings), 0.0)))


def _restore_rows(mixture: Mixture, filled: ND, given: ND, parsed: ND) -> ND:
    """Return rows (n, D) in the data's units from filled independent columns; observed cells are as they were."""
    rows = filled
    if mixture.dependence is not None:
        rows = np.where(np.isnan(given), mixture.dependence.expand_rows(filled), given)
    restored = rows if mixture.transforms is None else mixture.transforms.inverse(rows)
    return np.where(np.isnan(parsed), restored, parsed)


def _to_half_widths(mixture: Mixture, filled: ND, deviations: ND) -> ND:
    """Return deviations (n, D) in the data's units: half the distance between the values one deviation away."""
    if mixture.transforms is None:
        return deviations
    middle = mixture.transforms.forward_inside_domain(filled)
    low, high = (mixture.transforms.inverse(middle + sign * deviations) for sign in (-1.0, 1.0))
    return np.asarray(0.5 * (high - low))
