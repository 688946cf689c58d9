"""Search for the mixture of each number of segments, from many components down to one.

K-means, with which EM of a given number of components starts, cuts a wide column in two and joins two groups. Many
components have one in each group at least. Two that overlap are merged at a time, and EM goes on from there.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from gaussmix.classification.families.class_fits import ClassFits, prior_at, start_at
from gaussmix.classification.families.members import MixtureSpec
from gaussmix.classification.families.parameter_count import count_parameters
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.classification.mixed.log_probabilities import compute_responsibilities
from gaussmix.classification.mixed.mixed_em import EMResult, run_em
from gaussmix.classification.mixed.mixed_m_step import MixedMStep, make_block_estimator
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.core.blas import one_blas_thread
from gaussmix.core.random_numbers import make_generator
from gaussmix.core.threads import ordered_sum
from gaussmix.selection.criteria import bic
from gaussmix.types import KN, NK, N

_N_STARTS = 2
_COMPONENTS_PER_SEGMENT = 2  # of the first mixture, for the largest number of segments
_STRUCTURE = "VVV"
_TOLERANCE = 1e-4  # of the mean log posterior density per row
_MIN_MASS = 1e-300


class SegmentMixture(NamedTuple):
    """A mixture of unlabelled rows, and its criteria: lower is better.

    ICL is BIC plus twice the entropy of the memberships (Biernacki, Celeux & Govaert, IEEE PAMI 22, 2000).
    """

    mixture: MixedMixture
    bic: float
    icl: float


def search_mixtures(rows: TrainingRows, largest: int, seed: int) -> tuple[SegmentMixture, ...]:
    """Return a mixture of each number of components from 1 to ``largest``.

    EM of twice as many components starts at k-means. Then two components are merged at a time, and EM continues. They
    are those for which the entropy of the memberships falls most per row of the smaller one (after Baudry, Raftery,
    Celeux, Lo & Gottardo, "Combining mixture components for clustering", JCGS 19, 2010, who do not continue EM).

    Parameters
    ----------
    rows : TrainingRows
        Of a single class.
    largest : int
        At most the number of rows.
    seed : int
        Of the k-means starts.
    """
    with one_blas_thread():
        fits = ClassFits(rows)
        n_components = 1 if largest == 1 else min(_COMPONENTS_PER_SEGMENT * largest, rows.n_rows)
        result = _fit_best_start(fits, n_components, seed)
        found = [result]
        for _ in range(n_components - 1):
            result = _merge_two(fits, result)
            found.append(result)
        return tuple(_score_result(rows, each) for each in found[::-1][:largest])


def refit_mixture(rows: TrainingRows, mixture: MixedMixture) -> MixedMixture:
    """Return the mixture that EM finds from the memberships of rows of a single class in another one."""
    with one_blas_thread():
        return _run_from(ClassFits(rows), _compute_responsibilities(rows, mixture)).mixture


def compute_memberships(mixture: MixedMixture, rows: TrainingRows) -> NK:
    """Return the probability (n, K) of each component given the row."""
    return np.asarray(rows.mixed_rows.to_original_order(_compute_responsibilities(rows, mixture)).T)


def _fit_best_start(fits: ClassFits, n_components: int, seed: int) -> EMResult:
    """Return the fit of the highest posterior density of several k-means starts."""
    count = _N_STARTS if n_components > 1 else 1
    seeds = tuple(int(drawn) for drawn in make_generator(seed).integers(2**31, size=count))
    results = ordered_sum(lambda start: (fits.fit_class(0, n_components, start),), seeds)
    return max(results, key=lambda result: result.trace[-1])


def _merge_two(fits: ClassFits, result: EMResult) -> EMResult:
    """Return the fit with one component less."""
    rows = fits.class_rows(0).mixed_rows
    responsibilities = _compute_responsibilities(fits.class_rows(0), result.mixture)
    first, second = _choose_pair(responsibilities, rows.apply_weights(np.ones(rows.n_rows)))
    merged = np.delete(responsibilities, second, axis=0)
    merged[first] += responsibilities[second]
    return _run_from(fits, merged)


def _choose_pair(responsibilities: KN, weights: N) -> tuple[int, int]:
    """Return the two components to merge, in ascending order.

    Entropy per row of the smaller component is that of a row which could belong to either: a component without rows of
    its own goes first, and small groups that are apart stay.
    """
    masses = np.maximum(responsibilities @ weights, _MIN_MASS)
    entropies = xlogy(responsibilities, responsibilities)

    def overlap(pair: tuple[int, int]) -> float:
        first, second = pair
        joint = responsibilities[first] + responsibilities[second]
        gain = weights @ (xlogy(joint, joint) - entropies[first] - entropies[second])
        return float(gain / min(masses[first], masses[second]))

    return max(combinations(range(len(masses)), 2), key=overlap)


def _run_from(fits: ClassFits, responsibilities: KN) -> EMResult:
    """Return the fit of EM from responsibilities (K, n) of the sorted rows, with the prior of the class."""
    rows = fits.class_rows(0).mixed_rows
    prior = prior_at(fits.class_moments(0), fits.strength, len(responsibilities))
    m_step = MixedMStep(prior, make_block_estimator(_STRUCTURE, len(rows.layout.block)))
    return run_em(start_at(prior, rows.layout), rows, m_step, responsibilities, tol=_TOLERANCE)


def _compute_responsibilities(rows: TrainingRows, mixture: MixedMixture) -> KN:
    """Return the probability (K, n) of each component given the sorted rows."""
    return compute_responsibilities(mixture.compute_scores(rows.mixed_rows)).values


def _score_result(rows: TrainingRows, result: EMResult) -> SegmentMixture:
    """Return the mixture of a fit with its criteria."""
    n_parameters = count_parameters(rows.layout, MixtureSpec((result.mixture.n_components,), (_STRUCTURE,)), 1)
    criterion = bic(result.log_likelihood, n_parameters, float(rows.row_weights.sum()))
    responsibilities = _compute_responsibilities(rows, result.mixture)
    entropies = -xlogy(responsibilities, responsibilities).sum(axis=0)
    entropy = float(rows.mixed_rows.apply_weights(entropies).sum())
    return SegmentMixture(result.mixture, criterion, criterion + 2.0 * entropy)
