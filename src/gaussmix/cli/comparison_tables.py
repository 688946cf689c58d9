"""Plain-text tables of a comparison of solvers and assignments."""

import math

from gaussmix.cli.text_formatting import format_number, format_table
from gaussmix.comparison.result import Comparison
from gaussmix.errors.text import format_count


def format_solver_table(comparison: Comparison) -> str:
    """Return a text table with a line per solver: iterations, seconds, log-likelihood and the gap to the best."""
    rows = [
        [
            result.solver,
            str(result.n_iter),
            _format_seconds(result.seconds),
            f"{result.log_likelihood:.4f}"
            if abs(result.log_likelihood) < 1e7
            else format_number(result.log_likelihood, 10),
            "0" if result.gap_per_row == 0.0 else f"{result.gap_per_row:.1e}",
            "never" if result.n_iter_to_best is None else str(result.n_iter_to_best),
            "yes" if result.has_converged else "no",
        ]
        for result in comparison.solver_results
    ]
    return format_table(
        ["solver", "iterations", "seconds", "log-likelihood", "gap per row", "to gap 1e-6", "converged"], rows
    )


def format_assignment_caption(comparison: Comparison) -> str:
    """Return the caption of the assignment table: the units of k-means and the number of labelled rows."""
    assignments = comparison.assignments
    labels = assignments.known_component_labels
    units = f"k-means and neighbours measure in {assignments.distance_unit_text}"
    if labels is None:
        return f"Assignment of rows; {units.replace(' and neighbours measure', ' measures')}:"
    n_known, n_rows = int((labels >= 0).sum()), format_count(len(labels), "row")
    coverage = "" if n_known == len(labels) else f"; {n_known} of {n_rows} have a label"
    return f"Assignment of rows; {units}{coverage}; labels are predicted from other rows:"


def format_assignment_table(comparison: Comparison) -> str:
    """Return a text table with a line per assignment method: rows assigned unlike the mixture, agreement, accuracy."""
    header = ["method", "rows that differ", "adjusted Rand"]
    rows = [
        [result.method, _format_row_count(result.differing_weight), f"{result.adjusted_rand_index:.3f}"]
        for result in comparison.assignments.results
    ]
    if comparison.assignments.known_component_labels is None:
        return format_table(header, rows)
    for row, result in zip(rows, comparison.assignments.results, strict=True):
        row += [_format_three_decimals(value) for value in (result.accuracy, result.log_loss, result.calibration_error)]
    return format_table([*header, "accuracy", "log-loss", "calibration"], rows)


def format_agreement_table(comparison: Comparison) -> str:
    """Return a text table of adjusted Rand indices: a line and a column per partition."""
    pairs = comparison.assignments.adjusted_rand_indices
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    rows = [
        [first, *(_format_three_decimals(pairs.get((first, second), pairs.get((second, first)))) for second in names)]
        for first in names
    ]
    return format_table(["", *names], rows)


def format_normality_table(comparison: Comparison) -> str:
    """Return a text table with a line per component: the p-values of its normality tests."""
    header = ["component", "rows", "skewness", "kurtosis", "Henze-Zirkler", "Bonferroni", "Gaussian"]
    rows = []
    for result in comparison.normality_tests:
        tests = (
            result.skewness_p_value,
            result.kurtosis_p_value,
            result.henze_zirkler_p_value,
            result.bonferroni_p_value,
        )
        verdict = ("yes" if result.is_plausibly_gaussian else "no") if result.is_tested else "?"
        rows.append(
            [
                str(result.component),
                _format_row_count(result.total_weight),
                *(_format_p_value(value) for value in tests),
                verdict,
            ]
        )
    return format_table(header, rows)


def _format_row_count(value: float) -> str:
    """Return a number of rows, as a whole number if it is one; weights may make it fractional."""
    return f"{value:.0f}" if value.is_integer() else format_number(value)


def _format_three_decimals(value: float | None) -> str:
    """Return a number with three decimals; '' for None."""
    return "" if value is None else f"{value:.3f}"


def _format_seconds(value: float) -> str:
    """Return a number of seconds with two significant digits, without the unit."""
    return "0" if value == 0.0 else format_number(value, 2)


def _format_p_value(value: float) -> str:
    """Return a p-value with three decimals, '<0.001' if it is smaller, and '' for NaN."""
    if math.isnan(value):
        return ""
    return f"{value:.3f}" if value >= 0.0005 else "<0.001"
