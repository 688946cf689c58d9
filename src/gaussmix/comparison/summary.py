"""The paragraph that summarizes a comparison: the groups, ways to assign rows, normality, and solvers."""

from collections.abc import Sequence

from gaussmix.comparison.assignment_comparison import AssignmentMethodComparison
from gaussmix.comparison.assignment_summary import describe_kmeans, describe_label_predictions, describe_row_uncertainty
from gaussmix.comparison.distance_metric import AxisSizeAndWeightRatios
from gaussmix.comparison.normality_tests import NormalityTestResult
from gaussmix.comparison.solver_comparison import CHOSEN_GROUPS_START, SolverResult, best_log_likelihood
from gaussmix.errors.text import format_count, join_with_and
from gaussmix.selection.candidates import Selection
from gaussmix.solvers.solver_table import EM_SOLVER_NAME, OTHER_OBJECTIVE_TRACE

_NORMALITY_TESTS_TEXT = "Mardia, Henze-Zirkler, level 5% for all together"

_CHOSEN_GROUPS_SENTENCE = (
    "The solvers start from the groups of the chosen mixture, because EM from the start of init_params ends in a "
    "degenerate fit."
)

# A larger gap in log-likelihood per row (nats) belongs to another optimum.
_MIN_GAP_TO_OTHER_OPTIMUM_PER_ROW = 1e-4


def compose_summary(
    selection: Selection,
    assignments: AssignmentMethodComparison,
    solver_results: Sequence[SolverResult],
    solver_start: str,
    normality_tests: Sequence[NormalityTestResult],
    ratios: AxisSizeAndWeightRatios,
) -> str:
    """Return one paragraph on the groups, and on when to prefer which way to assign and which solver."""
    sentences = [_describe_groups(selection, assignments)]
    if assignments.mixture.n_components > 1:
        sentences += [describe_kmeans(assignments, ratios), *describe_row_uncertainty(assignments)]
    sentences += [*describe_label_predictions(assignments), *_describe_normality(normality_tests)]
    if solver_start == CHOSEN_GROUPS_START:
        sentences.append(_CHOSEN_GROUPS_SENTENCE)
    sentences += _describe_solvers(solver_results, selection, float(assignments.weights.sum()))
    return " ".join(sentences)


def _describe_groups(selection: Selection, assignments: AssignmentMethodComparison) -> str:
    """Return sentences on the number of groups, the structure, and whether the fit is degenerate."""
    mixture, n_rows = assignments.mixture, len(assignments.rows)
    groups = "one Gaussian group" if mixture.n_components == 1 else f"{mixture.n_components} Gaussian groups"
    text = f"The {format_count(n_rows, 'row')} {'is' if n_rows == 1 else 'are'} described by {groups} of structure "
    text += f"{mixture.structure.name_with_alias_or_n_factors}{_describe_rank(selection)}."
    if not selection.best.is_eligible:
        text += " This fit is degenerate: a group has too few rows or a floored variance. Do not rely on it."
    return text if mixture.n_components > 1 else f"{text} There is nothing to assign: all rows belong to this group."


def _describe_rank(selection: Selection) -> str:
    """Return a clause that says among how many candidates the selected one is the best; empty for one candidate."""
    n_candidates, criterion = len(selection.candidates), selection.criterion.upper()
    if n_candidates == 1:
        return ""
    if not selection.degenerate_candidates_below_best:
        return f", the best of {n_candidates} by {criterion}"
    n_eligible = sum(candidate.is_eligible for candidate in selection.candidates)
    return f", the best by {criterion} of the {n_eligible} of {n_candidates} candidates that are not degenerate"


def _describe_normality(normality_tests: Sequence[NormalityTestResult]) -> list[str]:
    """Return sentences on which groups look Gaussian and which cannot be tested."""
    tested = [result for result in normality_tests if result.is_tested]
    rejected = [result for result in tested if not result.is_plausibly_gaussian]
    n_tested, n_skipped = len(tested), len(normality_tests) - len(tested)
    sentences = []
    if rejected:
        groups = [f"{result.component} (p {_format_p_value(result.bonferroni_p_value)})" for result in rejected]
        subject = f"Group {groups[0]} does" if len(groups) == 1 else f"Groups {join_with_and(groups)} do"
        sentences.append(
            f"{subject} not look Gaussian ({_NORMALITY_TESTS_TEXT}). Use the mixture's probabilities with care there: "
            "a component may cover several groups, or part of one."
        )
    elif tested:
        subjects = {1: "The group looks", 2: "Both groups tested look"}
        subject = subjects.get(n_tested, f"All {n_tested} groups tested look")
        sentences.append(f"{subject} Gaussian ({_NORMALITY_TESTS_TEXT}), as the mixture assumes.")
    if n_skipped:
        verb = "has" if n_skipped == 1 else "have"
        sentences.append(f"{format_count(n_skipped, 'group')} {verb} too few rows for these tests, or rows in a plane.")
    return sentences


def _format_p_value(value: float) -> str:
    """Return a p-value as text, such as '0.034' or '< 0.001'."""
    return f"{value:.2g}" if value >= 0.001 else "< 0.001"


def _describe_solvers(solver_results: Sequence[SolverResult], selection: Selection, total_weight: float) -> list[str]:
    """Return sentences on how the solvers compare, on degenerate ends, and whether starts matter more."""
    sound = [result for result in solver_results if not result.is_degenerate]
    degenerate = [result for result in solver_results if result.is_degenerate]
    sentences = []
    if len(solver_results) == 1 and sound:
        sentences.append(
            f"The only solver, {sound[0].solver}, ended at a log-likelihood of {sound[0].log_likelihood:.10g}."
        )
    elif sound:
        sentences.append(_describe_fastest_solvers(sound, has_degenerate=bool(degenerate)))
    if degenerate:
        sentences.append(_describe_degenerate_solvers(degenerate, has_sound=bool(sound)))
    best = best_log_likelihood(solver_results)
    if best is not None and selection.best.fit is not None:
        sentences += _compare_with_chosen_mixture((selection.best.fit.log_likelihood - best) / total_weight)
    return sentences


def _describe_degenerate_solvers(degenerate: Sequence[SolverResult], has_sound: bool) -> str:
    """Return a sentence on the solvers that ended in a degenerate fit."""
    subject, verb = _join_solver_names(degenerate), "ends" if len(degenerate) == 1 else "end"
    possessive = "its log-likelihood is" if len(degenerate) == 1 else "their log-likelihoods are"
    sentence = f"From one start {subject} {verb} in a degenerate fit, with a component on the variance floor, empty or "
    sentence += f"of too few rows: {possessive} uninformative and not compared."
    return sentence if has_sound else f"{sentence} Try other init_params or fewer components to compare solvers."


def _compare_with_chosen_mixture(gap_per_row: float) -> list[str]:
    """Return a sentence if chosen mixture and best solver differ; ``gap_per_row`` is how far the solver is below."""
    if gap_per_row > _MIN_GAP_TO_OTHER_OPTIMUM_PER_ROW:
        return [
            f"The search tries more starts and reaches {gap_per_row:.2g} more per row: starts matter more than solvers "
            "here."
        ]
    if gap_per_row < -_MIN_GAP_TO_OTHER_OPTIMUM_PER_ROW:
        return [
            f"The chosen mixture, of the same structure and number of components, is {-gap_per_row:.2g} per row below "
            "the best solver: the search may find a better one with more starts (n_starts)."
        ]
    return []


def _describe_fastest_solvers(solver_results: Sequence[SolverResult], has_degenerate: bool) -> str:
    """Return a sentence on which solvers reach the best log-likelihood, and which of them first; none is degenerate."""
    best_results = [result for result in solver_results if result.n_iter_to_best is not None]
    n_best, n_solvers = len(best_results), len(solver_results)
    if n_best == 1:
        only = best_results[0]
        clause = f"From one start only {only.solver} reaches the best log-likelihood to 0.000001 per row, after "
        clause += f"{format_count(only.n_iter_to_best or 0, 'iteration')} ({only.seconds_to_best:.2g} s)"
    else:
        everyone = "all other solvers" if has_degenerate else "all solvers"
        subject = everyone if n_best == n_solvers else f"{n_best} of {n_solvers} solvers"
        clause = f"From one start {subject} reach the best log-likelihood to 0.000001 per row: "
        clause += _describe_fewest_iterations_and_seconds(best_results)
    clauses = [clause, *_clause_if_none_converged(best_results), *_describe_lower_solvers(solver_results)]
    return f"{'; '.join(clauses)}."


def _describe_fewest_iterations_and_seconds(best_results: Sequence[SolverResult]) -> str:
    """Return a clause on which of several solvers needs the fewest iterations, and which the fewest seconds."""
    fewest = min(best_results, key=lambda result: result.n_iter_to_best or 0)
    fastest = min(best_results, key=lambda result: result.seconds_to_best or 0.0)
    clause = f"{fewest.solver} after the fewest iterations ({fewest.n_iter_to_best})"
    if fastest is fewest:
        clause += f" and soonest ({fastest.seconds_to_best:.2g} s)"
    else:
        n_iterations = format_count(fastest.n_iter_to_best or 0, "iteration")
        clause += f", {fastest.solver} soonest ({fastest.seconds_to_best:.2g} s, {n_iterations})"
    em_result = next((result for result in best_results if result.solver == EM_SOLVER_NAME), None)
    if em_result is not None and em_result not in (fewest, fastest):
        clause += f", {EM_SOLVER_NAME} after {em_result.n_iter_to_best}"
    return clause


def _clause_if_none_converged(best_results: Sequence[SolverResult]) -> list[str]:
    """Return one clause, a warning that the optimum may be higher, if no solver has converged; else no clause."""
    if any(result.has_converged for result in best_results):
        return []
    subject = "it" if len(best_results) == 1 else "all of them"
    return [f"but {subject} reached max_iter, so the optimum may be higher"]


def _describe_lower_solvers(solver_results: Sequence[SolverResult]) -> list[str]:
    """Return clauses on the solvers that end below the best log-likelihood, and why."""
    lower = [result for result in solver_results if result.n_iter_to_best is None]
    other_objective = [result for result in lower if result.trace_kind == OTHER_OBJECTIVE_TRACE]
    remaining = [result for result in lower if result not in other_objective]
    converged = [result for result in remaining if result.has_converged]
    stopped = [result for result in remaining if not result.has_converged]
    clauses = []
    if converged:
        where = "at another optimum, or on a plateau that needs a smaller tol"
        clauses.append(f"{_join_solver_names(converged)} stopped {_format_gap_range(converged)} below, {where}")
    if stopped:
        clauses.append(f"{_join_solver_names(stopped)} reached max_iter {_format_gap_range(stopped)} below")
    if other_objective:
        verb = "maximizes" if len(other_objective) == 1 else "maximize"
        gap = _format_gap_range(other_objective)
        clauses.append(f"{_join_solver_names(other_objective)}, which {verb} another objective, ended {gap} below")
    return clauses


def _join_solver_names(results: Sequence[SolverResult]) -> str:
    """Return the names of the solvers in one text, such as 'adam, sgd and em'."""
    return join_with_and([result.solver for result in results])


def _format_gap_range(results: Sequence[SolverResult]) -> str:
    """Return the range, over solvers, of the gap per row to the best log-likelihood: '0.48', or '0.05 to 0.48'."""
    gaps = [result.gap_per_row for result in results if result.gap_per_row is not None]
    smallest, largest = (f"{choose(gaps):.2g}" for choose in (min, max))
    return smallest if smallest == largest else f"{smallest} to {largest}"
