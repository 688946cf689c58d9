"""Check and convert the arguments of plots and reports: mixtures, fits, selections and comparisons.

Errors name the type of a wrong argument only, since the text of an estimator or a table may fill pages.
"""

from typing import TYPE_CHECKING, Protocol, TypeVar

from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.selection import Candidate, Selection
from gaussmix.solvers import Fit

if TYPE_CHECKING:
    from gaussmix.anomaly.detector import AnomalyDetector
    from gaussmix.comparison.result import Comparison

Result = TypeVar("Result")


class SupportsMixture(Protocol):
    """A fitted estimator with a mixture ``model_``."""

    model_: Mixture


class SupportsFit(Protocol):
    """A fitted estimator with a fit ``fit_``."""

    fit_: Fit


MixtureLike = Mixture | SupportsMixture | Selection | Candidate
FitLike = Fit | SupportsFit | Selection | Candidate


def as_mixture(mixture_or_owner: MixtureLike) -> Mixture:
    """Return the Mixture itself, or that of a fitted estimator, a candidate, or the best candidate of a Selection.

    Raises
    ------
    ParameterError
        For a Fit and other arguments, and for a candidate that could not be fitted.
    """
    owner = _best_candidate(mixture_or_owner)
    model = owner.mixture if isinstance(owner, Candidate) else getattr(owner, "model_", owner)
    if isinstance(model, Mixture):
        return model
    allowed = "a Mixture, a fitted estimator (call fit first), a Selection, or a Candidate that could be fitted"
    raise ParameterError.invalid_value("mixture", type(mixture_or_owner), allowed)


def as_fit(fit_or_owner: FitLike) -> Fit:
    """Return the Fit itself, or that of a fitted estimator, a candidate, or the best candidate of a Selection.

    Raises
    ------
    ParameterError
        For other arguments, and for a candidate that could not be fitted.
    """
    owner = _best_candidate(fit_or_owner)
    record = owner.fit if isinstance(owner, Candidate) else getattr(owner, "fit_", owner)
    if isinstance(record, Fit):
        return record
    allowed = "a Fit, a fitted estimator (call fit first), a Selection, or a Candidate that could be fitted"
    raise ParameterError.invalid_value("fit", type(fit_or_owner), allowed)


def parse_report_arguments(
    mixture: MixtureLike, fit: FitLike | None, selection: Selection | None
) -> tuple[Mixture, Fit | None, Selection | None]:
    """Return the mixture, its fit and the search of a report; those of a Selection that is passed as the mixture."""
    if isinstance(mixture, Selection):
        fit, selection = mixture if fit is None else fit, mixture if selection is None else selection
    checked_selection = None if selection is None else check_selection(selection)
    return as_mixture(mixture), None if fit is None else as_fit(fit), checked_selection


def _best_candidate(owner: object) -> object:
    """Return the best candidate of a Selection, and any other argument itself."""
    return owner.best if isinstance(owner, Selection) else owner


def check_selection(selection: Selection) -> Selection:
    """Return the argument if it is a Selection; raise ParameterError otherwise."""
    if isinstance(selection, Selection):
        return selection
    raise ParameterError.invalid_value("selection", type(selection), "a Selection, as gaussmix.select returns it")


def check_comparison(comparison: "Comparison") -> "Comparison":
    """Return the argument if it is a Comparison; raise ParameterError otherwise."""
    from gaussmix.comparison.result import Comparison  # only plots of comparisons need it

    if isinstance(comparison, Comparison):
        return comparison
    raise ParameterError.invalid_value("comparison", type(comparison), "a Comparison, as gaussmix.compare returns it")


def check_detector(detector: "AnomalyDetector") -> "AnomalyDetector":
    """Return the argument if it is a fitted AnomalyDetector; raise ParameterError otherwise."""
    from gaussmix.anomaly.detector import AnomalyDetector  # it loads scikit-learn

    if isinstance(detector, AnomalyDetector) and hasattr(detector, "model_"):
        return detector
    raise ParameterError.invalid_value("detector", type(detector), "a fitted AnomalyDetector; call fit first")


def check_result(name: str, value: object, result_class: type[Result], function_name: str) -> Result:
    """Return the argument if it is the result of a function of `gaussmix.classification`; raise otherwise."""
    if isinstance(value, result_class):
        return value
    allowed = f"a {result_class.__name__}, as gaussmix.classification.{function_name} returns it"
    raise ParameterError.invalid_value(name, type(value), allowed)
