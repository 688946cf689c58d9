"""Sentences about ways to assign rows: k-means against the mixture, uncertainty of rows, and prediction of labels."""

from typing import NamedTuple

import numpy as np

from gaussmix.comparison import metrics
from gaussmix.comparison.assignment_comparison import (
    HARD_METHOD,
    KMEANS_METHOD,
    NEIGHBORS_METHOD,
    SOFT_METHOD,
    AssignmentMethodComparison,
    AssignmentResult,
)
from gaussmix.comparison.distance_metric import AxisSizeAndWeightRatios
from gaussmix.errors.text import format_count, join_with_and
from gaussmix.types import N

# Two partitions count as nearly the same from this adjusted Rand index on.
_MIN_SIMILAR_ADJUSTED_RAND_INDEX = 0.95

# Groups count as round and equal up to these ratios.
_MAX_ROUND_AXIS_RATIO, _MAX_EQUAL_SIZE_RATIO, _MAX_EQUAL_WEIGHT_RATIO = 1.5, 1.5, 2.0

# One method counts as better from this many standard errors on, and from this difference (nats, or a fraction of rows).
_MIN_STANDARD_ERRORS, _MIN_DIFFERENCE = 2.0, 1e-3

# From these fractions of uncertain rows on, overlap is worth a sentence, or casts doubt on the groups.
_MIN_OVERLAP_FRACTION, _MIN_STRONG_OVERLAP_FRACTION = 0.01, 0.25


class _LossComparison(NamedTuple):
    """Words such as 'better than hard (log-loss ...)', and the sign: 1 better, -1 worse, 0 no clear difference."""

    text: str
    sign: int


class _SignAndStandardError(NamedTuple):
    """The sign of a mean difference, 0 if it is not significant or small, and its standard error."""

    sign: int
    standard_error: float


def format_percent(part: float, total: float) -> str:
    """Return a part of a total in per cent, such as '4.4%' or '<0.1%'."""
    value = 100.0 * part / total
    return f"{value:.0f}%" if value >= 9.95 or value == 0.0 else f"{value:.1f}%" if value >= 0.05 else "<0.1%"


def describe_kmeans(assignments: AssignmentMethodComparison, ratios: AxisSizeAndWeightRatios) -> str:
    """Return text on how far k-means finds the mixture's groups, why it may not, and which of both to prefer."""
    result = assignments[KMEANS_METHOD]
    agreement = f"adjusted Rand index {result.adjusted_rand_index:.2f}"
    unit, differences = assignments.distance_unit_text, _describe_deviation_from_equal_spheres(ratios)
    if result.adjusted_rand_index >= _MIN_SIMILAR_ADJUSTED_RAND_INDEX:
        objection = f"although {join_with_and(differences)}" if differences else "but it gives no probabilities"
        return (
            f"k-means (in {unit}) finds nearly the same groups ({agreement}). It is simpler and enough if only the "
            f"groups matter, {objection}."
        )
    sentence = (
        "k-means assumes round and equal groups and puts "
        f"{_format_weight_as_rows(assignments, result.differing_weight)} into other groups ({agreement})."
    )
    if not differences:
        return f"{sentence} In {unit} the groups are about round and equal but overlap: the split is ambiguous."
    sentence = f"{sentence} In {unit} the groups are not round and equal: {join_with_and(differences)}."
    return f"{sentence} Prefer the mixture." if result.row_log_losses is None else sentence


def describe_row_uncertainty(assignments: AssignmentMethodComparison) -> list[str]:
    """Return sentences on how many rows are uncertain, and what that means for the groups."""
    total_weight, expected_errors = float(assignments.weights.sum()), assignments.expected_error_weight
    is_singular = assignments.uncertain_weight == 1.0 or not assignments.has_mean_weight_one
    if assignments.has_mean_weight_one:
        amount = f"{expected_errors:.1f}" if expected_errors >= 0.05 else "less than 0.1"
        errors = f"{amount} rows ({format_percent(expected_errors, total_weight)})"
    else:
        errors = f"{format_percent(expected_errors, total_weight)} of the weight"
    sentences = [
        "Soft assignment shows the uncertainty of each row: "
        f"{_format_weight_as_rows(assignments, assignments.uncertain_weight)} {'has' if is_singular else 'have'} no "
        f"group with a probability of 0.8. Hard assignment is expected to misassign {errors}, the sum of one minus the "
        "largest probability."
    ]
    if assignments.uncertain_weight <= _MIN_OVERLAP_FRACTION * total_weight:
        return [*sentences, "The groups are well separated: few rows are uncertain."]
    sentences.append("If the uncertainty of rows matters, use the mixture's probabilities.")
    if assignments.uncertain_weight > _MIN_STRONG_OVERLAP_FRACTION * total_weight:
        sentences.append(
            "So much overlap may also mean no groups at all, or fewer groups that are not Gaussian; gaussmix.combine "
            "merges components into such groups."
        )
    return sentences


def describe_label_predictions(assignments: AssignmentMethodComparison) -> list[str]:
    """Return sentences on which method predicts known labels best, and whether by more than chance."""
    if NEIGHBORS_METHOD not in assignments:
        return ["k-nearest neighbours need known labels, and none were given."]
    neighbors, hard, soft, kmeans = (
        assignments[method] for method in (NEIGHBORS_METHOD, HARD_METHOD, SOFT_METHOD, KMEANS_METHOD)
    )
    accuracies = [result.accuracy or 0.0 for result in (neighbors, soft, kmeans)]
    neighbors_text, mixture_text, kmeans_text = (format_percent(accuracy, 1.0) for accuracy in accuracies)
    sentences = [
        f"Held-out accuracy: k-nearest neighbours {neighbors_text}, mixture {mixture_text}, k-means {kmeans_text}. The "
        "mixture and k-means use labels only to name their groups."
    ]
    if max(accuracies) <= _majority_class_fraction(assignments):
        return [
            *sentences,
            "The columns say little about the labels: the most frequent label is right at least as often.",
        ]
    weights = _labelled_row_weights(assignments)
    if assignments.mixture.n_components > 1:
        difference, _ = _describe_log_loss_difference("hard", soft, hard, weights)
        sentences.append(f"Soft assignment predicts labels {difference}.")
    difference, sign = _describe_log_loss_difference("k-means", soft, kmeans, weights)
    advice = {1: "; for probabilities, prefer the mixture", 0: "", -1: "; prefer k-means"}[sign]
    sentences.append(f"The mixture predicts them {difference}{advice}.")
    return [*sentences, _advise_on_neighbors(neighbors, soft, kmeans, weights)]


def _advise_on_neighbors(
    neighbors: AssignmentResult, soft: AssignmentResult, kmeans: AssignmentResult, labelled_row_weights: N
) -> str:
    """Return a sentence on whether nearest neighbours predict labels better than the mixture and k-means."""
    if all(
        _sign_of_significant_difference(neighbors.row_accuracies, result.row_accuracies, labelled_row_weights).sign > 0
        for result in (soft, kmeans)
    ):
        return "If labels are known and only they matter, prefer the neighbours."
    if _sign_of_significant_difference(soft.row_log_losses, neighbors.row_log_losses, labelled_row_weights).sign > 0:
        losses = _format_log_losses(soft, neighbors)
        return f"The mixture's probabilities are better than those of the neighbours (log-loss {losses})."
    return "The neighbours need the labels and are not clearly better."


def _format_weight_as_rows(assignments: AssignmentMethodComparison, weight: float) -> str:
    """Return a weight of rows as text: '12 of 272 rows (4.4%)', or '4.4% of the weight' unless weights count rows."""
    total_weight = float(assignments.weights.sum())
    percent = format_percent(weight, total_weight)
    if not assignments.has_mean_weight_one:
        return f"{percent} of the weight"
    return f"{weight:.0f} of {format_count(len(assignments.weights), 'row')} ({percent})"


def _describe_deviation_from_equal_spheres(ratios: AxisSizeAndWeightRatios) -> list[str]:
    """Return clauses on how the groups differ from equal spheres; an empty list if they hardly do."""
    clauses = []
    if ratios.axis_ratio > _MAX_ROUND_AXIS_RATIO:
        clauses.append(f"one is {_format_as_times(ratios.axis_ratio)} longer than wide")
    if ratios.size_ratio > _MAX_EQUAL_SIZE_RATIO:
        clauses.append(f"the widest is {_format_as_times(ratios.size_ratio)} as wide as the narrowest")
    if ratios.weight_ratio > _MAX_EQUAL_WEIGHT_RATIO:
        clauses.append(f"the largest holds {_format_as_times(ratios.weight_ratio)} the rows of the smallest")
    return clauses


def _format_as_times(value: float) -> str:
    """Return a ratio as text: '2.7 times', '28 times' or 'over 100 times'."""
    return "over 100 times" if value > 100.0 else f"{value:.2g} times"


def _describe_log_loss_difference(
    other_name: str, result: AssignmentResult, other_result: AssignmentResult, weights: N
) -> _LossComparison:
    """Return how a method's log-loss compares with another's, as words and a sign: 1 better, 0 unclear, -1 worse."""
    sign, error = _sign_of_significant_difference(other_result.row_log_losses, result.row_log_losses, weights)
    comparative = {1: "better than", 0: "about as well as", -1: "worse than"}[sign]
    losses = _format_log_losses(result, other_result)
    text = f"{comparative} {other_name} (log-loss {losses}, standard error of the difference {error:.3f})"
    return _LossComparison(text, sign)


def _sign_of_significant_difference(
    first_values: N | None, second_values: N | None, weights: N
) -> _SignAndStandardError:
    """Return the sign of the weighted mean of first - second (0 if small or not significant), and its error."""
    assert first_values is not None
    assert second_values is not None
    mean, error = metrics.paired_mean_difference(first_values, second_values, weights)
    is_significant = abs(mean) > max(_MIN_DIFFERENCE, _MIN_STANDARD_ERRORS * error)
    return _SignAndStandardError(int(np.sign(mean)) if is_significant else 0, error)


def _format_log_losses(result: AssignmentResult, other_result: AssignmentResult) -> str:
    """Return the log-losses of two methods as text, such as '0.098 against 0.113'."""
    return f"{result.log_loss or 0.0:.3f} against {other_result.log_loss or 0.0:.3f}"


def _labelled_row_weights(assignments: AssignmentMethodComparison) -> N:
    """Return the weights (n known,) of the rows whose class is known."""
    assert assignments.known_component_labels is not None
    return assignments.weights[assignments.known_component_labels >= 0]


def _majority_class_fraction(assignments: AssignmentMethodComparison) -> float:
    """Return the weighted fraction of the most frequent class among the labelled rows."""
    assert assignments.known_component_labels is not None
    is_known = assignments.known_component_labels >= 0
    class_weights = np.bincount(assignments.known_component_labels[is_known], assignments.weights[is_known])
    return float(class_weights.max() / class_weights.sum())
