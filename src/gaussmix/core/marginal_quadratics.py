"""Quadratics of rows that lack cells: the density of a score is integrated over the missing columns.

The density exp(score) of a component is Gaussian up to a factor. Its integral over the missing columns is the score of
the observed ones, and its conditional mean and covariance are what an E-step expects of the missing cells. So every
model that scores rows by quadratics has exact E-steps over missing cells, in the sense of Ghahramani & Jordan,
"Supervised learning from incomplete data via an EM approach", NIPS 6, 1994: mixtures, posteriors of variational Bayes,
tempered models.

With R R^T the precision, and the columns of R^T sorted so that the missing ones come first, the QR decomposition
R^T = Q [[U, V], [0, W]] says it all: W is the root of the observed columns, -U^-1 V predicts the missing ones from
them, and (U^T U)^-1 is their conditional covariance. Orthogonal transformations lose no digit where a Schur complement
of precisions would cancel.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.core.linalg import qr_triangles, triangular_inverse_transposes
from gaussmix.core.precision_roots import (
    AbstractPrecisionRoot,
    DensePrecisionRoot,
    DiagonalPrecisionRoot,
    SphericalPrecisionRoot,
)
from gaussmix.core.quadratics import Quadratics
from gaussmix.types import KD, Array, BoolK, BoolPD, IntD

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


@dataclass(frozen=True)
class MarginalQuadratics:
    """The quadratics of P patterns with d observed columns each, and what they predict for the missing columns.

    Attributes
    ----------
    observed : ndarray of int64 of shape (P, d)
        Positions of the observed columns, ascending.
    offset : ndarray of shape (P, K)
    root : ndarray of shape (P, K, d, d)
        Upper triangular precision roots of the observed columns; (P, K, d) if all columns are independent.
    prediction : ndarray of shape (P, K, D, d), or None
        Takes deviations of the observed columns from the center to expected deviations of all columns; None if all
        columns are independent, so that missing ones are expected at the center.
    covariance : ndarray of shape (P, K, D, D)
        Conditional covariance of all columns, zero at observed ones; (P, K, D) if all columns are independent.
    """

    observed: IntD
    center: KD
    offset: Array
    root: Array
    prediction: Array | None
    covariance: Array

    def quadratics_of_pattern(self, pattern: int) -> Quadratics:
        """Return the quadratics of the observed columns of one pattern; without any, of one that counts nothing."""
        root = self.root[pattern]
        if not self.observed.shape[1]:
            n_components = len(self.center)
            no_precision = SphericalPrecisionRoot(np.zeros(n_components))
            return Quadratics(self.offset[pattern], np.zeros((n_components, 1)), no_precision)
        precision_root: AbstractPrecisionRoot = (
            DiagonalPrecisionRoot(root) if self.prediction is None else DensePrecisionRoot(root)
        )
        return Quadratics(self.offset[pattern], self.center[:, self.observed[pattern]], precision_root)


def integrate_over_missing(quadratics: Quadratics, is_observed: BoolPD) -> MarginalQuadratics:
    """Return the quadratics of patterns of observed columns, (P, D), which all have the same number of them.

    A component whose root is zero is the uniform noise of a box: it stays uniform over the observed sides of the box.
    """
    n_missing = is_observed.shape[1] - int(is_observed[0].sum())
    order = np.argsort(is_observed, axis=1, kind="stable")
    columns = _SplitColumns(order[:, :n_missing], order[:, n_missing:])
    if isinstance(quadratics.precision_root, DiagonalPrecisionRoot | SphericalPrecisionRoot):
        return _integrate_independent_columns(quadratics, is_observed, columns.observed)
    return _integrate_dependent_columns(quadratics, is_observed, columns)


class _SplitColumns(NamedTuple):
    """Positions of the missing columns (P, m) and of the observed ones (P, d) of each pattern, ascending."""

    missing: IntD
    observed: IntD


def _integrate_dependent_columns(
    quadratics: Quadratics, is_observed: BoolPD, columns: _SplitColumns
) -> MarginalQuadratics:
    """Return the quadratics of patterns of columns that depend on one another within a component."""
    missing, observed = columns
    n_missing, n_features = missing.shape[1], is_observed.shape[1]
    roots = quadratics.precision_root.to_dense(quadratics.n_components, n_features)
    is_uniform = np.asarray((roots == 0).all(axis=(1, 2)))
    regular = np.where(is_uniform[:, None, None], np.eye(n_features), roots)
    # The missing columns come first. Then the observed ones descend, which makes their root upper triangular.
    sorted_columns = np.concatenate([missing, observed[:, ::-1]], axis=1)
    triangles = qr_triangles(np.swapaxes(regular, 1, 2)[:, :, sorted_columns].transpose(2, 0, 1, 3))
    root = np.swapaxes(triangles[..., n_missing:, n_missing:], 2, 3)[..., ::-1, ::-1].copy()
    root[:, is_uniform] = 0.0
    log_diagonals = np.log(np.einsum("pkii->pki", triangles)[..., :n_missing])
    log_integrals = n_missing * _HALF_LOG_TWO_PI - log_diagonals.sum(axis=2)
    offset = _add_log_integrals(quadratics, log_integrals, is_uniform, is_observed)
    lower = np.swapaxes(triangles[..., :n_missing, :n_missing], 2, 3)
    inverse = triangular_inverse_transposes(lower.reshape(-1, n_missing, n_missing)).reshape(lower.shape)
    of_missing = -inverse @ triangles[..., :n_missing, n_missing:][..., ::-1]
    of_missing[:, is_uniform], inverse[:, is_uniform] = 0.0, 0.0
    prediction, covariance = _embed_missing(columns, of_missing, inverse @ np.swapaxes(inverse, 2, 3))
    return MarginalQuadratics(observed, quadratics.center, offset, root, prediction, covariance)


def _embed_missing(columns: _SplitColumns, of_missing: Array, covariance_of_missing: Array) -> tuple[Array, Array]:
    """Return predictions (P, K, D, d) and covariances (P, K, D, D) of all columns from those of the missing ones.

    The missing columns have the predictions (P, K, m, d) and the covariances (P, K, m, m).
    """
    missing, observed = columns
    n_patterns, n_components, n_missing, n_observed = of_missing.shape
    prediction = np.zeros((n_patterns, n_components, n_missing + n_observed, n_observed))
    covariance = np.zeros((n_patterns, n_components, n_missing + n_observed, n_missing + n_observed))
    rows = np.arange(n_patterns)[:, None]
    prediction[rows, :, observed, np.arange(n_observed)] = 1.0
    prediction[rows, :, missing] = of_missing.transpose(0, 2, 1, 3)
    covariance[rows[..., None], :, missing[:, :, None], missing[:, None]] = covariance_of_missing.transpose(0, 2, 3, 1)
    return prediction, covariance


def _integrate_independent_columns(quadratics: Quadratics, is_observed: BoolPD, observed: IntD) -> MarginalQuadratics:
    """Return the quadratics of patterns of independent columns."""
    n_components, n_features = quadratics.center.shape
    dense = quadratics.precision_root
    inverse_deviations = (
        dense.inverse_deviations
        if isinstance(dense, DiagonalPrecisionRoot)
        else np.einsum("kii->ki", dense.to_dense(n_components, n_features))
    )
    is_uniform = np.asarray((inverse_deviations == 0).all(axis=1))
    regular = np.where(is_uniform[:, None], 1.0, inverse_deviations)
    log_integrals = (~is_observed[:, None, :] * (_HALF_LOG_TWO_PI - np.log(regular))).sum(axis=2)
    offset = _add_log_integrals(quadratics, log_integrals, is_uniform, is_observed)
    variances = np.where(is_uniform[:, None], 0.0, regular**-2.0)
    root = np.moveaxis(inverse_deviations[:, observed], 1, 0)
    covariance = np.where(is_observed[:, None, :], 0.0, variances)
    return MarginalQuadratics(observed, quadratics.center, offset, root, None, covariance)


def _add_log_integrals(quadratics: Quadratics, log_integrals: Array, is_uniform: BoolK, is_observed: BoolPD) -> Array:
    """Return the offsets (P, K) after the integrals of Gaussians, and of uniform densities over sides of their box."""
    sides = quadratics.log_side_lengths
    of_uniform = np.zeros(len(is_observed)) if sides is None else np.where(is_observed, 0.0, sides).sum(axis=1)
    return np.asarray(quadratics.offset + np.where(is_uniform, of_uniform[:, None], log_integrals))
