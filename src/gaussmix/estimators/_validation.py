"""What every estimator needs: validated input, random generators, checked parameters, printed progress."""

import numbers
import time
import warnings
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from gaussmix.core.input_arrays import first_non_numeric, parse_weights, require_finite
from gaussmix.errors import DataError, ParameterError
from gaussmix.types import AnyArray, ArrayLike, N

RandomStateLike = Any
"""An int, a numpy RandomState, a numpy Generator or None."""


def make_generator(random_state: RandomStateLike) -> np.random.Generator:
    """A Generator from what scikit-learn's users pass: an int, a RandomState, a Generator or None.

    A RandomState (None is NumPy's global one) is advanced by four draws, which seed the generator.
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    if isinstance(random_state, numbers.Integral) and int(random_state) >= 0:
        return np.random.default_rng(int(random_state))
    try:
        state = check_random_state(random_state)
    except ValueError:
        allowed = "an int of at least 0, a numpy RandomState, a numpy Generator or None"
        raise ParameterError.invalid_value("random_state", random_state, allowed) from None
    return np.random.default_rng(state.randint(2**31, size=4))


def spawn_generators(random_state: RandomStateLike) -> tuple[np.random.Generator, np.random.Generator]:
    """A Generator, and one whose draws do not depend on how many the first has made."""
    first = make_generator(random_state)
    second = np.random.default_rng(deepcopy(first).integers(2**63, size=4))
    return first, second


def make_random_state(rng: np.random.Generator) -> np.random.RandomState:
    """A RandomState, which is what scikit-learn hands to functions of its users, seeded by four draws."""
    return np.random.RandomState(rng.integers(2**31, size=4))


def validate_rows(estimator: Any, X: ArrayLike, is_fitting: bool, min_rows: int = 2) -> AnyArray:
    """Rows as a 2-d float64 or float32 array, with NaN and infinity named by row and column.

    An array of either type is handed back as it is, without a copy. A fit needs ``min_rows`` rows.
    """
    if not is_fitting and isinstance(X, np.ndarray) and _can_skip_validation(estimator, X):
        rows: AnyArray = X
    else:
        rows = _validate_with_sklearn(estimator, X, is_fitting, min_rows)
    require_finite(rows, getattr(estimator, "feature_names_in_", None))
    return rows


def _can_skip_validation(estimator: Any, X: AnyArray) -> bool:
    """Whether scikit-learn's checks, which take longer than to score a row, would change nothing."""
    shaped = X.ndim == 2 and len(X) > 0 and X.shape[1] == getattr(estimator, "n_features_in_", None)
    plain = type(X) is np.ndarray and X.dtype in (np.float64, np.float32)
    return shaped and plain and not hasattr(estimator, "feature_names_in_")


def _validate_with_sklearn(estimator: Any, X: ArrayLike, is_fitting: bool, min_rows: int) -> AnyArray:
    try:
        rows: AnyArray = validate_data(
            estimator,
            X,
            reset=is_fitting,
            dtype=[np.float64, np.float32],
            ensure_min_samples=min_rows if is_fitting else 1,
            ensure_all_finite=False,
        )
    except ValueError as error:
        if "could not convert" in str(error):
            raise DataError.not_numeric(error, first_non_numeric(X)) from error
        raise DataError.from_sklearn_message(str(error)) from error
    except np.exceptions.DTypePromotionError as error:  # dates beside numbers in a frame
        raise DataError.not_numeric(TypeError(str(error).partition(". ")[0]), first_non_numeric(X)) from error
    return rows


def get_feature_names(estimator: Any) -> tuple[str, ...] | None:
    """The names of the columns that an estimator was fitted to; None if the input had none."""
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else tuple(str(name) for name in names)


def warn_unless_converged(estimator: Any, stacklevel: int) -> None:
    """Say so where a fit has not converged, ``stacklevel`` calls up from here, as scikit-learn does."""
    if not estimator.converged_ and estimator.max_iter > 0:
        warnings.warn(
            "Best performing initialization did not converge. Try different init parameters, or increase "
            "max_iter, tol, or check for degenerate data.",
            ConvergenceWarning,
            stacklevel=stacklevel,
        )


def validate_sample_weight(sample_weight: ArrayLike | None, rows: AnyArray) -> N | None:
    """Row weights, or None where every row counts once."""
    return parse_weights(sample_weight, len(rows))


def require_integer(name: str, value: object, minimum: int) -> None:
    """ParameterError unless ``value`` is a whole number (no bool) of at least ``minimum``."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral) or int(value) < minimum:
        raise ParameterError.invalid_value(name, value, f"a whole number of at least {minimum}")


def require_non_negative(name: str, value: object, allow_none: bool = False) -> None:
    """ParameterError unless ``value`` is a finite number of at least 0, or None where it is optional."""
    if allow_none and value is None:
        return
    real = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
    if not real or not 0.0 <= float(value) < np.inf:  # type: ignore[arg-type]
        raise ParameterError.invalid_value(
            name, value, "a finite number of at least 0" + (" or None" if allow_none else "")
        )


def require_positive(name: str, value: object, allow_none: bool = False) -> None:
    """ParameterError unless ``value`` is a finite number above 0, or None where it is optional."""
    if allow_none and value is None:
        return
    real = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
    if not real or not 0.0 < float(value) < np.inf:  # type: ignore[arg-type]
        raise ParameterError.invalid_value(name, value, "a finite number above 0" + (" or None" if allow_none else ""))


def require_choice(name: str, value: object, allowed: Sequence[str]) -> None:
    """ParameterError unless ``value`` is one of the allowed words."""
    if value not in allowed:
        raise ParameterError.invalid_choice(name, value, allowed)


@dataclass(frozen=True)
class InertiaPrinter:
    """Prints passes of k-means as scikit-learn does; inertia times 2^inertia_exponent has the data's units squared."""

    verbose: int
    inertia_exponent: int

    @property
    def progress_callback(self) -> Callable[[int, float], None] | None:
        return self._print_iteration if self.verbose else None

    def print_start(self) -> None:
        if self.verbose:
            print("Initialization complete")

    def print_end(self, n_iter: int, is_converged: bool) -> None:
        if self.verbose and is_converged:
            print(f"Converged at iteration {n_iter - 1}: the centres rest.")

    def _print_iteration(self, iteration: int, inertia: float) -> None:
        with np.errstate(over="ignore", under="ignore"):
            print(f"Iteration {iteration - 1}, inertia {float(np.ldexp(inertia, self.inertia_exponent))}.")


def start_stopwatch() -> Callable[[], float]:
    """What tells the seconds since it was made."""
    began = time.perf_counter()
    return lambda: time.perf_counter() - began


@dataclass
class ProgressPrinter:
    """Prints what scikit-learn prints: starts, every ``verbose_interval``-th pass, and how each start ended."""

    verbose: int
    verbose_interval: int
    total_weight: float
    _start_time: float = field(default_factory=time.perf_counter)
    _last_print_time: float = field(default_factory=time.perf_counter)

    def print_start(self, start_index: int) -> None:
        self._start_time = self._last_print_time = time.perf_counter()
        if self.verbose:
            print(f"Initialization {start_index}")

    def make_progress_callback(self) -> Callable[[int, float, float], None] | None:
        return self._print_iteration if self.verbose else None

    def _print_iteration(self, iteration: int, log_likelihood: float, gain: float) -> None:
        if iteration % self.verbose_interval:
            return
        now = time.perf_counter()
        if self.verbose == 1:
            print(f"  Iteration {iteration}")
        else:
            change = gain / self.total_weight
            print(f"  Iteration {iteration}\t time lapse {now - self._last_print_time:.5f}s\t ll change {change:.5f}")
        self._last_print_time = now

    def print_end(self, is_converged: bool, log_likelihood: float) -> None:
        verb = "converged" if is_converged else "did not converge"
        if self.verbose == 1:
            print(f"Initialization {verb}.")
        elif self.verbose > 1:
            bound, lapse = log_likelihood / self.total_weight, time.perf_counter() - self._start_time
            print(f"Initialization {verb}. time lapse {lapse:.5f}s\t lower bound {bound:.5f}.")
