"""Results of a model search: ``Candidate``, one fitted mixture, and ``Selection``, all candidates in rank order."""

from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from gaussmix.core.column_dependence import ColumnDependence
from gaussmix.covariance.structure import Structure
from gaussmix.diagnostics import ColumnDiagnosis, describe_diagnoses
from gaussmix.errors import MissingPackageError
from gaussmix.errors.text import format_count
from gaussmix.model.column_dependence import attach_dependence, describe_dependence
from gaussmix.model.mixture import Mixture
from gaussmix.selection.criteria import CRITERIA
from gaussmix.selection.near_rows import CriterionTerms
from gaussmix.solvers.fit_record import Fit
from gaussmix.transforms import TransformedRows

# Two criterion values that differ relatively by less belong to one density under two names.
_RELATIVE_TIE = 1e-9

_FLOOR_ADVICE = (
    "A likelihood on the floor is uninformative; equal rows, dependent columns or few rows per parameter cause it. "
    "A prior (prior='default') keeps covariances off the floor."
)
_FEW_ROWS_ADVICE = (
    "A likelihood of so few rows is uninformative. "
    "Use a prior (prior='default'), more rows, fewer columns, or structures with fewer parameters."
)


@dataclass(frozen=True, repr=False)
class Candidate:
    """One structure with one number of components: the fitted mixture, or the reason why there is none.

    Attributes
    ----------
    structure : Structure
    n_components : int
    criteria : dict of str to float
        Every criterion by name; empty if the fit failed.
    n_parameters : int
        Free parameters of the mixture.
    mixture : Mixture or None
    fit : Fit or None
        The record of the fit.
    rejection_reason : str
        Why the candidate is not eligible; empty if it is.
    near_rows : CriterionTerms or None
        Log-likelihood and weight of the rows that the criteria count, where they leave far rows out.
    """

    structure: Structure
    n_components: int
    criteria: dict[str, float]
    n_parameters: int
    mixture: Mixture | None
    fit: Fit | None
    rejection_reason: str = ""
    near_rows: CriterionTerms | None = None

    @property
    def name(self) -> str:
        """Structure and number of components, such as 'VVV,3'."""
        return f"{self.structure},{self.n_components}"

    def __repr__(self) -> str:
        criteria = {name: self.criteria[name] for name in ("bic", "icl", "aic") if name in self.criteria}
        values = ", ".join(f"{name.upper()} {value:.8g}" for name, value in criteria.items())
        return f"Candidate({self.name}: {' '.join(filter(None, [values, self.rejection_reason]))})"

    def with_all_columns(
        self, dependence: ColumnDependence | None, feature_names: tuple[str, ...] | None
    ) -> "Candidate":
        """Return the candidate, fitted to the independent columns, with a mixture of all columns and notes on them."""
        if dependence is None or self.fit is None or self.mixture is None:
            return self
        mixture = attach_dependence(self.mixture, dependence, feature_names)
        notes = (*describe_dependence(dependence, feature_names, mixture.transforms), *self.fit.notes)
        return replace(self, mixture=mixture, fit=replace(self.fit, mixture=mixture, notes=notes))

    def with_transforms(self, transformed: TransformedRows, total_weight: float) -> "Candidate":
        """Return the candidate of a search over transformed rows, with criteria in the data's units."""
        if transformed.transforms is None:
            return self
        n_parameters = self.n_parameters + transformed.n_parameters
        if self.fit is None:
            return replace(self, n_parameters=n_parameters)
        fit = self.fit.with_transforms(transformed, total_weight)
        total_log_max_responsibility = 0.5 * (self.criteria["bic"] - self.criteria["icl"])
        terms, near = CriterionTerms(fit.log_likelihood, n_parameters, total_weight, total_log_max_responsibility), None
        if self.near_rows is not None:
            near = terms = self.near_rows._replace(
                log_likelihood=self.near_rows.log_likelihood + transformed.total_log_jacobian,
                n_parameters=self.near_rows.n_parameters + transformed.n_parameters,
            )
        criteria = {name: criterion(*terms) for name, criterion in CRITERIA.items()}
        return replace(self, criteria=criteria, n_parameters=n_parameters, mixture=fit.mixture, fit=fit, near_rows=near)

    @property
    def is_eligible(self) -> bool:
        """Whether the fit exists and is not degenerate."""
        return self.fit is not None and not self.fit.is_degenerate


@dataclass(frozen=True, repr=False)
class Selection:
    """All candidates of a search, best first: eligible ones by the criterion, then degenerate ones, then failures.

    Attributes
    ----------
    criterion : str
        The criterion that ranks the candidates; lower is better. mclust's criteria have the other sign.
    candidates : tuple of Candidate
        Each has ``structure``, ``n_components``, ``criteria`` (a dict), ``mixture`` and ``fit``. The last two are
        None if the fit failed; ``rejection_reason`` says why.
    seconds : float
        Duration of the search.
    column_diagnoses : tuple of ColumnDiagnosis
        Columns that no Gaussian describes; the structure and the number of components may follow them alone.
    """

    criterion: str
    candidates: tuple[Candidate, ...]
    seconds: float
    column_diagnoses: tuple[ColumnDiagnosis, ...] = ()

    def __repr__(self) -> str:
        first_lines = "\n".join(f"  {candidate!r}" for candidate in self.candidates[:5])
        n_more = len(self.candidates) - 5
        last_line = f"\n  ... and {n_more} more in .table()" if n_more > 0 else ""
        notes = "".join(f"\n{note}" for note in self.notes)
        return f"Selection by {self.criterion.upper()}, best first:\n{first_lines}{last_line}{notes}"

    @property
    def column_notes(self) -> tuple[str, ...]:
        """Texts on the columns that no Gaussian describes, and the next step; a noise component describes some."""
        mixture = self.best.mixture
        has_noise = mixture is not None and mixture.noise is not None
        return describe_diagnoses(self.column_diagnoses, has_noise)

    @property
    def best(self) -> Candidate:
        """The candidate with the best criterion; degenerate only if no candidate is eligible."""
        return self.candidates[0]

    @property
    def is_best_at_largest_count(self) -> bool:
        """Whether the best candidate has the largest of several numbers of components tried for its structure."""
        structure = self.best.structure
        counts = {candidate.n_components for candidate in self.candidates if candidate.structure == structure}
        return len(counts) > 1 and self.best.n_components == max(counts)

    @property
    def runner_up(self) -> Candidate | None:
        """The best eligible candidate whose density differs from that of ``best``, or None.

        With one component or one column, several structures describe the same density.
        """
        best_value = self.best.criteria[self.criterion]
        for candidate in self.candidates[1:]:
            if candidate.is_eligible:
                difference = abs(candidate.criteria[self.criterion] - best_value)
                if difference >= _RELATIVE_TIE * abs(best_value):
                    return candidate
        return None

    @property
    def degenerate_candidates_below_best(self) -> tuple[Candidate, ...]:
        """Degenerate candidates whose criterion is lower than that of an eligible ``best``, lowest first."""
        if not self.best.is_eligible:
            return ()
        best_value = self.best.criteria[self.criterion]
        limit = best_value - _RELATIVE_TIE * abs(best_value)
        lower = [c for c in self.candidates if c.criteria and not c.is_eligible and c.criteria[self.criterion] < limit]
        return tuple(sorted(lower, key=lambda candidate: candidate.criteria[self.criterion]))

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on degenerate candidates that would have won, and on a best one with the largest number tried."""
        return (
            *self._notes_on_far_rows(),
            *self._notes_on_degenerate_candidates(),
            *self._notes_on_largest_count(),
        )

    def _notes_on_far_rows(self) -> tuple[str, ...]:
        """Return the sentence that the criteria leave far rows out, if they do."""
        near, fit = self.best.near_rows, self.best.fit
        if near is None or fit is None:
            return ()
        n_far = round(float(fit.masses.sum()) - near.total_weight)
        names = format_count(n_far, "far row")
        return (f"The criteria leave out {names}, whose likelihood says nothing of the groups.",)

    def _notes_on_degenerate_candidates(self) -> tuple[str, ...]:
        """Return sentences on candidates that would have won if they were not degenerate: which, why, what may help."""
        lower = self.degenerate_candidates_below_best
        if not lower or lower[0].fit is None:
            return ()
        name, value = self.criterion.upper(), lower[0].criteria[self.criterion]
        gap, n_more = self.best.criteria[self.criterion] - value, len(lower) - 1
        verb = "is" if n_more == 1 else "are"
        more = f" {format_count(n_more, 'more degenerate candidate')} {verb} below {self.best.name}." if n_more else ""
        return (
            f"{lower[0].name} has a {name} of {_format_criterion(value)}, {_format_criterion(gap)} below that of "
            f"{self.best.name}, but is degenerate: {lower[0].fit.degeneracy}.{more}",
            _FLOOR_ADVICE if lower[0].fit.has_floored_component_of_enough_rows else _FEW_ROWS_ADVICE,
        )

    def _notes_on_largest_count(self) -> tuple[str, ...]:
        """Return the sentence that the best candidate has the largest number of components tried, if it has."""
        if not self.is_best_at_largest_count:
            return ()
        count = format_count(self.best.n_components, "component")
        advice = f"more may have a lower {self.criterion.upper()}: raise n_components (--components)."
        if self.column_notes:
            advice = "columns that no Gaussian describes often need ever more components: leave out or transform these."
        return (f"{count} of {self.best.structure} were the largest number tried; {advice}",)

    def to_pandas(self) -> Any:
        """Return the table as a pandas DataFrame; raise MissingPackageError if pandas is not installed."""
        return self._to_data_frame("pandas")

    def to_polars(self) -> Any:
        """Return the table as a polars DataFrame; raise MissingPackageError if polars is not installed."""
        return self._to_data_frame("polars")

    def _to_data_frame(self, library_name: str) -> Any:
        """Return the table as a data frame of pandas or polars."""
        try:
            return import_module(library_name).DataFrame(self.table())
        except ModuleNotFoundError as error:
            raise MissingPackageError.for_package(library_name, "this table") from error

    def table(self) -> list[dict[str, object]]:
        """Return one dict per candidate, best first: structure, n_components, criteria and the state of the fit."""
        return [
            {
                "structure": str(candidate.structure),
                "n_components": candidate.n_components,
                **{name: candidate.criteria.get(name) for name in CRITERIA},
                "log_likelihood": None if candidate.fit is None else candidate.fit.log_likelihood,
                "n_parameters": candidate.n_parameters,
                "degenerate": candidate.fit is not None and candidate.fit.is_degenerate,
                "rejection_reason": candidate.rejection_reason,
            }
            for candidate in self.candidates
        ]


def candidate_sort_key(candidate: Candidate, criterion: str) -> tuple[int, float, int]:
    """Return the key that sorts candidates best first: (severity, criterion, n_parameters).

    Severities: 0 eligible, 1 a component of too few rows, 2 a floored variance, 3 failed.
    """
    if candidate.fit is None:
        return 3, 0.0, candidate.n_parameters
    severity = 2 if candidate.fit.has_floored_component else int(candidate.fit.is_degenerate)
    return severity, round_criterion(candidate.criteria[criterion]), candidate.n_parameters


def _format_criterion(value: float) -> str:
    """Return a criterion or a difference in five digits, and all of those before the decimal point up to 15."""
    return f"{value:.0f}" if 1e5 <= abs(value) < 1e15 else f"{value:.5g}"


def round_criterion(value: float) -> float:
    """Return a criterion in ten digits: structures with equal densities then tie, so that fewer parameters win."""
    return float(f"{value:.10g}")
