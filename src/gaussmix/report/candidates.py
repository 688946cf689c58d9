"""Table of the candidates of a search with a remark on each."""

from dataclasses import dataclass

from gaussmix.plots.validation import check_selection
from gaussmix.selection import Candidate, Selection

_ROUNDING_RTOL = 1e-12  # smaller relative differences are rounding errors
_EQUAL_CRITERION_RTOL = 1e-9  # relative difference below which two structures describe the same mixtures


@dataclass(frozen=True)
class CandidateRow:
    """A candidate of a search; ``difference_to_best`` is its criterion minus that of the selected candidate."""

    rank: int
    structure: str
    n_components: int
    criterion_value: float | None
    difference_to_best: float | None
    log_likelihood: float | None
    n_parameters: int
    is_eligible: bool
    remark: str


def candidate_table(selection: Selection) -> list[CandidateRow]:
    """Return the candidates of a search, best first, each with a remark.

    Parameters
    ----------
    selection : Selection
        Result of `gaussmix.select`.

    Returns
    -------
    list of CandidateRow
    """
    criterion = check_selection(selection).criterion
    best_value = selection.best.criteria[criterion]
    rows = []
    for rank, candidate in enumerate(selection.candidates):
        value = candidate.criteria.get(criterion)
        rows.append(
            CandidateRow(
                rank=rank + 1,
                structure=candidate.structure.name_with_alias_or_n_factors,
                n_components=candidate.n_components,
                criterion_value=value,
                difference_to_best=None if value is None else _difference_without_rounding_error(value, best_value),
                log_likelihood=None if candidate.fit is None else candidate.fit.log_likelihood,
                n_parameters=candidate.n_parameters,
                is_eligible=candidate.is_eligible,
                remark=_candidate_remark(candidate, selection.candidates[:rank], criterion),
            )
        )
    return rows


def _difference_without_rounding_error(value: float, best_value: float) -> float:
    """Return ``value - best_value``, or 0 if the relative difference is at most 1e-12."""
    return 0.0 if abs(value - best_value) <= _ROUNDING_RTOL * abs(best_value) else value - best_value


def _candidate_remark(candidate: Candidate, better_candidates: tuple[Candidate, ...], criterion: str) -> str:
    """Return why a candidate is rejected, which better one has the same criterion, 'selected' for the best, or ''."""
    if candidate.fit is None:
        return f"not fitted: {candidate.rejection_reason}"
    if not candidate.is_eligible:
        return f"degenerate: {candidate.fit.degeneracy}"
    value = candidate.criteria[criterion]
    for other in better_candidates:
        is_comparable = other.n_components == candidate.n_components and other.is_eligible
        if is_comparable and abs(other.criteria[criterion] - value) <= _EQUAL_CRITERION_RTOL * abs(value):
            return f"the same mixtures as {other.structure.name_with_alias_or_n_factors}"
    return "" if better_candidates else "selected"
