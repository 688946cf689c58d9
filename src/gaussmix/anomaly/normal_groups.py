"""The groups of normal rows by which a detector explains: one mixture without ridge, with few components."""

import warnings
from dataclasses import replace

import numpy as np

from gaussmix.anomaly.member import MemberOptions, fit_mixture
from gaussmix.anomaly.row_order import count_distinct_rows
from gaussmix.anomaly.scored_columns import ScoredColumns
from gaussmix.core.frame import Frame
from gaussmix.covariance import Structure
from gaussmix.errors import GaussmixWarning
from gaussmix.model import Mixture
from gaussmix.model.column_dependence import attach_dependence
from gaussmix.selection import select
from gaussmix.types import ND

MAX_ROWS = 2000
_NUMBERS_OF_GROUPS = range(1, 10)
_STRUCTURES = ("VVV", "EEE")
_MIN_ROWS_PER_COLUMN = 5
_RIDGE = 0.1  # in squared deviations, where there are too few rows for covariances without one
_MAX_DEVIATIONS = 10.0  # of a value, where rows are few
_MAX_EXPONENT = 1020  # of two, so that the power and its reciprocal are representable


def fit_normal_groups(columns: ScoredColumns, normal_rows: ND, names: tuple[str, ...] | None) -> Mixture:
    """Return the mixture of normal rows (n, D) in the data's units, of all columns.

    Structure and number of groups are those of lowest BIC among full and equal covariances. With fewer than five
    distinct rows per column it is one group with a ridge.
    """
    kept = normal_rows if columns.dependence is None else columns.dependence.select_independent(normal_rows)
    if count_distinct_rows(kept) < _MIN_ROWS_PER_COLUMN * kept.shape[1]:
        mixture = _fit_one_group(columns, columns.center(normal_rows))
    else:
        with warnings.catch_warnings():  # an explanation needs groups, not advice on how to fit them
            warnings.simplefilter("ignore", GaussmixWarning)
            best = select(kept, _NUMBERS_OF_GROUPS, _STRUCTURES).best
        assert best.mixture is not None  # among these candidates one has rows enough
        mixture = _restore_dependent_columns(best.mixture, columns)
    named = replace(mixture, feature_names=names if columns.dependence is None else None)
    return attach_dependence(named, columns.dependence, names)


def _restore_dependent_columns(mixture: Mixture, columns: ScoredColumns) -> Mixture:
    """Return the mixture (of d columns) with a ridge for columns that are constant or dependent among normal rows only.

    Other training rows differ there, so that these columns are scored.
    """
    dependence, part = mixture.dependence, mixture.independent_part
    if dependence is None:
        return part
    frame = _make_frame(columns)
    covariances = frame.transform_covariances(dependence.expand_covariances(part.covariances))
    dependent = dependence.dependent
    ridge_roots = np.ldexp(columns.deviations, frame.total_exponent)[dependent]
    covariances[:, dependent, dependent] += _RIDGE * np.square(ridge_roots)
    means = frame.transform_rows(dependence.expand_rows(part.means))
    return replace(Mixture.from_parameters(part.weights, means, covariances), frame=frame)


def _fit_one_group(columns: ScoredColumns, standardized: ND) -> Mixture:
    """Return one Gaussian with a ridge, in the data's units of the independent columns."""
    options = MemberOptions(1, Structure.from_name("VVV"), _RIDGE, True)
    near = np.clip(standardized, -_MAX_DEVIATIONS, _MAX_DEVIATIONS)  # one absurd value of few would hide the ridge
    mixture = fit_mixture(near, None, options, seed=0)
    frame = _make_frame(columns)
    deviations = np.ldexp(columns.deviations, frame.total_exponent)
    covariances = mixture.covariances * np.outer(deviations, deviations)
    return replace(Mixture.from_parameters(mixture.weights, mixture.means * deviations, covariances), frame=frame)


def _make_frame(columns: ScoredColumns) -> Frame:
    """Return working coordinates in which deviations are near 1, so that no variance overflows."""
    exponents = np.clip(-np.frexp(columns.deviations)[1], -_MAX_EXPONENT, _MAX_EXPONENT).astype(np.int64)
    return Frame(exponents, np.ldexp(columns.means, exponents), np.zeros_like(exponents))
