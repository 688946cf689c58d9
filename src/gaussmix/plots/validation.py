"""Check and convert the arguments of plots and reports: mixtures, fits, selections and comparisons.

Errors name the type of a wrong argument only, since the text of an estimator or a table may fill pages.
"""

from typing import TYPE_CHECKING, Protocol, TypeVar

from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.selection import Selection
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


MixtureLike = Mixture | SupportsMixture
FitLike = Fit | SupportsFit


def as_mixture(mixture_or_estimator: MixtureLike) -> Mixture:
    """Return the Mixture itself, or the ``model_`` of a fitted estimator; raise ParameterError for a Fit or others."""
    model = getattr(mixture_or_estimator, "model_", mixture_or_estimator)
    if isinstance(model, Mixture):
        return model
    allowed = "a Mixture or a fitted estimator (call fit first; of a Selection pass selection.best.mixture)"
    raise ParameterError.invalid_value("mixture", type(mixture_or_estimator), allowed)


def as_fit(fit_or_estimator: FitLike) -> Fit:
    """Return the Fit itself, or the ``fit_`` of a fitted estimator; raise ParameterError for anything else."""
    record = getattr(fit_or_estimator, "fit_", fit_or_estimator)
    if isinstance(record, Fit):
        return record
    allowed = "a Fit or a fitted estimator (call fit first; of a Selection pass selection.best.fit)"
    raise ParameterError.invalid_value("fit", type(fit_or_estimator), allowed)


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
