"""Starts of a candidate from a mixture of one component more or less: two components merged, or one split.

What one number of components finds, another may miss: a mixture with a component too many often has two in one group.
"""

from gaussmix.core.linalg import eigh_descending
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import drop_noise_moments
from gaussmix.selection.candidate_spec import CandidateSpec
from gaussmix.selection.extended_fits import halve_each_component
from gaussmix.solvers.initialization.mixture_reduction import merge_groups

_RELATIVE_ROUNDING = 1e-14  # of the largest eigenvalue of a scatter matrix


def moments_with_two_components_merged(mixture: Mixture, spec: CandidateSpec) -> list[Moments]:
    """Return the moments of the screening rows by component, with the two merged whose merge loses least likelihood.

    Parameters
    ----------
    mixture : Mixture
        In the frame of the screening rows.
    spec : CandidateSpec
        The candidate that the mixture was fitted for.

    Returns
    -------
    list of Moments
        One element, moments of K - 1 components; none if a component has no scatter, such as one of equal far rows.
    """
    problem = spec.screening_problem
    moments = _component_moments(mixture, spec, problem.covariance_estimator.moment_kind.per_component)
    if not _have_scatter(moments):
        return []
    mean_row_weight = problem.total_weight / problem.n_rows
    return [merge_groups(moments, mixture.n_components - 1, problem.column_variances, mean_row_weight)]


def moments_with_each_component_split(mixture: Mixture, spec: CandidateSpec) -> list[Moments]:
    """Return K elements, moments of K + 1 components: one component is cut at its mean across its longest axis.

    There are none if a component has no scatter, such as one of equal far rows.

    Parameters
    ----------
    mixture : Mixture
        In the frame of the screening rows.
    spec : CandidateSpec
        The candidate that the mixture was fitted for.
    """
    moments = _component_moments(mixture, spec, MomentKind.FULL)
    return halve_each_component(moments, [0]) if _have_scatter(moments) else []


def _have_scatter(moments: Moments) -> bool:
    """Return whether every component has rows, and scatter in every direction that is more than rounding."""
    if not (moments.mass > 0).all():
        return False
    is_full = moments.kind is MomentKind.FULL
    scatter = eigh_descending(moments.scatter)[0] if is_full else moments.scatter.reshape(len(moments.mass), -1)
    return bool((scatter > _RELATIVE_ROUNDING * scatter.max(axis=1, keepdims=True)).all())


def _component_moments(mixture: Mixture, spec: CandidateSpec, kind: MomentKind) -> Moments:
    """Return the moments of the screening rows by component, without those of noise."""
    moments = spec.screening_problem.e_step(mixture, kind).moments
    return moments if len(moments.mass) == mixture.n_components else drop_noise_moments(moments, kind)
