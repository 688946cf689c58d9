"""From the runs of a candidate to its result: the mixture with sorted components, and its criteria on all rows."""

from dataclasses import replace

import numpy as np

from gaussmix.core.outcome import Outcome
from gaussmix.errors import GaussmixError
from gaussmix.model.mixture import Mixture
from gaussmix.selection.candidate_runs import CandidateRun, is_unfinished
from gaussmix.selection.candidate_spec import CandidateSpec
from gaussmix.selection.candidates import Candidate
from gaussmix.selection.criteria import CRITERIA
from gaussmix.selection.near_rows import CriterionTerms, evaluate_near_rows
from gaussmix.solvers.fit_record import make_fit_after_e_step, permute_run_components
from gaussmix.solvers.initialization import argsort_free_components_by_mean
from gaussmix.solvers.loop import RunResult


def make_candidate(candidate_run: CandidateRun) -> Candidate:
    """Return the candidate of the best run: the mixture with sorted components, and its criteria on all rows.

    Its outcome is PRUNED if the run could continue.
    """
    spec = candidate_run.spec
    structure = spec.problem.covariance_estimator.structure
    if not candidate_run.results:
        reason = candidate_run.failure_reason
        return Candidate(structure, spec.n_components, {}, spec.n_parameters, None, None, reason)
    try:
        return _make_fitted_candidate(spec, candidate_run.results[0])
    except (GaussmixError, np.linalg.LinAlgError) as error:
        return Candidate(structure, spec.n_components, {}, spec.n_parameters, None, None, str(error))


def _make_fitted_candidate(spec: CandidateSpec, result: RunResult[Mixture]) -> Candidate:
    """Return the candidate of a run."""
    seconds, problem = result.trace.seconds, spec.problem
    order = argsort_free_components_by_mean(result.model, problem, spec.labelled_components)
    outcome = Outcome.PRUNED if is_unfinished(result) else result.outcome
    result = replace(permute_run_components(result, order), outcome=outcome)
    mixture = result.model
    fit, expectation = make_fit_after_e_step(result, problem, float(seconds[-1]) if len(seconds) else 0.0)
    near, n_parameters = evaluate_near_rows(spec.near_problem, problem, mixture), mixture.n_parameters
    total_log_max = expectation.total_log_max_responsibility
    terms = near or CriterionTerms(fit.log_likelihood, n_parameters, problem.total_weight, total_log_max)
    criteria = {name: criterion(*terms) for name, criterion in CRITERIA.items()}
    return Candidate(
        problem.covariance_estimator.structure,
        mixture.n_components,
        criteria,
        n_parameters,
        mixture,
        fit,
        rejection_reason=" ".join(fit.notes) if fit.is_degenerate else "",
        near_rows=near,
    )
