"""What callers hand over to be drawn or told: a mixture, a fit or a search, or the estimator that holds it."""

from typing import Protocol

from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.selection import Selection
from gaussmix.selection.comparison import Comparison
from gaussmix.solvers import Fit


class HoldsMixture(Protocol):
    """A fitted estimator, as far as its mixture goes."""

    model_: Mixture


class HoldsFit(Protocol):
    """A fitted estimator, as far as its fit goes."""

    fit_: Fit


MixtureLike = Mixture | HoldsMixture
FitLike = Fit | HoldsFit


def as_mixture(given: MixtureLike) -> Mixture:
    """The mixture itself, or the one that a fitted estimator holds as ``model_``.

    Raises
    ------
    ParameterError
        If there is neither.
    """
    found = getattr(given, "model_", given)
    if isinstance(found, Mixture):
        return found
    allowed = "a Mixture or a fitted estimator (call fit first; of a search pass selection.best.mixture)"
    raise ParameterError.value("mixture", _kind(given), allowed)


def as_fit(given: FitLike) -> Fit:
    """The fit itself, or the one that a fitted estimator holds as ``fit_``; ParameterError if there is neither."""
    found = getattr(given, "fit_", given)
    if isinstance(found, Fit):
        return found
    allowed = "a Fit or a fitted estimator (call fit first; of a search pass selection.best.fit)"
    raise ParameterError.value("fit", _kind(given), allowed)


def as_selection(given: Selection) -> Selection:
    """The search itself; ParameterError if it is none."""
    if isinstance(given, Selection):
        return given
    raise ParameterError.value("selection", _kind(given), "a Selection, as gaussmix.select returns it")


def as_comparison(given: Comparison) -> Comparison:
    """The comparison itself; ParameterError if it is none."""
    if isinstance(given, Comparison):
        return given
    raise ParameterError.value("comparison", _kind(given), "a Comparison, as gaussmix.compare returns it")


def _kind(given: object) -> type:
    """The type alone: an estimator's or a table's own words may be pages long."""
    return type(given)
