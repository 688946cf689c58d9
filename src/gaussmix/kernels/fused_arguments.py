"""The argument tuples of a fused EM run."""

from collections import namedtuple
from typing import NamedTuple, get_type_hints

from gaussmix.kernels.field_types import Doubles1, Doubles2, Doubles3, Integers1, Integers2


class FusedRows(NamedTuple):
    """The rows of a fused EM run in groups, filled up to whole groups.

    ``row_groups`` (n_groups, D, SIMD_WIDTH) are in working coordinates, ``row_weights`` (n_groups, SIMD_WIDTH) are 0
    for filled rows, and ``known_components`` (n_groups, SIMD_WIDTH) are doubles, -1 if unknown, of length 0 without
    labels.
    """

    row_groups: Doubles3
    row_weights: Doubles2
    known_components: Doubles2


class FusedConstants(NamedTuple):
    """The order in which axes are rotated, and the prior of a fused EM run.

    ``prior_strength`` (2,) is shrinkage and mass of the prior, with ``prior_location`` (D,) and ``prior_scatter``
    (D, D); arrays of length 0 without a prior.
    """

    axis_pairs: Integers2
    prior_strength: Doubles1
    prior_location: Doubles1
    prior_scatter: Doubles2


class FusedParameters(NamedTuple):
    """The parameters of a fused EM run, which it overwrites, and its results.

    ``noise`` is weight, log density and mass of the noise component, of length 0 without one. Parameters:
    ``component_weights`` (K,), ``center`` (K, D), ``axis_variances`` (K, D) along ``axes`` (K, D, D) and
    ``covariance`` (K, D, D). ``covariance_factor`` is the Cholesky factor of ``covariance``, ``min_variances`` (D,) the
    variance floor. Results: ``log_likelihoods`` has one value per iteration; ``totals`` (3,) are log-likelihood,
    entropy, and the summed log of the largest responsibility of the last E-step.
    """

    component_weights: Doubles1
    noise: Doubles1
    center: Doubles2
    axis_variances: Doubles2
    axes: Doubles3
    covariance: Doubles3
    covariance_factor: Doubles3
    min_variances: Doubles1
    log_likelihoods: Doubles1
    totals: Doubles1


class FusedWorkspace(NamedTuple):
    """The arrays of a fused EM run that nobody reads afterwards; all threads of the run share them.

    ``precision_root`` (K, D, D) is the inverse of the Cholesky factor. Sums: ``mass``, ``first_moments``, ``scatter``,
    and those of each chunk of rows, ``chunk_sums`` (n_chunks, n_sums). ``control`` coordinates the threads
    (fused/chunks.py). The others are the next parameters and buffers. Axis-aligned structures have no matrices, but for
    one row (K, 1, D) of precision roots and of scatter.
    """

    precision_root: Doubles3
    log_determinant: Doubles1
    mass: Doubles1
    first_moments: Doubles2
    scatter: Doubles3
    chunk_sums: Doubles2
    control: Integers1
    next_axis_variances: Doubles2
    next_axes: Doubles3
    next_covariance_factor: Doubles3
    next_precision_root: Doubles3
    score_offset: Doubles1
    component_buffer: Doubles1
    feature_buffer: Doubles1
    axis_scatter: Doubles2
    matrix_buffer: Doubles2
    rotated_scatter: Doubles3


class FusedBuffers(NamedTuple):
    """The arrays that each thread of a fused EM run has for itself.

    ``lane_sums`` (K, 1 + D + number of products, SIMD_WIDTH) are the sums of a chunk before the lanes are added.
    """

    lane_sums: Doubles3
    responsibilities: Doubles3
    best_scores: Doubles2
    difference_buffer: Doubles3
    group_differences: Doubles3
    group_weighted_differences: Doubles3


# All arrays of a fused EM run.
_FUSED_PARTS = (FusedRows, FusedConstants, FusedParameters, FusedWorkspace, FusedBuffers)
FusedState = namedtuple("FusedState", [field for part in _FUSED_PARTS for field in part._fields])  # type: ignore[misc]
FusedState.__annotations__ = {
    name: kind for part in _FUSED_PARTS for name, kind in get_type_hints(part, include_extras=True).items()
}
