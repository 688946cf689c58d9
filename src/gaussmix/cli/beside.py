"""The tables of a comparison as aligned numbers, as the command prints them."""

import math

from gaussmix.cli.text import number, plural, table
from gaussmix.selection.comparison import Comparison


def optimisers(found: Comparison) -> str:
    """A line per solver: what it took, what it reached, and what is left to the best."""
    rows = [
        [
            one.solver,
            str(one.passes),
            _seconds(one.seconds),
            f"{one.log_likelihood:.4f}" if abs(one.log_likelihood) < 1e7 else number(one.log_likelihood, 10),
            "0" if one.gap == 0.0 else f"{one.gap:.1e}",
            "never" if one.near_passes is None else str(one.near_passes),
            "yes" if one.converged else "no",
        ]
        for one in found.optimisers
    ]
    return table(["solver", "passes", "seconds", "log-likelihood", "gap per row", "near after", "converged"], rows)


def what_is_assigned(found: Comparison) -> str:
    """What the table of assignment is about: what k-means measures in, and how many rows have a label."""
    parts = found.assignment
    said = f"Assignment of rows (elsewhere: than by the mixture; k-means measures in {parts.units}"
    if parts.known is None:
        return f"{said}):"
    n_known = int((parts.known >= 0).sum())
    few = "" if n_known == len(parts.known) else f"; {n_known} of {plural(len(parts.known), 'row')} have a label"
    return f"{said}{few}; labels foretold from other rows):"


def assignment(found: Comparison) -> str:
    """A line per way to assign: how many rows go elsewhere than by the mixture, and how right it is."""
    header = ["method", "elsewhere", "adjusted Rand"]
    rows = [[one.name, _count(one.n_differing), f"{one.adjusted_rand:.3f}"] for one in found.assignment.groupings]
    if found.assignment.known is None:
        return table(header, rows)
    for row, one in zip(rows, found.assignment.groupings, strict=True):
        row += [_decimals(value) for value in (one.accuracy, one.log_loss, one.calibration_error)]
    return table([*header, "accuracy", "log-loss", "calibration"], rows)


def agreement(found: Comparison) -> str:
    """The adjusted Rand index of each two partitions."""
    pairs = found.assignment.agreement
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    rows = [
        [first, *(_decimals(pairs.get((first, second), pairs.get((second, first)))) for second in names)]
        for first in names
    ]
    return table(["", *names], rows)


def normality(found: Comparison) -> str:
    """A line per component: the p-values of its tests, or why there are none."""
    header = ["component", "rows", "skewness", "kurtosis", "Henze-Zirkler", "together", "Gaussian"]
    rows = []
    for one in found.normality:
        tests = (one.skewness_p, one.kurtosis_p, one.henze_zirkler_p, one.p_value)
        verdict = ("yes" if one.looks_gaussian else "no") if one.is_tested else "?"
        rows.append([str(one.component), _count(one.n_rows), *(_p(value) for value in tests), verdict])
    return table(header, rows)


def _count(value: float) -> str:
    """How many rows: a whole number unless weights make it none."""
    return f"{value:.0f}" if value.is_integer() else number(value)


def _decimals(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _seconds(value: float) -> str:
    return "0" if value == 0.0 else number(value, 2)


def _p(value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{value:.3f}" if value >= 0.0005 else "<0.001"
