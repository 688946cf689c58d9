"""The groups of normal rows by which a detector explains: one mixture without ridge, with few components."""

import warnings
from dataclasses import replace

import numpy as np

from gaussmix.anomaly.member import MemberOptions, fit_mixture
from gaussmix.anomaly.row_order import count_distinct_rows, number_distinct_rows
from gaussmix.anomaly.scored_columns import ScoredColumns
from gaussmix.anomaly.vouching import select_vouching_components
from gaussmix.core.frame import Frame
from gaussmix.core.random_numbers import make_generator
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
_MAX_FIT_DEVIATIONS = 1e6  # of a value: a farther one would be a group, or hide all others
_ROW_BITS = 30  # after the point, of standardised values: units change later ones, and with them the last iteration
_MAX_EXPONENT = 1020  # of two, so that the power and its reciprocal are representable


def fit_normal_groups(
    columns: ScoredColumns, normal_rows: ND, names: tuple[str, ...] | None, is_clean: bool = True
) -> Mixture:
    """Return the mixture of normal rows (n, D) in the data's units, of all columns.

    Structure and number of groups are those of lowest BIC among full and equal covariances. With fewer than five
    distinct rows per column it is one group with a ridge. Unless the rows are clean, groups too light to vouch are left
    out, as in the members of an ensemble: a light group would call rows ordinary that the score flags.
    """
    standardized = columns.standardize(normal_rows)
    columns.spread_codes(standardized, normal_rows, number_distinct_rows(normal_rows), make_generator(0))
    standardized = _drop_far_rows(_round(standardized))
    if count_distinct_rows(standardized) < _MIN_ROWS_PER_COLUMN * standardized.shape[1]:
        mixture = _fit_one_group(standardized)
    else:
        with warnings.catch_warnings():  # an explanation needs groups, not advice on how to fit them
            warnings.simplefilter("ignore", GaussmixWarning)
            best = select(standardized, _NUMBERS_OF_GROUPS, _STRUCTURES).best
        assert best.mixture is not None  # among these candidates one has rows enough
        mixture = _restore_dependent_columns(best.mixture)
        mixture = mixture if is_clean else select_vouching_components(mixture, standardized, None)
    named = replace(_to_data_units(mixture, columns), feature_names=names if columns.dependence is None else None)
    return attach_dependence(named, columns.dependence, names)


def _round(standardized: ND) -> ND:
    """Return standardised rows without their last bits, which depend on the units of the data."""
    return np.asarray(np.ldexp(np.rint(np.ldexp(standardized, _ROW_BITS)), -_ROW_BITS))


def _drop_far_rows(standardized: ND) -> ND:
    """Return the rows (m, d) without those that no score of a fit has seen as they are; all if none would be left."""
    is_near = (np.abs(standardized) < _MAX_FIT_DEVIATIONS).all(axis=1)
    return standardized[is_near] if is_near.any() else standardized


def _restore_dependent_columns(mixture: Mixture) -> Mixture:
    """Return the mixture (of d columns) with a ridge for columns that are constant or dependent among normal rows only.

    Other training rows differ there, so that these columns are scored.
    """
    dependence, part = mixture.dependence, mixture.independent_part
    if dependence is None:
        return part
    covariances = dependence.expand_covariances(part.covariances)
    covariances[:, dependence.dependent, dependence.dependent] += _RIDGE
    return Mixture.from_parameters(part.weights, dependence.expand_rows(part.means), covariances)


def _fit_one_group(standardized: ND) -> Mixture:
    """Return one Gaussian with a ridge, of standardised columns."""
    options = MemberOptions(1, Structure.from_name("VVV"), _RIDGE, True)
    near = np.clip(standardized, -_MAX_DEVIATIONS, _MAX_DEVIATIONS)  # one absurd value of few would hide the ridge
    return fit_mixture(near, None, options, seed=0)


def _to_data_units(mixture: Mixture, columns: ScoredColumns) -> Mixture:
    """Return a mixture of standardised columns in the data's units, from whose frame no variance overflows."""
    frame = _make_frame(columns)
    deviations = np.ldexp(columns.deviations, frame.total_exponent)
    covariances = mixture.covariances * np.outer(deviations, deviations)
    return replace(Mixture.from_parameters(mixture.weights, mixture.means * deviations, covariances), frame=frame)


def _make_frame(columns: ScoredColumns) -> Frame:
    """Return working coordinates in which deviations are near 1, so that no variance overflows."""
    exponents = np.clip(-np.frexp(columns.deviations)[1], -_MAX_EXPONENT, _MAX_EXPONENT).astype(np.int64)
    return Frame(exponents, np.ldexp(columns.means, exponents), np.zeros_like(exponents))
