"""``Comparison``: optimisers and ways to assign side by side on one set of rows, with a paragraph about them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gaussmix.comparison.assignment_comparison import AssignmentComparison
from gaussmix.comparison.normality_tests import NormalityTestResult
from gaussmix.comparison.solver_comparison import SolverResult
from gaussmix.model.mixture import Mixture
from gaussmix.selection.candidates import Selection

TableRows = list[dict[str, object]]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What `compare` found; ``print`` shows it all, `gaussmix.plots` draws it.

    Attributes
    ----------
    selection : Selection
        The search that chose the mixture.
    optimisers : tuple of Optimised
        One per solver, from a common start: ``passes``, ``seconds``, ``log_likelihood``, ``gap`` to the best (per row),
        ``near_passes`` and ``near_seconds`` to 1e-6 of it, ``outcome``.
    assignment : Assignment
        Ways to assign the rows, how they agree, and how right they are where labels exist.
    normality : tuple of Normality
        Tests of each component.
    words : str
        One paragraph on when to prefer which.
    """

    selection: Selection
    solver_results: tuple[SolverResult, ...]
    assignments: AssignmentComparison
    normality_tests: tuple[NormalityTestResult, ...]
    summary: str = field(repr=False)

    @property
    def mixture(self) -> Mixture:
        """The mixture that assigns the rows."""
        return self.assignments.mixture

    def solver_table(self) -> TableRows:
        """One row per solver."""
        return [
            {
                "solver": one.solver,
                "n_iter": one.n_iter,
                "seconds": one.seconds,
                "log_likelihood": one.log_likelihood,
                "gap_per_row": one.gap_per_row,
                "n_iter_to_best": one.n_iter_to_best,
                "seconds_to_best": one.seconds_to_best,
                "outcome": one.outcome,
            }
            for one in self.solver_results
        ]

    def assignment_table(self) -> TableRows:
        """One row per way to assign."""
        return self.assignments.table()

    def normality_table(self) -> TableRows:
        """One row per component; statistics and p-values are None where there were too few rows."""
        names = (
            "skewness",
            "skewness_p_value",
            "kurtosis",
            "kurtosis_p_value",
            "henze_zirkler",
            "henze_zirkler_p_value",
            "bonferroni_p_value",
        )
        return [
            {
                "component": one.component,
                "total_weight": one.total_weight,
                **{name: getattr(one, name) if one.is_tested else None for name in names},
                "is_plausibly_gaussian": one.is_plausibly_gaussian if one.is_tested else None,
                "skip_reason": one.skip_reason,
            }
            for one in self.normality_tests
        ]

    def __repr__(self) -> str:
        climbs = [{name: value for name, value in row.items() if name != "outcome"} for row in self.solver_table()]
        parts = {
            "Optimisers, from one start": climbs,
            "Ways to assign": self.assignment_table(),
            "Do components look Gaussian?": self.normality_table(),
        }
        return "\n\n".join([*(f"{title}\n{_format_table(table)}" for title, table in parts.items()), self.summary])


def _format_table(table_rows: TableRows) -> str:
    """A table as text, without columns that say nothing."""
    names = [name for name in table_rows[0] if any(row[name] not in (None, "") for row in table_rows)]
    columns = [[name, *(_format_cell(row[name]) for row in table_rows)] for name in names]
    widths = [max(map(len, column)) for column in columns]
    lines = zip(*columns, strict=True)
    return "\n".join("  " + _format_line(cells, widths) for cells in lines)


def _format_line(cells: Sequence[str], widths: Sequence[int]) -> str:
    others = (f"{cell:>{wide}}" for cell, wide in zip(cells[1:], widths[1:], strict=True))
    return "  ".join([f"{cells[0]:<{widths[0]}}", *others]).rstrip()


def _format_cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}" if abs(value) >= 100.0 else f"{value:.3g}"
    return str(value)
