"""The argument tuples of a pass over rows that lack cells."""

from typing import NamedTuple

from gaussmix.kernels.field_types import Doubles1, Doubles2, Doubles3, Integers1, Integers2


class PatternRows(NamedTuple):
    """Rows sorted by their pattern of missing cells; the rows of a pattern fill groups of one register per column.

    Attributes
    ----------
    values : ndarray
        Observed values in the frame, group by group: one register for each observed column.
    weights : ndarray of shape (n_groups * SIMD_WIDTH,)
        Weights of the rows, 0 for those that fill up a group.
    first_group : ndarray of shape (P + 1,)
        The first group of each pattern, and the number of groups.
    first_value : ndarray of shape (P,)
        Where the values of each pattern begin.
    columns : ndarray of shape (P, D)
        The missing columns of each pattern, then the observed ones; ascending each.
    n_missing : ndarray of shape (P,)
    log_prior : ndarray of shape (K, n_groups * SIMD_WIDTH)
        Log prior of the components, of shape (0, 0) without one.
    """

    values: Doubles1
    weights: Doubles1
    first_group: Integers1
    first_value: Integers1
    columns: Integers2
    n_missing: Integers1
    log_prior: Doubles2


class PatternModel(NamedTuple):
    """Quadratics as dense arrays.

    ``root`` (K, D, D) is zero for a component that is uniform in a box whose sides have the logs ``log_side_lengths``
    (D,).
    """

    offset: Doubles1
    center: Doubles2
    root: Doubles3
    log_side_lengths: Doubles1


class PatternSums(NamedTuple):
    """Sums about the centers, to which a pass adds: mass (K,), first (K, D), second (K, D, D), and three totals.

    The totals are log-likelihood, entropy, and the summed log of the largest responsibility.
    """

    mass: Doubles1
    first: Doubles2
    second: Doubles3
    totals: Doubles1


class PatternWorkspace(NamedTuple):
    """What a pass keeps of the pattern at hand.

    ``triangles`` (K, D, D) are the roots of each component after the missing columns are eliminated. ``scores``
    (K, groups * SIMD_WIDTH) are scores, then responsibilities, of the rows of a block. ``differences`` (D, groups *
    SIMD_WIDTH) are rows minus a center, ``weighted`` (groups * SIMD_WIDTH,) a column of them times responsibilities,
    ``first_moments`` (D,) and ``products`` (D, D) their sums. ``predictions`` (D, D) predict missing columns;
    ``inverse`` (D, D) and ``buffer`` (D,) are for small matrices.
    """

    offset: Doubles1
    triangles: Doubles3
    scores: Doubles2
    differences: Doubles2
    weighted: Doubles1
    first_moments: Doubles1
    products: Doubles2
    predictions: Doubles2
    inverse: Doubles2
    buffer: Doubles1
