"""The numbers put into words: what was found, how sure it is, and what the fit has to say."""

from collections.abc import Sequence

from gaussmix.plots.canvas import format_count
from gaussmix.plots.validation import FitLike, MixtureLike, as_fit, as_mixture, check_selection
from gaussmix.report.formatting import format_number, format_percent, join_words
from gaussmix.report.tables import (
    CERTAIN_BELOW,
    UNCERTAIN_ABOVE,
    ComponentRow,
    MixtureSummary,
    component_table,
    summarize_mixture,
)
from gaussmix.selection import Selection
from gaussmix.selection.criteria import describe_evidence
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
    """One paragraph on what was found.

    Parameters
    ----------
    mixture : Mixture or fitted estimator
    X : array-like of shape (n, D)
        The rows it is to explain.
    fit : Fit, optional
        How it was fitted.
    selection : Selection, optional
        The search it was chosen by.
    sample_weight : array-like of shape (n,), optional
        How often each row counts.
    """
    mixture = as_mixture(mixture)
    numbers = summarize_mixture(mixture, X, sample_weight)
    sentences = [_describe_groups(numbers)]
    if mixture.noise is not None and fit is None:  # a fit says so itself
        sentences.append(f"Noise takes {format_percent(mixture.noise.weight)} of the weight.")
    if mixture.n_components > 1:
        sentences += [
            _describe_weights(component_table(mixture, X, sample_weight)),
            _describe_certainty(numbers, sample_weight is not None),
        ]
    sentences += [] if selection is None else [_describe_selection(check_selection(selection))]
    sentences += [] if fit is None else _describe_outcome(as_fit(fit))
    return " ".join(sentences)


def _describe_groups(mixture_summary: MixtureSummary) -> str:
    rows, verb = format_count(mixture_summary.n_rows, "row"), "is" if mixture_summary.n_rows == 1 else "are"
    has_unit_weights = mixture_summary.total_weight == mixture_summary.n_rows
    weight = "" if has_unit_weights else f" (of total weight {format_number(mixture_summary.total_weight)})"
    columns = "one column" if mixture_summary.n_features == 1 else f"{mixture_summary.n_features} columns"
    count = mixture_summary.n_components
    groups = "one Gaussian group" if count == 1 else f"{count} Gaussian groups"
    return (
        f"The {rows}{weight} of {columns} {verb} described by {groups} of structure {mixture_summary.structure}: "
        f"{mixture_summary.description}."
    )


def _describe_weights(component_rows: Sequence[ComponentRow]) -> str:
    shares = [part.weight for part in component_rows]
    if len(component_rows) <= _MAX_LISTED_WEIGHTS:
        return f"Their shares are {join_words([format_percent(share) for share in shares])}."
    return f"Their shares range from {format_percent(min(shares))} to {format_percent(max(shares))}."


def _describe_certainty(mixture_summary: MixtureSummary, has_weights: bool) -> str:
    if mixture_summary.n_rows == 1:
        sure = mixture_summary.certain_fraction == 1.0
        bound = "above" if sure else "of at most"
        return f"The row belongs to its group with a probability {bound} {format_percent(1 - CERTAIN_BELOW, 0)}."
    what, belong, lie = ("weight", "belongs", "lies") if has_weights else ("rows", "belong", "lie")
    certain = format_percent(mixture_summary.certain_fraction)
    uncertain = format_percent(mixture_summary.uncertain_fraction)
    return (
        f"{certain} of the {what} {belong} to {'a' if has_weights else 'their'} group with "
        f"a probability above {format_percent(1 - CERTAIN_BELOW, 0)}; {uncertain} {lie} between groups, "
        f"with less than {format_percent(1 - UNCERTAIN_ABOVE, 0)} for the most probable one."
    )


def _describe_selection(selection: Selection) -> str:
    best, rule = selection.best, selection.criterion.upper()
    fitted = sum(candidate.fit is not None for candidate in selection.candidates)
    name = f"{best.structure.display_name} with {_format_component_count(best.n_components)}"
    found = f"Of {format_count(fitted, 'fitted candidate')}, {name}"
    if not best.is_eligible:
        return f"{found} was taken although it is degenerate{_all_degenerate_suffix(fitted)}; treat it with caution."
    second = selection.runner_up
    if second is None:
        return f"{found} was chosen by {rule}; no other sound candidate describes different mixtures."
    gap = second.criteria[selection.criterion] - best.criteria[selection.criterion]
    second_name = f"{second.structure.display_name} with {_format_component_count(second.n_components)}"
    ahead = f"{format_number(gap, 3)} below the runner-up ({second_name})"
    verdict = f", evidence that Kass and Raftery (1995) call {_quote(describe_evidence(gap))}" if rule == "BIC" else ""
    return f"{found} has the lowest {rule}, {ahead}{verdict}."


def _format_component_count(n_components: int) -> str:
    return "one component" if n_components == 1 else f"{n_components} components"


def _all_degenerate_suffix(n_fitted: int) -> str:
    return "" if n_fitted == 1 else ", as all of them are"


def _quote(text: str) -> str:
    return f"“{text}”"


def _describe_outcome(fit: Fit) -> list[str]:
    return [str(fit.outcome), *fit.notes]
