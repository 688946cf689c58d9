"""``Candidate`` and ``Selection``: what a search has tried, and how it ranks."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from gaussmix.covariance.structure import Structure
from gaussmix.errors import MissingPackageError
from gaussmix.model.mixture import Mixture
from gaussmix.selection.criteria import CRITERIA
from gaussmix.solvers.fit_record import Fit


@dataclass(frozen=True, repr=False)
class Candidate:
    """One cell of the search: a structure and a number of components, fitted or with the reason why not."""

    structure: Structure
    n_components: int
    criteria: dict[str, float]
    n_parameters: int
    mixture: Mixture | None
    fit: Fit | None
    rejection_reason: str = ""

    @property
    def name(self) -> str:
        return f"{self.structure},{self.n_components}"

    def __repr__(self) -> str:
        shown = {name: self.criteria[name] for name in ("bic", "icl", "aic") if name in self.criteria}
        values = ", ".join(f"{name.upper()} {value:.8g}" for name, value in shown.items())
        return f"Candidate({self.name}: {' '.join(filter(None, [values, self.rejection_reason]))})"

    @property
    def is_eligible(self) -> bool:
        return self.fit is not None and not self.fit.is_degenerate


@dataclass(frozen=True, repr=False)
class Selection:
    """All candidates, best first: sound ones by the criterion, then degenerate ones, then failures.

    Attributes
    ----------
    criterion : str
        What was ranked by. Criteria are lower for better mixtures; mclust's have the other sign.
    candidates : tuple of Candidate
        Each with its ``structure``, ``n_components``, ``criteria`` (a dict), ``mixture`` and ``fit``; the last two are
        None, and ``reason`` says why, where it could not be fitted.
    seconds : float
        What the search took.
    """

    criterion: str
    candidates: tuple[Candidate, ...]
    seconds: float

    def __repr__(self) -> str:
        first = "\n".join(f"  {candidate!r}" for candidate in self.candidates[:5])
        more = len(self.candidates) - 5
        rest = f"\n  ... and {more} more in .table()" if more > 0 else ""
        return f"Selection by {self.criterion.upper()}, best first:\n{first}{rest}"

    @property
    def best(self) -> Candidate:
        """The chosen candidate; a degenerate one only where there is no other."""
        return self.candidates[0]

    @property
    def runner_up(self) -> Candidate | None:
        """The second-best eligible candidate that is another density, not the same one by another name.

        With one component, or one column, several structures describe the same mixtures.
        """
        value = self.best.criteria[self.criterion]
        for candidate in self.candidates[1:]:
            same = candidate.is_eligible and abs(candidate.criteria[self.criterion] - value) < 1e-9 * abs(value)
            if candidate.is_eligible and not same:
                return candidate
        return None

    def to_pandas(self) -> Any:
        """The table as a pandas DataFrame; MissingPackageError if pandas is not installed."""
        return self._to_frame("pandas")

    def to_polars(self) -> Any:
        """The table as a polars DataFrame; MissingPackageError if polars is not installed."""
        return self._to_frame("polars")

    def _to_frame(self, library_name: str) -> Any:
        try:
            return import_module(library_name).DataFrame(self.table())
        except ModuleNotFoundError as error:
            raise MissingPackageError.for_package(library_name, "this table") from error

    def table(self) -> list[dict[str, object]]:
        """One row per candidate, best first: structure, number of components, criteria, what is to be said of it."""
        return [
            {
                "structure": str(c.structure),
                "n_components": c.n_components,
                **{name: c.criteria.get(name) for name in CRITERIA},
                "log_likelihood": None if c.fit is None else c.fit.log_likelihood,
                "n_parameters": c.n_parameters,
                "degenerate": c.fit is not None and c.fit.is_degenerate,
                "rejection_reason": c.rejection_reason,
            }
            for c in self.candidates
        ]


def candidate_sort_key(candidate: Candidate, criterion: str) -> tuple[int, float, int]:
    """Sort key: sound, too few rows, on the floor, failed; then the criterion; then the fewer parameters."""
    if candidate.fit is None:
        return 3, 0.0, candidate.n_parameters
    severity = 2 if candidate.fit.has_floored_component else int(candidate.fit.is_degenerate)
    # Structures that coincide differ by rounding alone; a relative grid lets the simpler name win.
    return severity, float(f"{candidate.criteria[criterion]:.10g}"), candidate.n_parameters
