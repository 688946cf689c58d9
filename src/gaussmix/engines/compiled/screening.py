"""Bound the scores of components from a few projections of each row, prepared once per pass.

For any direction u, the Cauchy-Schwarz inequality gives
``(u^T (x - m_k))^2 / (u^T S_k u) <= (x - m_k)^T S_k^-1 (x - m_k)``. So one number bounds the squared
distance of a row x to component k from below, and its score from above. Each pair of a candidate b
and a component k has its own direction ``(S_k + c P)^-1 (m_b - m_k)``, which separates the two best. P is the mean
covariance; the term c P keeps the direction stable if S_k is nearly singular. All this is computed in
the few dimensions in which the means differ most, in units of P. A pair whose bound lies
53 log 2 + log K below the candidate's score is below the rounding error of the row's density and is skipped.

With very many components, each candidate has a list of components. Component k is not on the list of b
if no row within ``max_distance`` of b can be open to k. This follows from
``|u^T (x - m_k)| >= |u^T (m_b - m_k)| - sqrt(u^T S_b u) delta`` for a row at distance delta from b.
"""

import math
from typing import NamedTuple

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.precision_roots import (
    DensePrecisionRoot,
    DiagonalPrecisionRoot,
    SharedPrecisionRoot,
    SphericalPrecisionRoot,
)
from gaussmix.core.quadratics import Quadratics
from gaussmix.engines.compiled.screening_lists import (
    MAX_COMPONENTS_WITH_FULL_LISTS,
    NO_ANCHOR_CELLS,
    NO_COMPONENT_AXES,
    full_candidate_lists,
    linear_discriminants,
    make_anchor_cells,
    near_candidate_lists,
    one_candidate_list,
    pad_last_axis,
)
from gaussmix.kernels.argument_tuples import ScreeningBounds
from gaussmix.types import KD, KDD, Array

# Dimensions of the space in which bounds are computed.
MAX_BOUND_DIMENSIONS = 16

# With fewer components or features, or a smaller product of both, every distance is computed: bounds would cost as
# much.
MIN_COMPONENTS, MIN_FEATURES, MIN_COMPONENTS_TIMES_FEATURES = 6, 4, 512

# With fewer features, distances cost as much as one projection to the axes of each component.
MIN_FEATURES_WITH_ONE_LIST = 8
# A gain was measured with 1000 components, and none with 10 000.
MAX_COMPONENTS_WITH_ONE_LIST = 2048

# Diagonal, spherical and shared roots have cheap distances: with fewer multiplications per row all are computed.
MIN_MULTIPLICATIONS_PER_ROW = 4096

# Number of covariances averaged if there are many columns. Any positive definite matrix gives valid bounds.
_N_COVARIANCES_IN_MEAN = 4

# log of 2^53: the relative precision of doubles, in nats.
ROUNDING_NATS = 53 * math.log(2.0)
# Tolerance in nats if only the best component is needed.
HARD_TOLERANCE_NATS = 1e-3


def make_screening_bounds(quadratics: Quadratics, is_hard: bool) -> ScreeningBounds | None:
    """Return the bounds by which a pass skips pairs, or None if computing every pair is faster or needed."""
    n_components, n_features = quadratics.center.shape
    if not _is_screening_worthwhile(quadratics):
        return None
    factors, variances = _covariance_factors_or_variances(quadratics)
    whitening = _mean_whitening(factors, variances)
    basis = None if whitening is None else _projection_basis(quadratics, whitening)
    if basis is None:
        return None
    projected_covariances = _project_covariances(basis, factors, variances, n_components)
    center = quadratics.center @ basis
    tolerance = HARD_TOLERANCE_NATS if is_hard else rounding_tolerance_in_nats(n_components)
    # In few dimensions the bounds are written for the rows as they are, and nothing is projected.
    is_direct = n_features <= MAX_BOUND_DIMENSIONS and n_components <= MAX_COMPONENTS_WITH_FULL_LISTS
    row_basis = basis if is_direct else np.eye(basis.shape[1])
    axes = NO_COMPONENT_AXES
    if n_components <= MAX_COMPONENTS_WITH_FULL_LISTS:
        lists = full_candidate_lists(center, projected_covariances, quadratics.offset, row_basis)
        cells = NO_ANCHOR_CELLS
    else:
        near_lists = near_candidate_lists(center, projected_covariances, quadratics.offset, tolerance)
        if near_lists is not None:
            lists = near_lists
        elif (
            n_features >= MIN_FEATURES_WITH_ONE_LIST
            and n_components <= MAX_COMPONENTS_WITH_ONE_LIST
            and isinstance(quadratics.precision_root, DensePrecisionRoot)
            and np.isfinite(projected_covariances).all()
        ):
            lists, axes = one_candidate_list(center, projected_covariances, quadratics.offset)
        else:
            return None
        cells = make_anchor_cells(center, quadratics.offset)
    projection = np.empty(0) if is_direct else pad_last_axis(basis).ravel()
    discriminant = linear_discriminants(center, quadratics.offset, row_basis)
    return ScreeningBounds(*(basis.shape[1], projection, *discriminant, *lists, tolerance, *cells, *axes))


def _is_screening_worthwhile(quadratics: Quadratics) -> bool:
    """Return whether a row has enough distances that bounds cost less than computing all of them."""
    n_components, n_features = quadratics.center.shape
    n_entries = n_components * n_features
    if n_components < MIN_COMPONENTS or n_features < MIN_FEATURES or n_entries < MIN_COMPONENTS_TIMES_FEATURES:
        return False
    n_multiplications = {SharedPrecisionRoot: 1, SphericalPrecisionRoot: 1, DiagonalPrecisionRoot: 2}.get(
        type(quadratics.precision_root)
    )
    return n_multiplications is None or n_entries * n_multiplications > MIN_MULTIPLICATIONS_PER_ROW


def rounding_tolerance_in_nats(n_components: int) -> float:
    """Return log(2^53 K): a score this far below a row's best, in nats, is lost in rounding."""
    return ROUNDING_NATS + math.log(n_components)


class _FactorsOrVariances(NamedTuple):
    """Factors F (K, D, D) or (1, D, D) with F F^T = covariance, else variances (K, D), else None for both."""

    factors: KDD | None
    variances: KD | None


def _covariance_factors_or_variances(quadratics: Quadratics) -> _FactorsOrVariances:
    """Return factors F with F F^T = covariance, or for diagonal and spherical roots variances (K, D).

    F has one entry per component, or a single one for a shared root. Both are None for a low-rank root.
    """
    root, n_features = quadratics.precision_root, quadratics.n_features
    if isinstance(root, DensePrecisionRoot):
        factors = root.covariance_factors
        return _FactorsOrVariances(
            linalg.general_inverse_transposes(root.root_matrices) if factors is None else factors, None
        )
    if isinstance(root, SharedPrecisionRoot):
        factor = root.covariance_factor
        return _FactorsOrVariances(
            linalg.general_inverse_transposes(root.root_matrix[None]) if factor is None else factor[None], None
        )
    if not isinstance(root, (DiagonalPrecisionRoot, SphericalPrecisionRoot)):
        return _FactorsOrVariances(None, None)
    with np.errstate(divide="ignore"):
        variances = 1.0 / root.inverse_deviations**2
    if variances.ndim == 1:
        variances = np.repeat(variances[:, None], n_features, axis=1)
    return _FactorsOrVariances(None, variances)


def _mean_whitening(factors: KDD | None, variances: KD | None) -> Array | None:
    """Return W with W C W^T = 1 for the mean covariance C, (D, D), or its diagonal (D,) for variances; None if none.

    With many columns, C is the mean of a few components.
    """
    if variances is not None:
        mean_variances = variances.mean(axis=0)
        return 1.0 / np.sqrt(mean_variances) if np.isfinite(mean_variances).all() else None
    if factors is None:
        return None
    n_features = factors.shape[1]
    selected = (
        factors if n_features <= MAX_BOUND_DIMENSIONS else factors[:: max(1, len(factors) // _N_COVARIANCES_IN_MEAN)]
    )
    stacked = np.swapaxes(selected, 0, 1).reshape(n_features, -1)
    mean_covariance = stacked @ stacked.T / len(selected)
    factor = linalg.cholesky(mean_covariance) if np.isfinite(mean_covariance).all() else None
    return None if factor is None else linalg.invert_lower(factor)


def _projection_basis(quadratics: Quadratics, whitening: Array) -> Array | None:
    """Return directions (D, depth) in which means differ most, in units of the mean covariance, or None."""
    n_features, is_diagonal = quadratics.n_features, whitening.ndim == 1
    if n_features <= MAX_BOUND_DIMENSIONS:
        return np.ascontiguousarray(np.diag(whitening) if is_diagonal else whitening.T)
    differences = quadratics.center - quadratics.center.mean(axis=0)
    deviations = differences * whitening if is_diagonal else differences @ whitening.T
    if len(deviations) < n_features:
        values, vectors = linalg.eigh_descending(deviations @ deviations.T)
        is_significant = values[:MAX_BOUND_DIMENSIONS] > 1e-12 * values[0]
        axes = deviations.T @ (
            vectors[:, :MAX_BOUND_DIMENSIONS][:, is_significant]
            / np.sqrt(values[:MAX_BOUND_DIMENSIONS][is_significant])
        )
    else:
        axes = linalg.eigh_descending(deviations.T @ deviations)[1][:, :MAX_BOUND_DIMENSIONS]
    if not axes.shape[1]:
        return None
    return np.ascontiguousarray(whitening[:, None] * axes) if is_diagonal else whitening.T @ axes


def _project_covariances(basis: Array, factors: KDD | None, variances: KD | None, n_components: int) -> KDD:
    """Return the covariances (K, depth, depth) of the components along the basis."""
    if variances is not None:
        return np.asarray(basis.T @ (variances[:, :, None] * basis))
    projected_factors = np.swapaxes(np.asarray(factors), 1, 2) @ basis
    projected = np.swapaxes(projected_factors, 1, 2) @ projected_factors
    return np.repeat(projected, n_components, axis=0) if len(projected) < n_components else projected
