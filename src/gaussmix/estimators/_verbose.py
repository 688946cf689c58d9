"""Printed progress, elapsed time and the warnings of a fit that did not converge or is degenerate."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from gaussmix.core.user_warnings import warn_user
from gaussmix.errors import DataWarning, DegenerateFitWarning


def start_stopwatch() -> Callable[[], float]:
    """Return a function that returns the seconds since this call."""
    start_time = time.perf_counter()
    return lambda: time.perf_counter() - start_time


def warn_unless_converged(estimator: Any) -> None:
    """Issue scikit-learn's ConvergenceWarning if a fit did not converge, unless ``max_iter`` is 0."""
    if not estimator.converged_ and estimator.max_iter > 0:
        warn_user(
            "Best performing initialization did not converge. Try different init parameters, or increase "
            "max_iter, tol, or check for degenerate data.",
            ConvergenceWarning,
        )


def warn_of_degeneracy_or_columns(estimator: Any, column_texts: Sequence[str]) -> None:
    """Issue one warning: DegenerateFitWarning if a component is degenerate, else DataWarning about columns, if any.

    The first includes the second, because columns that no Gaussian describes often cause degenerate components. A fit
    with ``max_iter`` 0 is not called degenerate.
    """
    if estimator.max_iter > 0 and estimator.fit_.is_degenerate:
        warn_user(DegenerateFitWarning.from_degeneracy(estimator.fit_.degeneracy, column_texts))
    elif column_texts:
        warn_user(DataWarning.columns_without_gaussian_shape(column_texts))


@dataclass(frozen=True)
class InertiaPrinter:
    """Print the progress of k-means in scikit-learn's format.

    Attributes
    ----------
    verbose : int
    square_exponent : int
        Power of two from squared distances in the frame to the data's units squared.
    squared_movement_tolerance : float
        Largest squared movement of the centres at convergence, in the frame.
    """

    verbose: int
    square_exponent: int
    squared_movement_tolerance: float

    @property
    def progress_callback(self) -> Callable[[int, float, float], None] | None:
        """The function to call with number, objective and gain of each iteration; None if nothing is printed."""
        return self._print_inertia if self.verbose else None

    def print_start(self) -> None:
        """Print, if ``verbose``, that the initial centres are ready."""
        if self.verbose:
            print("Initialization complete")

    def print_if_converged(self, n_iter: int, is_converged: bool, squared_movement: float) -> None:
        """Print the last iteration, from 0, of a run that converged, and why; its movement is in the frame, squared.

        Convergence is strict if no row has changed its centre, so that no centre has moved.
        """
        if not self.verbose or not is_converged:
            return
        reason = "strict convergence"
        if squared_movement > 0.0:
            limit = self._to_data_units(self.squared_movement_tolerance)
            reason = f"center shift {self._to_data_units(squared_movement)} within tolerance {limit}"
        print(f"Converged at iteration {n_iter - 1}: {reason}.")

    def _print_inertia(self, iteration: int, objective: float, gain: float) -> None:
        """Print the inertia in the data's units squared; ``objective`` is -1/2 times the inertia in the frame."""
        print(f"Iteration {iteration - 1}, inertia {self._to_data_units(-2.0 * objective)}.")

    def _to_data_units(self, squared_distance: float) -> float:
        """Return a squared distance of the frame in the data's units squared."""
        with np.errstate(over="ignore", under="ignore"):
            return float(np.ldexp(squared_distance, self.square_exponent))


@dataclass
class ProgressPrinter:
    """Print the progress of a mixture's runs in scikit-learn's format.

    It prints the start of each run, every ``verbose_interval``-th iteration, and whether the run converged.
    """

    verbose: int
    verbose_interval: int
    total_weight: float
    _start_time: float = field(default_factory=time.perf_counter)
    _last_print_time: float = field(default_factory=time.perf_counter)

    def print_start_and_reset_clock(self, start_index: int) -> None:
        """Print the index of a run if ``verbose``, and set the time that later lines count from."""
        self._start_time = self._last_print_time = time.perf_counter()
        if self.verbose:
            print(f"Initialization {start_index}")

    def make_progress_callback(self) -> Callable[[int, float, float], None] | None:
        """Return the function to call after each iteration; None if nothing is printed.

        It takes the number of the iteration, the log-likelihood and the gain.
        """
        return self._print_every_nth_iteration if self.verbose else None

    def print_end(self, is_converged: bool, total_log_likelihood: float) -> None:
        """Print whether a run converged, and with ``verbose`` above 1 its seconds and log-likelihood per row."""
        verb = "converged" if is_converged else "did not converge"
        if self.verbose == 1:
            print(f"Initialization {verb}.")
        elif self.verbose > 1:
            bound, seconds = total_log_likelihood / self.total_weight, time.perf_counter() - self._start_time
            print(f"Initialization {verb}. time lapse {seconds:.5f}s\t lower bound {bound:.5f}.")

    def _print_every_nth_iteration(self, iteration: int, log_likelihood: float, gain: float) -> None:
        """Print every ``verbose_interval``-th iteration; with ``verbose`` above 1 also its seconds and gain per row.

        The log-likelihood is not printed; the signature is that of the progress callback.
        """
        if iteration % self.verbose_interval:
            return
        now = time.perf_counter()
        if self.verbose == 1:
            print(f"  Iteration {iteration}")
        else:
            seconds, change = now - self._last_print_time, gain / self.total_weight
            print(f"  Iteration {iteration}\t time lapse {seconds:.5f}s\t ll change {change:.5f}")
        self._last_print_time = now
