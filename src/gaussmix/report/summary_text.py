"""Summarize a mixture, its selection and its fit in one paragraph of text."""

from collections.abc import Sequence
from typing import NamedTuple

from gaussmix.errors.text import join_with_and
from gaussmix.model import Mixture
from gaussmix.plots.canvas import format_count
from gaussmix.plots.plot_data import column_name
from gaussmix.plots.validation import FitLike, MixtureLike, as_fit, as_mixture, check_selection
from gaussmix.report.component_contrasts import describe_components
from gaussmix.report.formatting import format_number, format_percent
from gaussmix.report.tables import (
    CERTAIN_BELOW,
    UNCERTAIN_ABOVE,
    ComponentRow,
    FitQualitySummary,
    component_table,
    summarize_fit_quality,
)
from gaussmix.selection import Selection
from gaussmix.selection.criteria import describe_bic_evidence
from gaussmix.solvers import Fit
from gaussmix.types import ArrayLike

_MAX_LISTED_WEIGHTS = 8


def describe_mixture(
    mixture: MixtureLike,
    X: ArrayLike,
    *,
    fit: FitLike | None = None,
    selection: Selection | None = None,
    sample_weight: ArrayLike | None = None,
) -> str:
    """Return one paragraph of text that summarizes a mixture on some rows.

    Parameters
    ----------
    mixture : Mixture, fitted estimator, Selection or Candidate
    X : array-like of shape (n, D)
        Rows in the data's units.
    fit : Fit, fitted estimator, Selection or Candidate, optional
        Adds the outcome of the fit.
    selection : Selection, optional
        Adds the comparison with other candidates of the search.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows. Default: 1.

    Returns
    -------
    str
    """
    text = summarize_mixture_and_notes(mixture, X, fit=fit, selection=selection, sample_weight=sample_weight)
    return " ".join([text.summary, *text.component_sentences, *text.notes])


class SummaryText(NamedTuple):
    """A paragraph on a mixture, a sentence for each component, and notes on its search, its fit and its columns."""

    summary: str
    component_sentences: tuple[str, ...]
    notes: tuple[str, ...]


def summarize_mixture_and_notes(
    mixture: MixtureLike,
    X: ArrayLike,
    *,
    fit: FitLike | None = None,
    selection: Selection | None = None,
    sample_weight: ArrayLike | None = None,
) -> SummaryText:
    """Return what `describe_mixture` returns, in parts."""
    mixture = as_mixture(mixture)
    fit_quality = summarize_fit_quality(mixture, X, sample_weight)
    sentences = [_describe_groups(fit_quality)]
    if mixture.noise is not None and fit is None:  # the notes of a fit mention the noise
        sentences.append(f"The noise component has a weight of {format_percent(mixture.noise.weight)}.")
    if mixture.n_components > 1:
        sentences += [
            _describe_weights(component_table(mixture, X, sample_weight)),
            _describe_certainty(fit_quality, sample_weight is not None),
        ]
    sentences += describe_transforms(mixture)
    sentences += [] if selection is None else [describe_selection(check_selection(selection))]
    notes = [] if selection is None else [*selection.notes]
    notes += [] if fit is None else _describe_outcome(as_fit(fit))
    notes += [] if selection is None else selection.column_notes
    return SummaryText(" ".join(sentences), tuple(describe_components(mixture)), tuple(dict.fromkeys(notes)))


def _describe_groups(fit_quality: FitQualitySummary) -> str:
    """Return a sentence on the size of the data, the number of groups and their structure."""
    rows, verb = format_count(fit_quality.n_rows, "row"), "is" if fit_quality.n_rows == 1 else "are"
    has_mean_weight_one = fit_quality.total_weight == fit_quality.n_rows
    weight = "" if has_mean_weight_one else f" (of total weight {format_number(fit_quality.total_weight)})"
    columns = "one column" if fit_quality.n_features == 1 else f"{fit_quality.n_features} columns"
    count = fit_quality.n_components
    groups = "one Gaussian group" if count == 1 else f"{count} Gaussian groups"
    return (
        f"The {rows}{weight} of {columns} {verb} described by {groups} of structure {fit_quality.structure}: "
        f"{fit_quality.description}."
    )


def describe_transforms(mixture: Mixture) -> list[str]:
    """Return a sentence on the transformed columns and what tables show of them; none without transforms."""
    if mixture.transforms is None:
        return []
    names = [column_name(mixture, j) for j in range(mixture.n_features)]
    columns = join_with_and(mixture.transforms.describe(names))
    return [
        f"The groups are Gaussian in transformed columns: {columns}. Tables show their medians in the units of the "
        "data, and half the distance between the quantiles of 16 % and 84 %."
    ]


def _describe_weights(component_rows: Sequence[ComponentRow]) -> str:
    """Return a sentence with the weights of the groups, or with their range if there are more than eight."""
    weights = [row.weight for row in component_rows]
    if len(component_rows) <= _MAX_LISTED_WEIGHTS:
        return f"Their weights are {join_with_and([format_percent(weight) for weight in weights], max_names=None)}."
    return f"Their weights range from {format_percent(min(weights))} to {format_percent(max(weights))}."


def _describe_certainty(fit_quality: FitQualitySummary, has_weights: bool) -> str:
    """Return a sentence on the percentages of certain and of uncertain rows, or of their weight."""
    if fit_quality.n_rows == 1:
        is_certain = fit_quality.certain_fraction == 1.0
        bound = "above" if is_certain else "of at most"
        return f"The row belongs to its group with a probability {bound} {format_percent(1 - CERTAIN_BELOW, 0)}."
    total, belong, lie = ("weight", "belongs", "lies") if has_weights else ("rows", "belong", "lie")
    certain = format_percent(fit_quality.certain_fraction)
    uncertain = format_percent(fit_quality.uncertain_fraction)
    return (
        f"{certain} of the {total} {belong} to {'a' if has_weights else 'their'} group with "
        f"a probability above {format_percent(1 - CERTAIN_BELOW, 0)}; {uncertain} {lie} between groups, "
        f"with a probability below {format_percent(1 - UNCERTAIN_ABOVE, 0)} for the most probable one."
    )


def describe_selection(selection: Selection) -> str:
    """Return a sentence on the selected candidate and the distance of its criterion to the runner-up's.

    Another sentence follows if the search ended at the selected number of components.
    """
    at_edge = " It is at the edge of the search: no larger number of components was tried for this structure."
    return _compare_with_runner_up(selection) + (at_edge if selection.is_best_at_largest_count else "")


def _compare_with_runner_up(selection: Selection) -> str:
    """Return a sentence on the selected candidate and the distance of its criterion to the runner-up's."""
    best, criterion = selection.best, selection.criterion.upper()
    n_fitted = sum(candidate.fit is not None for candidate in selection.candidates)
    name = f"{best.structure.name_with_alias_or_n_factors} with {_format_component_count(best.n_components)}"
    subject = f"Of {format_count(n_fitted, 'fitted candidate')}, {name}"
    if n_fitted == 1 and best.is_eligible:
        return f"{name[0].upper()}{name[1:]} is the only candidate that was fitted, so nothing was compared."
    if not best.is_eligible:
        reason = "it is degenerate" if n_fitted == 1 else "it is degenerate, like all others"
        return f"{subject} was selected although {reason}; treat it with caution."
    second = selection.runner_up
    if second is None:
        return f"{subject} was selected by {criterion}; no other valid candidate describes different mixtures."
    gap = second.criteria[selection.criterion] - best.criteria[selection.criterion]
    second_name = f"{second.structure.name_with_alias_or_n_factors} with {_format_component_count(second.n_components)}"
    distance = f"{format_number(gap, 3)} below the runner-up ({second_name})"
    evidence = (
        f", evidence that Kass and Raftery (1995) call “{describe_bic_evidence(gap)}”" if criterion == "BIC" else ""
    )
    of_these = " of those that are not degenerate" if selection.degenerate_candidates_below_best else ""
    return f"{subject} has the lowest {criterion}{of_these}, {distance}{evidence}."


def _format_component_count(n_components: int) -> str:
    """Return 'one component' or '3 components'."""
    return "one component" if n_components == 1 else f"{n_components} components"


def _describe_outcome(fit: Fit) -> list[str]:
    """Return the sentence on how the fit ended, and its notes."""
    return [str(fit.outcome), *fit.notes]
