"""Plain-text tables of a comparison of solvers and assignments."""

import math

import numpy as np

from gaussmix.cli.text_formatting import format_number, format_row_count, format_table
from gaussmix.comparison.assignment_comparison import HARD_METHOD
from gaussmix.comparison.result import Comparison
from gaussmix.errors.text import format_count


def format_solver_caption(comparison: Comparison) -> str:
    """Return the caption of the solver table: the model that all fit, the start, and the chosen mixture's result."""
    best = comparison.selection.best
    caption = f"Solvers, {format_count(best.n_components, 'component')} of structure "
    caption += f"{best.structure.name_with_alias_or_n_factors}, from one common start ({comparison.solver_start})"
    if best.fit is None:
        return f"{caption}:"
    return f"{caption}; the chosen mixture has log-likelihood {_format_log_likelihood(best.fit.log_likelihood)}:"


def format_solver_table(comparison: Comparison) -> str:
    """Return a text table with a line per solver: iterations, seconds, log-likelihood and the gap to the best."""
    rows = [
        [
            result.solver,
            str(result.n_iter),
            _format_seconds(result.seconds),
            _format_log_likelihood(result.log_likelihood),
            _format_gap(result.gap_per_row),
            "never" if result.n_iter_to_best is None else str(result.n_iter_to_best),
            "yes" if result.has_converged else "no",
            "degenerate" if result.is_degenerate else "",
        ]
        for result in comparison.solver_results
    ]
    header = ["solver", "iterations", "seconds", "log-likelihood", "gap per row", "to gap 1e-6", "converged", "remark"]
    if not any(result.is_degenerate for result in comparison.solver_results):
        header, rows = header[:-1], [row[:-1] for row in rows]
    return format_table(header, rows)


def _format_log_likelihood(value: float) -> str:
    """Return a log-likelihood with four decimals, or with ten digits if it is large."""
    return f"{value:.4f}" if abs(value) < 1e7 else format_number(value, 10)


def _format_gap(gap_per_row: float | None) -> str:
    """Return a gap per row to the best solver; '' for a degenerate fit, which is not compared."""
    if gap_per_row is None:
        return ""
    return "0" if gap_per_row == 0.0 else f"{gap_per_row:.1e}"


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
        [result.method, format_row_count(result.differing_weight), f"{result.adjusted_rand_index:.3f}"]
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
    """Return a text table with a line per component: its rows, those drawn for normality tests, and the p-values."""
    assigned = _assigned_weights(comparison)
    header = ["component", "rows", "tested", "skewness", "kurtosis", "Henze-Zirkler", "Bonferroni", "Gaussian"]
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
                format_row_count(assigned[result.component]),
                format_row_count(result.total_weight),
                *(_format_p_value(value) for value in tests),
                verdict,
            ]
        )
    return format_table(header, rows)


def _assigned_weights(comparison: Comparison) -> list[float]:
    """Return for each component the weight of the rows for which it is the most probable one."""
    assignments = comparison.assignments
    labels = assignments[HARD_METHOD].component_labels
    return [float(weight) for weight in np.bincount(labels, assignments.weights, assignments.mixture.n_components)]


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
