"""When to prefer which, in words: a mixture, k-means, nearest neighbours, and how to climb; with the data's figures."""

from collections.abc import Sequence

import numpy as np

from gaussmix.comparison import metrics
from gaussmix.comparison.assignment_comparison import (
    HARD_METHOD,
    KMEANS_METHOD,
    NEIGHBORS_METHOD,
    SOFT_METHOD,
    AssignmentComparison,
    AssignmentResult,
)
from gaussmix.comparison.distance_metric import ComponentShapeRatios
from gaussmix.comparison.normality_tests import NormalityTestResult
from gaussmix.comparison.solver_comparison import SolverResult
from gaussmix.errors.text import format_count, join_with_and
from gaussmix.selection.candidates import Selection
from gaussmix.solvers.solver_table import OTHER_OBJECTIVE_TRACE
from gaussmix.types import N

_MIN_SIMILAR_ADJUSTED_RAND_INDEX = 0.95  # an adjusted Rand index from which two partitions are called nearly the same
_MAX_ROUND_AXIS_RATIO, _MAX_EQUAL_SIZE_RATIO, _MAX_EQUAL_WEIGHT_RATIO = (
    1.5,
    1.5,
    2.0,
)  # of elongation, sizes and shares: up to here groups are round and equal
_NORMALITY_TESTS_TEXT = "Mardia, Henze-Zirkler, level 5% for all together"
_MIN_STANDARD_ERRORS, _MIN_DIFFERENCE = (
    2.0,
    1e-3,
)  # standard errors, and nats or a share of the rows, from which one way is called better
_MIN_STRONG_OVERLAP_FRACTION = 0.25  # of the rows between groups: there may be fewer groups, or none
_MIN_GAP_TO_OTHER_OPTIMUM_PER_ROW = 1e-4  # nats a row: what is further apart belongs to another optimum


def write_summary(
    selection: Selection,
    assignments: AssignmentComparison,
    solver_results: Sequence[SolverResult],
    normality_tests: Sequence[NormalityTestResult],
    shape_ratios: ComponentShapeRatios,
) -> str:
    """One paragraph on when to prefer which way to assign and to optimise."""
    sentences = [_describe_groups(selection, assignments)]
    if assignments.mixture.n_components > 1:
        sentences += [_describe_kmeans(assignments, shape_ratios), *_describe_uncertainty(assignments)]
    sentences += [*_describe_label_predictions(assignments), *_describe_normality(normality_tests)]
    sentences += _describe_solvers(solver_results, selection, float(assignments.weights.sum()))
    return " ".join(sentences)


def format_percent(part: float, total: float) -> str:
    """A part of a whole in per cent: '4.4%'."""
    value = 100.0 * part / total
    return f"{value:.0f}%" if value >= 9.95 or value == 0.0 else f"{value:.1f}%" if value >= 0.05 else "<0.1%"


def _format_row_count(assignments: AssignmentComparison, weight: float) -> str:
    """'12 of 272 rows (4.4%)'; of weights the share alone."""
    whole = float(assignments.weights.sum())
    if not assignments.has_unit_weights:
        return f"{format_percent(weight, whole)} of the weight"
    return f"{weight:.0f} of {format_count(len(assignments.weights), 'row')} ({format_percent(weight, whole)})"


def _describe_groups(selection: Selection, assignments: AssignmentComparison) -> str:
    mixture = assignments.mixture
    groups = "one Gaussian group" if mixture.n_components == 1 else f"{mixture.n_components} Gaussian groups"
    best = "" if len(selection.candidates) == 1 else f", the best of {len(selection.candidates)} by "
    best += "" if len(selection.candidates) == 1 else selection.criterion.upper()
    verb = "is" if len(assignments.rows) == 1 else "are"
    said = f"The {format_count(len(assignments.rows), 'row')} {verb} described by {groups} of structure "
    said += f"{mixture.structure.display_name}{best}."
    if not selection.best.is_eligible:
        said += " This fit is degenerate, with too few rows in a group or a variance on its floor: do not lean on it."
    return said if mixture.n_components > 1 else f"{said} There is nothing to assign: every row belongs to it."


def _describe_kmeans(assignments: AssignmentComparison, shape_ratios: ComponentShapeRatios) -> str:
    """k-means against the mixture: what speaks for either on these data."""
    means = assignments[KMEANS_METHOD]
    agreed = f"adjusted Rand index {means.adjusted_rand_index:.2f}"
    units, shape = assignments.distance_unit_text, _describe_unequal_shapes(shape_ratios)
    if means.adjusted_rand_index >= _MIN_SIMILAR_ADJUSTED_RAND_INDEX:
        found = f"k-means (in {units}) finds nearly the same groups ({agreed}): it is simpler, and enough where only "
        found += "groups count"
        return f"{found}, but gives no probabilities." if not shape else f"{found}, although {join_with_and(shape)}."
    differ = "k-means, which takes groups for round and equal, "
    differ += f"puts {_format_row_count(assignments, means.differing_weight)} elsewhere ({agreed})"
    if shape:
        unlike = f"{differ}: in {units} groups here are not circular and equal, as {join_with_and(shape)}"
        return f"{unlike}, so prefer the mixture." if means.row_log_losses is None else f"{unlike}."
    return f"{differ}, although in {units} groups are round and about equal: they overlap, and either cut is a choice."


def _describe_unequal_shapes(shape_ratios: ComponentShapeRatios) -> list[str]:
    """What is not circular or equal about the groups."""
    said = []
    if shape_ratios.axis_ratio > _MAX_ROUND_AXIS_RATIO:
        said.append(f"one is {_format_ratio(shape_ratios.axis_ratio)} longer than wide")
    if shape_ratios.size_ratio > _MAX_EQUAL_SIZE_RATIO:
        said.append(f"the widest is {_format_ratio(shape_ratios.size_ratio)} as wide as the narrowest")
    if shape_ratios.weight_ratio > _MAX_EQUAL_WEIGHT_RATIO:
        said.append(f"the largest holds {_format_ratio(shape_ratios.weight_ratio)} the rows of the smallest")
    return said


def _format_ratio(value: float) -> str:
    """'2.7 times', '28 times', 'over 100 times'."""
    return "over 100 times" if value > 100.0 else f"{value:.2g} times"


def _describe_uncertainty(assignments: AssignmentComparison) -> list[str]:
    """What probabilities tell beyond groups."""
    expected, whole = assignments.expected_error_weight, float(assignments.weights.sum())
    unsure, is_one = (
        _format_row_count(assignments, assignments.uncertain_weight),
        assignments.uncertain_weight == 1.0 or not assignments.has_unit_weights,
    )
    wrong = f"{expected:.1f}" if expected >= 0.05 else "less than 0.1"
    summed, many = f"summed over the rows, is {wrong} ({format_percent(expected, whole)})", "how many"
    if not assignments.has_unit_weights:
        summed, many = f"on average over the weight, is {format_percent(expected, whole)}", "the share that"
    said = [
        f"Soft assignment tells how sure each row is: {unsure} {'has' if is_one else 'have'} no group with a "
        f"probability of 0.8, and one minus the largest probability, {summed}, which is {many} hard assignment is "
        "expected to put into a wrong group."
    ]
    if assignments.uncertain_weight > _MIN_STRONG_OVERLAP_FRACTION * whole:
        said.append(
            "Where it matters how sure a row is, take probabilities, that is, the mixture; so much overlap may also "
            "mean fewer groups that are not Gaussian, which gaussmix.combine puts together, or none."
        )
    elif assignments.uncertain_weight > 0.01 * whole:
        said.append("Where it matters how sure a row is, take probabilities, that is, the mixture.")
    else:
        said.append("Groups are well apart: few rows are in doubt.")
    return said


def _describe_label_predictions(assignments: AssignmentComparison) -> list[str]:
    """Which way foretells known groups best, and whether by more than chance."""
    if NEIGHBORS_METHOD not in assignments:
        return ["k-nearest neighbours foretell groups that are known of some rows; here no labels were given."]
    near, hard, soft, means = (
        assignments[name] for name in (NEIGHBORS_METHOD, HARD_METHOD, SOFT_METHOD, KMEANS_METHOD)
    )
    right = {
        name: format_percent(assignments[name].accuracy or 0.0, 1.0)
        for name in (NEIGHBORS_METHOD, SOFT_METHOD, KMEANS_METHOD)
    }
    said = [
        f"Of rows whose label is put aside, k-nearest neighbours find the right one for {right[NEIGHBORS_METHOD]}, the "
        f"mixture's groups, which labels of other rows only give names, for {right[SOFT_METHOD]}, and those of k-means "
        f"for {right[KMEANS_METHOD]}."
    ]
    if max(one.accuracy or 0.0 for one in (near, soft, means)) <= _majority_class_fraction(assignments):
        return [*said, "These columns tell little of the labels: more rows have the most frequent one."]
    weights = _labelled_row_weights(assignments)
    if assignments.mixture.n_components > 1:
        said.append(
            f"Soft assignment foretells labels {_describe_log_loss_difference('hard', soft, hard, weights)[0]}."
        )
    than, clear = _describe_log_loss_difference("k-means", soft, means, weights)
    advice = {1: ", so for probabilities prefer the mixture", 0: "", -1: ", so prefer k-means"}[clear]
    said.append(f"The mixture foretells them {than}{advice}.")
    if all(
        _significant_sign_and_error(near.row_accuracies, one.row_accuracies, weights)[0] > 0 for one in (soft, means)
    ):
        said.append("Where labels exist and only they count, prefer the neighbours.")
    elif _significant_sign_and_error(soft.row_log_losses, near.row_log_losses, weights)[0] > 0:
        said.append(
            "The neighbours are surer than they are right, so that the mixture's probabilities are the better ones "
            f"({_format_log_losses(soft, near)})."
        )
    else:
        said.append("The neighbours, which need the labels, do not do clearly better.")
    return said


def _describe_log_loss_difference(
    other_name: str, result: AssignmentResult, other_result: AssignmentResult, weights: N
) -> tuple[str, int]:
    """'better than hard (log-loss ...)', and 1; -1 where worse, 0 where chance alone may have made a difference."""
    clear, error = _significant_sign_and_error(other_result.row_log_losses, result.row_log_losses, weights)
    how = {1: "better than", 0: "about as well as", -1: "worse than"}[clear]
    losses = _format_log_losses(result, other_result)
    return f"{how} {other_name} (log-loss {losses}, standard error of the difference {error:.3f})", clear


def _significant_sign_and_error(first_values: N | None, second_values: N | None, weights: N) -> tuple[int, float]:
    """1 where the first figures exceed the second by more than chance, and by enough to speak of; -1 the other way.

    And the standard error of the difference.
    """
    assert first_values is not None
    assert second_values is not None
    mean, error = metrics.paired_mean_difference(first_values, second_values, weights)
    return int(np.sign(mean)) if abs(mean) > max(_MIN_DIFFERENCE, _MIN_STANDARD_ERRORS * error) else 0, error


def _format_log_losses(result: AssignmentResult, other_result: AssignmentResult) -> str:
    """'0.098 against 0.113'."""
    return f"{result.log_loss or 0.0:.3f} against {other_result.log_loss or 0.0:.3f}"


def _labelled_row_weights(assignments: AssignmentComparison) -> N:
    assert assignments.known_component_labels is not None
    return assignments.weights[assignments.known_component_labels >= 0]


def _majority_class_fraction(assignments: AssignmentComparison) -> float:
    """The share of the most frequent label among the rows that have one."""
    assert assignments.known_component_labels is not None
    told = assignments.known_component_labels >= 0
    counts = np.bincount(assignments.known_component_labels[told], assignments.weights[told])
    return float(counts.max() / counts.sum())


def _describe_normality(normality_tests: Sequence[NormalityTestResult]) -> list[str]:
    """Whether each group looks Gaussian."""
    tested = [one for one in normality_tests if one.is_tested]
    odd = [one for one in tested if not one.is_plausibly_gaussian]
    untested = len(normality_tests) - len(tested)
    said = []
    if tested and not odd:
        count = len(tested)
        which = "The group looks" if count == 1 else f"{'Both' if count == 2 else f'All {count}'} groups tested look"
        said.append(f"{which} Gaussian ({_NORMALITY_TESTS_TEXT}), as the mixture's probabilities assume.")
    elif odd:
        which = join_with_and([f"{one.component} (p {_format_p_value(one.bonferroni_p_value)})" for one in odd])
        verb = f"Group {which} does" if len(odd) == 1 else f"Groups {which} do"
        said.append(
            f"{verb} not look Gaussian ({_NORMALITY_TESTS_TEXT}): the mixture's probabilities are to be taken with "
            "care there, since a component may cover several groups, or a part of one."
        )
    if untested:
        said.append(f"{format_count(untested, 'group')} had too few rows for these tests, or rows in a plane.")
    return said


def _format_p_value(value: float) -> str:
    return f"{value:.2g}" if value >= 0.001 else "< 0.001"


def _describe_solvers(solver_results: Sequence[SolverResult], selection: Selection, total_weight: float) -> list[str]:
    """How the solvers compare, and whether the start matters more."""
    best = max(one.log_likelihood for one in solver_results)
    fit = selection.best.fit
    more = 0.0 if fit is None else (fit.log_likelihood - best) / total_weight
    said = [
        _describe_fastest_solvers(solver_results)
        if len(solver_results) > 1
        else _describe_single_solver(solver_results[0])
    ]
    if more > _MIN_GAP_TO_OTHER_OPTIMUM_PER_ROW:
        said.append(f"The search, which tries more starts, found {more:.2g} more per row: starts matter more here.")
    return said


def _describe_single_solver(result: SolverResult) -> str:
    return f"The only solver, {result.solver}, ended at a log-likelihood of {result.log_likelihood:.10g}."


def _describe_fastest_solvers(solver_results: Sequence[SolverResult]) -> str:
    """Which solvers reach the best log-likelihood, and which first."""
    near = [one for one in solver_results if one.n_iter_to_best is not None]
    if len(near) == 1:
        only = near[0]
        when = f"{format_count(only.n_iter_to_best or 0, 'pass')} ({only.seconds_to_best:.2g} s)"
        said = f"From one start {only.solver} alone reaches the best log-likelihood to 0.000001 per row, after {when}"
        return f"{'; '.join([said, *_describe_unconverged_solvers(near), *_describe_lower_solvers(solver_results)])}."
    fewest = min(near, key=lambda one: one.n_iter_to_best or 0)
    soonest = min(near, key=lambda one: one.seconds_to_best or 0.0)
    reach = (
        "all solvers reach"
        if len(near) == len(solver_results)
        else f"{len(near)} of {len(solver_results)} solvers reach"
    )
    said = f"From one start {reach} the best log-likelihood to 0.000001 per row: "
    said += f"{fewest.solver} after the fewest passes ({fewest.n_iter_to_best})"
    said += " and " if soonest is fewest else f", {soonest.solver} "
    said += f"soonest ({soonest.seconds_to_best:.2g} s"
    said += ")" if soonest is fewest else f", {format_count(soonest.n_iter_to_best or 0, 'pass')})"
    plain = next((one for one in near if one.solver == "em"), None)
    if plain is not None and plain not in (fewest, soonest):
        said += f", em after {plain.n_iter_to_best}"
    return f"{'; '.join([said, *_describe_unconverged_solvers(near), *_describe_lower_solvers(solver_results)])}."


def _describe_unconverged_solvers(best_results: Sequence[SolverResult]) -> list[str]:
    """Where none of those that reached the best came to rest there, the best may lie higher."""
    if any(one.converged for one in best_results):
        return []
    verb = "it" if len(best_results) == 1 else "all of them"
    return [f"but {verb} used up the passes, so that the best may lie higher"]


def _describe_lower_solvers(solver_results: Sequence[SolverResult]) -> list[str]:
    """Who ended lower, and how."""
    lower = [one for one in solver_results if one.n_iter_to_best is None]
    others = [one for one in lower if one.trace_kind == OTHER_OBJECTIVE_TRACE]
    rested = [one for one in lower if one.converged and one not in others]
    stopped = [one for one in lower if not one.converged and one not in others]
    said = (
        [f"{join_with_and([one.solver for one in stopped])} used up the passes {_format_gap_range(stopped)} below"]
        if stopped
        else []
    )
    if rested:
        where = "at another optimum, or on a plateau that a smaller tol leads away from"
        said.insert(
            0, f"{join_with_and([one.solver for one in rested])} stopped {_format_gap_range(rested)} below, {where}"
        )
    if others:
        verb = "climbs" if len(others) == 1 else "climb"
        names = join_with_and([one.solver for one in others])
        said.append(f"{names}, which {verb} another likelihood, ended {_format_gap_range(others)} below")
    return said


def _format_gap_range(results: Sequence[SolverResult]) -> str:
    """What some solvers lack per row: '0.48', or '0.05 to 0.48'."""
    least, most = (f"{choose(one.gap_per_row for one in results):.2g}" for choose in (min, max))
    return least if least == most else f"{least} to {most}"
