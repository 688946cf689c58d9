"""What callers hand over to be drawn or told: a mixture, a fit or a search, or the estimator that holds it."""

from typing import Protocol

from gaussmix.comparison.result import Comparison
from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.selection import Selection
from gaussmix.solvers import Fit


class SupportsMixture(Protocol):
    """A fitted estimator, as far as its mixture goes."""

    model_: Mixture


class SupportsFit(Protocol):
    """A fitted estimator, as far as its fit goes."""

    fit_: Fit


MixtureLike = Mixture | SupportsMixture
FitLike = Fit | SupportsFit


def as_mixture(mixture: MixtureLike) -> Mixture:
    """The mixture itself, or the one that a fitted estimator holds as ``model_``.

    Raises
    ------
    ParameterError
        If there is neither.
    """
    found = getattr(mixture, "model_", mixture)
    if isinstance(found, Mixture):
        return found
    allowed = "a Mixture or a fitted estimator (call fit first; of a search pass selection.best.mixture)"
    raise ParameterError.invalid_value("mixture", _type_of(mixture), allowed)


def as_fit(fit: FitLike) -> Fit:
    """The fit itself, or the one that a fitted estimator holds as ``fit_``; ParameterError if there is neither."""
    found = getattr(fit, "fit_", fit)
    if isinstance(found, Fit):
        return found
    allowed = "a Fit or a fitted estimator (call fit first; of a search pass selection.best.fit)"
    raise ParameterError.invalid_value("fit", _type_of(fit), allowed)


def check_selection(selection: Selection) -> Selection:
    """The search itself; ParameterError if it is none."""
    if isinstance(selection, Selection):
        return selection
    raise ParameterError.invalid_value("selection", _type_of(selection), "a Selection, as gaussmix.select returns it")


def check_comparison(comparison: Comparison) -> Comparison:
    """The comparison itself; ParameterError if it is none."""
    if isinstance(comparison, Comparison):
        return comparison
    raise ParameterError.invalid_value(
        "comparison", _type_of(comparison), "a Comparison, as gaussmix.compare returns it"
    )


def _type_of(value: object) -> type:
    """The type alone: an estimator's or a table's own words may be pages long."""
    return type(value)
