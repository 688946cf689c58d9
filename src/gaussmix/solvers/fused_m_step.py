"""The M-step of a start in compiled code: in NumPy iterative structures take milliseconds, and searches start often."""

import numpy as np

from gaussmix.core.fused_em import FirstMStepInput
from gaussmix.core.linalg import eigh_descending
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.eigen_arrays import covariance_from_eigen_arrays
from gaussmix.covariance.structure import MclustStructure
from gaussmix.engines.fused_runner import SupportsFusedRuns
from gaussmix.model.problem import Problem
from gaussmix.types import KDD

_MAX_TRIALS = 5  # axes that EVE and VVE start from, as in covariance/iterative.py


def fit_first_covariances(problem: Problem, moments: Moments) -> AbstractCovariance | None:
    """Return the covariances of an M-step without previous ones; None where compiled code cannot or need not make it.

    Parameters
    ----------
    problem : Problem
    moments : Moments
        Moments of K components, with the statistics of the prior.
    """
    estimator, engine = problem.covariance_estimator, problem.engine
    structure, floor = estimator.structure, estimator.mclust_m_step_floor
    if floor is None or moments.kind is not MomentKind.FULL or not isinstance(structure, MclustStructure):
        return None
    if not isinstance(engine, SupportsFusedRuns):
        return None
    n_components, n_features = moments.mean.shape
    if not engine.fused_runner.should_run(problem.n_rows, n_components, n_features, structure.is_axis_aligned):
        return None
    axes_to_try = _axes_to_try(moments) if structure.has_only_common_axes else np.empty((0, *moments.scatter.shape[1:]))
    m_step_input = FirstMStepInput(str(structure), moments.mass, moments.scatter, axes_to_try, floor)
    fitted = engine.fused_runner.fit_first_covariances(m_step_input)
    if fitted is None:
        return None
    return covariance_from_eigen_arrays(structure, fitted.axis_variances, fitted.axes, fitted.covariance_factors)


def _axes_to_try(moments: Moments) -> KDD:
    """Return eigenvectors (n, D, D, in columns) of the scatter of all rows together, and of the largest components."""
    largest = np.argsort(-moments.mass, kind="stable")[: _MAX_TRIALS - 1]
    return eigh_descending(np.concatenate([moments.scatter.sum(axis=0)[None], moments.scatter[largest]]))[1]
