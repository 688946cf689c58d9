"""The numbers put into words: what was found, how sure it is, and what the fit has to say."""

from collections.abc import Sequence

from gaussmix.plots.canvas import counted
from gaussmix.plots.given import FitLike, MixtureLike, as_fit, as_mixture, as_selection
from gaussmix.report.formatting import listed, number, percent
from gaussmix.report.tables import CERTAIN, UNCERTAIN, ComponentRow, Summary, components, summary
from gaussmix.selection import Selection
from gaussmix.selection.criteria import evidence
from gaussmix.solvers import Fit
from gaussmix.types import ArrayLike

_MOST_SIZES = 8


def in_words(
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
    numbers = summary(mixture, X, sample_weight)
    sentences = [_groups(numbers)]
    if mixture.noise is not None and fit is None:  # a fit says so itself
        sentences.append(f"Noise takes {percent(mixture.noise.weight)} of the weight.")
    if mixture.n_components > 1:
        sentences += [_sizes(components(mixture, X, sample_weight)), _sureness(numbers, sample_weight is not None)]
    sentences += [] if selection is None else [_choice(as_selection(selection))]
    sentences += [] if fit is None else _ending(as_fit(fit))
    return " ".join(sentences)


def _groups(numbers: Summary) -> str:
    rows, verb = counted(numbers.n_rows, "row"), "is" if numbers.n_rows == 1 else "are"
    weight = "" if numbers.total_weight == numbers.n_rows else f" (of total weight {number(numbers.total_weight)})"
    columns = "one column" if numbers.n_features == 1 else f"{numbers.n_features} columns"
    groups = "one Gaussian group" if numbers.n_components == 1 else f"{numbers.n_components} Gaussian groups"
    return (
        f"The {rows}{weight} of {columns} {verb} described by {groups} of structure {numbers.structure}: "
        f"{numbers.description}."
    )


def _sizes(parts: Sequence[ComponentRow]) -> str:
    shares = [part.weight for part in parts]
    if len(parts) <= _MOST_SIZES:
        return f"Their shares are {listed([percent(share) for share in shares])}."
    return f"Their shares range from {percent(min(shares))} to {percent(max(shares))}."


def _sureness(numbers: Summary, weighted: bool) -> str:
    if numbers.n_rows == 1:
        sure = numbers.share_certain == 1.0
        bound = "above" if sure else "of at most"
        return f"The row belongs to its group with a probability {bound} {percent(1 - CERTAIN, 0)}."
    what, belong, lie = ("weight", "belongs", "lies") if weighted else ("rows", "belong", "lie")
    return (
        f"{percent(numbers.share_certain)} of the {what} {belong} to {'a' if weighted else 'their'} group with "
        f"a probability above {percent(1 - CERTAIN, 0)}; {percent(numbers.share_uncertain)} {lie} between groups, "
        f"with less than {percent(1 - UNCERTAIN, 0)} for the most probable one."
    )


def _choice(selection: Selection) -> str:
    best, rule = selection.best, selection.criterion.upper()
    fitted = sum(candidate.fit is not None for candidate in selection.candidates)
    found = f"Of {counted(fitted, 'fitted candidate')}, {best.structure.label} with {_counted(best.n_components)}"
    if not best.is_eligible:
        return f"{found} was taken although it is degenerate{_as_all(fitted)}; treat it with caution."
    second = selection.runner_up
    if second is None:
        return f"{found} was chosen by {rule}; no other sound candidate describes different mixtures."
    gap = second.criteria[selection.criterion] - best.criteria[selection.criterion]
    ahead = f"{number(gap, 3)} below the runner-up ({second.structure.label} with {_counted(second.n_components)})"
    verdict = f", evidence that Kass and Raftery (1995) call {_quoted(evidence(gap))}" if rule == "BIC" else ""
    return f"{found} has the lowest {rule}, {ahead}{verdict}."


def _counted(n_components: int) -> str:
    return "one component" if n_components == 1 else f"{n_components} components"


def _as_all(fitted: int) -> str:
    return "" if fitted == 1 else ", as all of them are"


def _quoted(words: str) -> str:
    return f"“{words}”"


def _ending(fit: Fit) -> list[str]:
    return [str(fit.outcome), *fit.notes]
