"""``partial_fit``: rows that come in chunks, of which none is kept."""

from typing import Any, Self

from gaussmix.core.blas import limit_blas_threads
from gaussmix.covariance import parse_structure
from gaussmix.engines import AutomaticEngine
from gaussmix.errors import ParameterError
from gaussmix.estimators import _validation
from gaussmix.estimators._base_mixture import BaseLikelihoodMixture
from gaussmix.solvers import Fit
from gaussmix.solvers.online.online_em import (
    MAX_TRACE_CHUNKS,
    OnlineState,
    start_online_record,
    update_online_record,
    update_with_chunk,
)
from gaussmix.sources import MemorySource
from gaussmix.types import AnyArray, ArrayLike, N

MAX_TOL_FIRST_CHUNK = 1e-6
"""Nats a row, to which the first chunk is fitted at least. Where groups overlap, its fit is where all others begin."""


class BaseOnlineMixture(BaseLikelihoodMixture):
    """A mixture that can go on from where a fit, or an earlier chunk, has led; a subclass says how it starts."""

    _online_state: OnlineState
    fit_: Fit
    converged_: bool
    n_iter_: int
    lower_bound_: float
    lower_bounds_: list[float]

    def partial_fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from one more chunk of rows X (n, D), of which none is kept; ``y`` is ignored.

        The first chunk is fitted as `fit` does it, with every parameter of the constructor, but until a pass gains less
        than 1e-6, if ``tol`` is not smaller: many chunks would have to make up for passes that are left out there. Each
        later chunk is passed over once: its moments under a mixture that follows the last rows closely are taken into a
        running sum, that into an average, and the M-step makes a mixture of each; ``model_`` is that of the average. In
        it rows count about as the square of how many came before them, whatever the sizes of the chunks: a poor
        beginning is forgotten, and a fixed part of all rows always counts. After `fit` it goes on from the fitted
        mixture; `fit` starts anew.

        The first chunk is a start, and as any start may lead to a poor optimum. A group that it lacks is usually found
        when it comes, but late, by a component that has to leave another group first. So let it be a random part of
        the data, of several rows for each parameter, and shuffle rows that come in an order. Where groups overlap so
        much that `fit` would need hundreds of passes, many chunks are needed too.

        Parameters
        ----------
        X : array-like of shape (n, D)
            At least K rows, and two, in the first chunk, and one in the others, which may lie anywhere.
        y : object, optional
        sample_weight : array-like of shape (n,), optional
            Counts each row as that many, within a chunk and between chunks.

        Returns
        -------
        self
            ``converged_`` is False, as more rows may come; ``n_iter_`` counts the chunks; ``lower_bound_`` is the mean
            log-likelihood of the last chunk per row before its step, under the mixture that follows the last rows;
            ``lower_bounds_`` are those of the last 1000 chunks;
            ``fit_`` says the same in words. Components keep the numbers that the first chunk gave them. The floor of
            variances is that of all rows seen; the volume of noise, its floor, and what a prior leaves open, are
            taken from the first chunk.

        Raises
        ------
        DataError, ParameterError
            As from `fit`; and ParameterError if components, structure or noise were changed since the first chunk. The
            mixture then stays as it was.

        References
        ----------
        Sato & Ishii, Neural Computation 12 (2000); Cappe & Moulines, JRSS B 71 (2009), with averaging.
        """
        if not hasattr(self, "_online_state"):
            self._fit_first_chunk(X, sample_weight)
            return self
        self._require_unchanged_parameters()
        rows = _validation.validate_rows(self, X, is_fitting=False)
        weights = _validation.validate_sample_weight(sample_weight, rows)
        with limit_blas_threads(rows.shape[1]):
            self._update_from_chunk(rows, weights)
        return self

    def _fit(
        self, X: ArrayLike, sample_weight: ArrayLike | None, labels: ArrayLike | None, tol: float | None = None
    ) -> Any:
        """A whole fit, which sets all fitted attributes; to the constructor's tolerance, or another."""
        raise NotImplementedError

    def _fit_first_chunk(self, X: ArrayLike, sample_weight: ArrayLike | None) -> None:
        """The first chunk, whose fit is one that goes on."""
        self._fit(X, sample_weight, None, min(float(self.tol), MAX_TOL_FIRST_CHUNK))
        self.fit_ = start_online_record(self.fit_)
        self.converged_, self.n_iter_, self.lower_bounds_ = False, 1, [self.lower_bound_]

    def _update_from_chunk(self, rows: AnyArray, sample_weight: N | None) -> None:
        """A step on a chunk, and what it changes."""
        seconds = _validation.start_stopwatch()
        step = update_with_chunk(
            self.model_, self._online_state, MemorySource.from_array(rows, sample_weight), AutomaticEngine(len(rows))
        )
        before = self.fit_ if self._online_state.n_chunks > 1 else start_online_record(self.fit_)
        self.fit_ = update_online_record(before, step, seconds())
        self.model_, self._online_state = step.mixture, step.state
        self.converged_, self.n_iter_, self.lower_bound_ = False, step.state.n_chunks, step.mean_log_likelihood
        bounds = self.lower_bounds_ if len(before.trace) > 1 else self.lower_bounds_[-1:]
        self.lower_bounds_ = [*bounds, step.mean_log_likelihood][-MAX_TRACE_CHUNKS:]

    def _require_unchanged_parameters(self) -> None:
        """ParameterError where the constructor's parameters no longer fit the mixture."""
        now: Any = self
        last = self.model_
        structure = parse_structure(now.covariance_type, now.n_factors, "covariance_type")
        pairs = {
            "n_components": (now.n_components, last.n_components),
            "covariance_type": (str(structure), str(last.structure)),
            "noise": (bool(now.noise), last.noise is not None),
        }
        for name, (found, before) in pairs.items():
            if found != before:
                raise ParameterError.changed_in_partial_fit(name, found, before)
