"""``Comparison``: the results of comparing solvers and ways to assign rows on one data set."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gaussmix.comparison.assignment_comparison import AssignmentMethodComparison
from gaussmix.comparison.normality_tests import NormalityTestResult
from gaussmix.comparison.solver_comparison import SolverResult
from gaussmix.model.mixture import Mixture
from gaussmix.selection.candidates import Selection

TableRows = list[dict[str, object]]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """The result of `compare`; ``print`` shows all tables and the summary, `gaussmix.plots` draws it.

    Attributes
    ----------
    selection : Selection
        The search that chose the mixture.
    solver_results : tuple of SolverResult
        One per solver, from a common start: ``n_iter``, ``seconds``, ``log_likelihood``, ``gap_per_row`` to the best,
        ``n_iter_to_best`` and ``seconds_to_best``, ``is_degenerate``, and ``outcome``. All have the structure and the
        number of components of the chosen mixture.
    solver_start : str
        The common start: the value of ``init_params``, or 'groups of the chosen mixture' if that leads to a
        degenerate fit.
    assignments : AssignmentMethodComparison
        Ways to assign the rows, their agreement and, with labels, their accuracy.
    normality_tests : tuple of NormalityTestResult
        One per component.
    summary : str
        One paragraph on the results, with advice.
    """

    selection: Selection
    solver_results: tuple[SolverResult, ...]
    solver_start: str
    assignments: AssignmentMethodComparison
    normality_tests: tuple[NormalityTestResult, ...]
    summary: str = field(repr=False)

    @property
    def mixture(self) -> Mixture:
        """The mixture that assigns the rows."""
        return self.assignments.mixture

    def solver_table(self) -> TableRows:
        """Return one dict per solver: iterations, seconds, log-likelihood, its gap to the best, and the outcome."""
        names = (
            "solver",
            "n_iter",
            "seconds",
            "log_likelihood",
            "gap_per_row",
            "n_iter_to_best",
            "seconds_to_best",
            "is_degenerate",
            "outcome",
        )
        return [{name: getattr(result, name) for name in names} for result in self.solver_results]

    def assignment_table(self) -> TableRows:
        """Return one dict per assignment method: agreement with the mixture, accuracy, log-loss, calibration error."""
        return self.assignments.table()

    def normality_per_component(self) -> TableRows:
        """Return one dict of multivariate tests per component; values are None if its rows could not be tested."""
        names = (
            "skewness",
            "skewness_p_value",
            "kurtosis",
            "kurtosis_p_value",
            "henze_zirkler",
            "henze_zirkler_p_value",
            "bonferroni_p_value",
            "is_plausibly_gaussian",
        )
        return [
            {
                "component": result.component,
                "total_weight": result.total_weight,
                **{name: getattr(result, name) if result.is_tested else None for name in names},
                "skip_reason": result.skip_reason,
            }
            for result in self.normality_tests
        ]

    def __repr__(self) -> str:
        solver_rows = [{name: value for name, value in row.items() if name != "outcome"} for row in self.solver_table()]
        tables = {
            f"Solvers, {self.selection.best.name}, from one start ({self.solver_start})": solver_rows,
            "Ways to assign": self.assignment_table(),
            "Do components look Gaussian?": self.normality_per_component(),
        }
        return "\n\n".join([*(f"{title}\n{_format_table(rows)}" for title, rows in tables.items()), self.summary])


def _format_table(table_rows: TableRows) -> str:
    """Return a table, a list of dicts, as text with aligned columns; empty columns are left out."""
    names = [name for name in table_rows[0] if any(row[name] not in (None, "") for row in table_rows)]
    columns = [[name, *(_format_cell(row[name]) for row in table_rows)] for name in names]
    widths = [max(map(len, column)) for column in columns]
    return "\n".join("  " + _format_line(cells, widths) for cells in zip(*columns, strict=True))


def _format_line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return cells padded to widths: the first one aligned left, the others right."""
    right_aligned = (f"{cell:>{width}}" for cell, width in zip(cells[1:], widths[1:], strict=True))
    return "  ".join([f"{cells[0]:<{widths[0]}}", *right_aligned]).rstrip()


def _format_cell(value: object) -> str:
    """Return a value as text: '-' for None, 'yes' or 'no' for booleans, few digits for floats."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}" if abs(value) >= 100.0 else f"{value:.3g}"
    return str(value)
