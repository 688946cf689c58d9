"""The tables of a comparison as aligned numbers, as the command prints them."""

import math

from gaussmix.cli.text_formatting import format_count, format_number, format_table
from gaussmix.comparison.result import Comparison


def format_solver_table(comparison: Comparison) -> str:
    """A line per solver: what it took, what it reached, and what is left to the best."""
    rows = [
        [
            one.solver,
            str(one.n_iter),
            _format_seconds(one.seconds),
            f"{one.log_likelihood:.4f}" if abs(one.log_likelihood) < 1e7 else format_number(one.log_likelihood, 10),
            "0" if one.gap_per_row == 0.0 else f"{one.gap_per_row:.1e}",
            "never" if one.n_iter_to_best is None else str(one.n_iter_to_best),
            "yes" if one.converged else "no",
        ]
        for one in comparison.solver_results
    ]
    return format_table(
        ["solver", "passes", "seconds", "log-likelihood", "gap per row", "near after", "converged"], rows
    )


def format_assignment_caption(comparison: Comparison) -> str:
    """What the table of assignment is about: what k-means measures in, and how many rows have a label."""
    parts = comparison.assignments
    said = f"Assignment of rows (elsewhere: than by the mixture; k-means measures in {parts.distance_unit_text}"
    if parts.known_component_labels is None:
        return f"{said}):"
    n_known = int((parts.known_component_labels >= 0).sum())
    few = (
        ""
        if n_known == len(parts.known_component_labels)
        else f"; {n_known} of {format_count(len(parts.known_component_labels), 'row')} have a label"
    )
    return f"{said}{few}; labels foretold from other rows):"


def format_assignment_table(comparison: Comparison) -> str:
    """A line per way to assign: how many rows go elsewhere than by the mixture, and how right it is."""
    header = ["method", "elsewhere", "adjusted Rand"]
    rows = [
        [one.method, _format_row_count(one.differing_weight), f"{one.adjusted_rand_index:.3f}"]
        for one in comparison.assignments.results
    ]
    if comparison.assignments.known_component_labels is None:
        return format_table(header, rows)
    for row, one in zip(rows, comparison.assignments.results, strict=True):
        row += [_format_three_decimals(value) for value in (one.accuracy, one.log_loss, one.calibration_error)]
    return format_table([*header, "accuracy", "log-loss", "calibration"], rows)


def format_agreement_table(comparison: Comparison) -> str:
    """The adjusted Rand index of each two partitions."""
    pairs = comparison.assignments.adjusted_rand_indices
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    rows = [
        [first, *(_format_three_decimals(pairs.get((first, second), pairs.get((second, first)))) for second in names)]
        for first in names
    ]
    return format_table(["", *names], rows)


def format_normality_table(comparison: Comparison) -> str:
    """A line per component: the p-values of its tests, or why there are none."""
    header = ["component", "rows", "skewness", "kurtosis", "Henze-Zirkler", "together", "Gaussian"]
    rows = []
    for one in comparison.normality_tests:
        tests = (one.skewness_p_value, one.kurtosis_p_value, one.henze_zirkler_p_value, one.bonferroni_p_value)
        verdict = ("yes" if one.is_plausibly_gaussian else "no") if one.is_tested else "?"
        rows.append(
            [
                str(one.component),
                _format_row_count(one.total_weight),
                *(_format_p_value(value) for value in tests),
                verdict,
            ]
        )
    return format_table(header, rows)


def _format_row_count(value: float) -> str:
    """How many rows: a whole number unless weights make it none."""
    return f"{value:.0f}" if value.is_integer() else format_number(value)


def _format_three_decimals(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _format_seconds(value: float) -> str:
    return "0" if value == 0.0 else format_number(value, 2)


def _format_p_value(value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{value:.3f}" if value >= 0.0005 else "<0.001"
