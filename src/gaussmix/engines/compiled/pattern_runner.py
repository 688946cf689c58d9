"""Passes over rows that lack cells in compiled code: pack the rows once, call, unpack the sums."""

from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from gaussmix.core.pattern_pass import CenteredSums, PatternedRows
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.threads import ordered_sum
from gaussmix.engines.pattern_runner import AbstractPatternRunner
from gaussmix.kernels.compiled_functions import run_pattern_pass, write_pattern_scores
from gaussmix.kernels.machine_constants import SIMD_WIDTH
from gaussmix.kernels.packed_arguments import PackedArguments, pack_arguments
from gaussmix.kernels.pattern_arguments import PatternModel, PatternRows, PatternSums, PatternWorkspace
from gaussmix.types import NK, Array, IntN

_MAX_GROUPS_PER_BLOCK = 32
_MIN_ROWS_PER_PART, _MAX_PARTS = 1024, 16  # parts of the rows, which threads share
_EMPTY = np.empty((0, 0))


class _PackedPart(NamedTuple):
    """Some patterns with their rows: packed arrays, positions of the rows (m,), and the lane (m,) of each."""

    packed: PackedArguments
    positions: IntN
    lanes: IntN
    n_lanes: int


_packed_parts: WeakKeyDictionary[PatternedRows, list[_PackedPart]] = WeakKeyDictionary()


class CompiledPatternRunner(AbstractPatternRunner):
    """Passes over the patterns in compiled functions; threads share them."""

    def sum_rows(self, rows: PatternedRows, quadratics: Quadratics, is_hard: bool, adds_products: bool) -> CenteredSums:
        """Return the sums of all rows about the centers."""
        model = _pack_model(quadratics)
        return ordered_sum(
            lambda part: _sum_part(part, model, quadratics, is_hard, adds_products), _get_packed_parts(rows)
        )

    def compute_scores(self, rows: PatternedRows, quadratics: Quadratics) -> NK:
        """Return the scores (n, K) of all rows."""
        model, scores = _pack_model(quadratics), np.empty((len(rows.rows), quadratics.n_components))

        def write_part(part: _PackedPart) -> int:
            of_lanes = np.empty((quadratics.n_components, part.n_lanes))
            write_pattern_scores(part.packed, model, _make_workspace(quadratics), of_lanes)
            scores[part.positions] = of_lanes[:, part.lanes].T
            return 0

        ordered_sum(write_part, _get_packed_parts(rows))
        return scores


def _sum_part(
    part: _PackedPart, model: PackedArguments, quadratics: Quadratics, is_hard: bool, adds_products: bool
) -> CenteredSums:
    """Return the sums of the rows of some patterns."""
    n_components, n_features = quadratics.n_components, quadratics.n_features
    sums = PatternSums(
        np.zeros(n_components),
        np.zeros((n_components, n_features)),
        np.zeros((n_components, n_features, n_features)),
        np.zeros(3),
    )
    run_pattern_pass(part.packed, model, _make_workspace(quadratics), pack_arguments(sums), is_hard, adds_products)
    log_likelihood, entropy, total_log_max = (float(total) for total in sums.totals)
    n_rows = len(part.positions)
    return CenteredSums(
        sums.mass, sums.first, sums.second, log_likelihood, entropy, total_log_max, n_rows, n_rows * n_components
    )


def _pack_model(quadratics: Quadratics) -> PackedArguments:
    """Return the quadratics as packed dense arrays."""
    root = quadratics.precision_root.to_dense(quadratics.n_components, quadratics.n_features)
    sides = quadratics.log_side_lengths
    arrays = (quadratics.offset, quadratics.center, root, np.zeros(quadratics.n_features) if sides is None else sides)
    return pack_arguments(PatternModel(*(np.ascontiguousarray(array, dtype=np.float64) for array in arrays)))


def _make_workspace(quadratics: Quadratics) -> PackedArguments:
    """Return packed arrays for the pattern and the block of rows at hand."""
    n_components, n_features = quadratics.n_components, quadratics.n_features
    n_lanes = _MAX_GROUPS_PER_BLOCK * SIMD_WIDTH
    return pack_arguments(
        PatternWorkspace(
            np.empty(n_components),
            np.empty((n_components, n_features, n_features)),
            np.empty((n_components, n_lanes)),
            np.empty((n_features, n_lanes)),
            np.empty(n_lanes),
            np.empty(n_features),
            np.empty((n_features, n_features)),
            np.empty((n_features, n_features)),
            np.empty((n_features, n_features)),
            np.empty(n_features),
        )
    )


def _get_packed_parts(rows: PatternedRows) -> list[_PackedPart]:
    """Return the packed parts of rows, the same for the same object."""
    parts = _packed_parts.get(rows)
    if parts is None:
        parts = _packed_parts[rows] = [_pack_part(rows, chosen) for chosen in _divide_patterns(rows)]
    return parts


def _divide_patterns(rows: PatternedRows) -> list[IntN]:
    """Return consecutive patterns in parts of about equally many rows; the parts depend on the rows alone."""
    counts = np.array([len(positions) for positions in rows.patterns.rows_of_patterns])
    n_parts = max(1, min(_MAX_PARTS, int(counts.sum()) // _MIN_ROWS_PER_PART))
    middles = np.cumsum(counts) - 0.5 * counts
    part_of_pattern = np.minimum((middles * n_parts / counts.sum()).astype(np.int64), n_parts - 1)
    return [np.flatnonzero(part_of_pattern == part) for part in np.unique(part_of_pattern)]


def _pack_part(rows: PatternedRows, chosen: IntN) -> _PackedPart:
    """Return the rows of the chosen patterns in groups of one register per observed column."""
    is_observed = rows.patterns.is_observed[chosen]
    positions = [rows.patterns.rows_of_patterns[pattern] for pattern in chosen.tolist()]
    n_groups = np.array([-(-len(members) // SIMD_WIDTH) for members in positions], dtype=np.int64)
    first_group = np.concatenate([[0], np.cumsum(n_groups)]).astype(np.int64)
    n_lanes = int(first_group[-1]) * SIMD_WIDTH
    of_rows = np.concatenate(positions)
    starts = (first_group[:-1] * SIMD_WIDTH).tolist()
    lanes = np.concatenate([start + np.arange(len(members)) for start, members in zip(starts, positions, strict=True)])
    weights = np.zeros(n_lanes)
    weights[lanes] = 1.0 if rows.weights is None else rows.weights[of_rows]
    values = [
        _group_values(rows.rows[members[:, None], np.flatnonzero(observed)])
        for members, observed in zip(positions, is_observed, strict=True)
    ]
    sizes = np.array([len(part) for part in values], dtype=np.int64)
    packed = PatternRows(
        np.concatenate(values),
        weights,
        first_group,
        np.cumsum(sizes) - sizes,
        np.argsort(is_observed, axis=1, kind="stable").astype(np.int64),
        np.count_nonzero(~is_observed, axis=1).astype(np.int64),
        _EMPTY if rows.log_prior is None else _spread_over_lanes(rows.log_prior[of_rows], lanes, n_lanes),
    )
    return _PackedPart(pack_arguments(packed), of_rows, lanes, n_lanes)


def _group_values(rows: Array) -> Array:
    """Return the values of rows (m, d) in groups of one register per column, filled up with zeros, flat."""
    n_rows, n_columns = rows.shape
    groups = np.zeros((-(-n_rows // SIMD_WIDTH), SIMD_WIDTH, n_columns))
    groups.reshape(len(groups) * SIMD_WIDTH, n_columns)[:n_rows] = rows
    return np.ascontiguousarray(groups.swapaxes(1, 2)).ravel()


def _spread_over_lanes(log_prior: NK, lanes: IntN, n_lanes: int) -> Array:
    """Return the log prior (m, K) of rows at their lanes, (K, n_lanes)."""
    spread = np.zeros((log_prior.shape[1], n_lanes))
    spread[:, lanes] = log_prior.T
    return spread
