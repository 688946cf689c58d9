"""Search structures and numbers of components for complete numeric rows, by the search of ``gaussmix.select``."""

from collections.abc import Sequence

import numpy as np

from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.core.random_numbers import make_generator
from gaussmix.covariance.structure import Structure
from gaussmix.engines.resolver import resolve_engine
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import make_memory_source
from gaussmix.selection.candidates import Candidate, candidate_sort_key
from gaussmix.selection.parallel_tasks import default_n_workers
from gaussmix.selection.progress import make_progress_callback
from gaussmix.selection.search_problem import SearchProblem
from gaussmix.selection.search_schedule import SearchPlan, run_search
from gaussmix.types import ND, D, N

_CRITERION = "bic"
_SEED = 0  # of subsamples of many rows and of starts beside the tree


def search_gaussian_mixtures(
    numeric: ND, weights: N, structures: Sequence[str], component_counts: Sequence[int]
) -> list[Candidate]:
    """Return the candidates of all structures and numbers of components that could be fitted, the best one first.

    Parameters
    ----------
    numeric : ndarray of shape (n, D)
        Complete rows.
    weights : ndarray of shape (n,)
    structures : sequence of str
    component_counts : sequence of int
        Ascending.
    """
    parsed = [Structure.from_name(name) for name in structures]
    source = make_memory_source(numeric, None if (weights == 1).all() else weights)
    engine = resolve_engine("auto", len(numeric))
    rng = make_generator(_SEED)
    problem = SearchProblem.from_source(source, parsed, component_counts[-1], 1, engine, rng)
    plan = SearchPlan(problem, parsed, component_counts, may_go_on=False)
    with make_progress_callback(None, "") as callback:
        candidates = run_search(plan, _CRITERION, default_n_workers(len(numeric)), callback)
    fitted = [candidate for candidate in candidates if candidate.fit is not None]
    return sorted(fitted, key=lambda candidate: candidate_sort_key(candidate, _CRITERION))


def to_mixed_mixture(mixture: Mixture, layout: FeatureLayout, units: D) -> MixedMixture:
    """Return a mixture of columns in ``units`` (D,) of standardised columns as the mixture of a single class."""
    means, covariances = mixture.means / units, mixture.covariances / (units[:, None] * units)
    n_components = len(means)
    return MixedMixture(
        layout,
        np.log(mixture.weights),
        np.zeros((n_components, 1)),
        means,
        np.einsum("kii->ki", covariances)[:, layout.independent_columns],
        covariances[:, layout.block_columns[:, None], layout.block_columns],
        (),
    )
