"""``partial_fit``: online EM over chunks of rows that are not kept."""

from dataclasses import replace
from typing import Any, Self

from gaussmix.core.blas import limit_blas_threads
from gaussmix.covariance import parse_structure
from gaussmix.engines import resolve_engine
from gaussmix.errors import ParameterError
from gaussmix.estimators import _validation
from gaussmix.estimators._base_mixture import BaseLikelihoodMixture
from gaussmix.estimators._verbose import start_stopwatch
from gaussmix.model.column_dependence import attach_dependence, describe_dependence, select_independent_columns
from gaussmix.solvers import Fit
from gaussmix.solvers.online.online_em import OnlineState, make_online_step
from gaussmix.solvers.online.online_record import MAX_TRACE_CHUNKS, convert_to_online_record, online_record_after_chunk
from gaussmix.sources import MemorySource
from gaussmix.types import AnyArray, ArrayLike, N

# Largest tolerance of the fit to the first chunk, in nats per row. Later chunks start from that fit; where
# groups overlap, they would need many chunks to make up for an early stop.
MAX_TOL_FIRST_CHUNK = 1e-6


class BaseOnlineMixture(BaseLikelihoodMixture):
    """Base of mixtures that continue from a fit with one chunk of rows after the other."""

    _online_state: OnlineState
    fit_: Fit
    warm_start: bool

    def partial_fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Update the mixture with one more chunk of rows; no row is kept.

        The first chunk is fitted as `fit` does it, to a tolerance of at most 1e-6. It should be a random part of the
        data, with several rows per parameter. Each later chunk takes one pass of online EM with averaging.
        After `fit`, it continues from the fitted mixture. docs/parameters.md tells more.

        Parameters
        ----------
        X : array-like of shape (n, D)
            The first chunk needs at least K rows, and two; later ones need one.
        y : object, optional
            Ignored.
        sample_weight : array-like of shape (n,), optional
            Number of times that each row counts, within a chunk and between chunks.

        Returns
        -------
        self
            ``converged_`` is False, and ``n_iter_`` is the number of chunks. ``lower_bound_`` is the mean
            log-likelihood per row of the last chunk before its update; ``lower_bounds_`` keeps the last 1000.
            Components keep their numbers from the first chunk.

        Raises
        ------
        DataError, ParameterError
            As from `fit`; also if components, structure or noise changed since the first chunk, or if the mixture
            comes from a file or a `Mixture` without ``warm_start=True``. The mixture stays unchanged.

        References
        ----------
        Sato & Ishii, Neural Computation 12 (2000); Cappe & Moulines, JRSS B 71 (2009), with averaging.
        """
        transform = getattr(self, "column_transform", None)
        if transform is not None:
            raise ParameterError.invalid_value("column_transform", transform, "None for partial_fit")
        if not hasattr(self, "_online_state"):
            if hasattr(self, "model_") and not self.warm_start:
                raise ParameterError.unknown_weight_in_partial_fit()
            self._fit_first_chunk(X, sample_weight, MAX_TOL_FIRST_CHUNK)
            self.converged_, self.n_iter_, self.lower_bounds_ = False, 1, self._last_mean_log_likelihood()
            self.lower_bound_ = self.lower_bounds_[0]
            self.fit_ = convert_to_online_record(self.fit_)
            return self
        self._require_unchanged_parameters()
        rows = _validation.validate_rows(self, X, is_fitting=False)
        weights = _validation.validate_sample_weight(sample_weight, rows)
        with limit_blas_threads(rows.shape[1]):
            self._update_from_chunk(rows, weights)
        return self

    def _fit_first_chunk(self, X: ArrayLike, sample_weight: ArrayLike | None, max_tol: float) -> None:
        """Fit to the first chunk X of `partial_fit`, with tolerance at most ``max_tol``; set the fitted attributes."""
        raise NotImplementedError

    def _update_from_chunk(self, rows: AnyArray, sample_weight: N | None) -> None:
        """Take one step of online EM on the rows, and update the fitted attributes."""
        elapsed_seconds = start_stopwatch()
        model, dependence = self.model_, self.model_.dependence
        rows = select_independent_columns(model, rows)
        source, engine = MemorySource.from_array(rows, sample_weight), resolve_engine(self.engine, len(rows))
        step = make_online_step(model.independent_part, self._online_state, source, engine)
        record = self.fit_ if self._online_state.n_chunks > 1 else convert_to_online_record(self.fit_)
        lower_bounds = self.lower_bounds_ if len(record.trace) > 1 else self._last_mean_log_likelihood()
        self.fit_ = online_record_after_chunk(record, step, elapsed_seconds())
        self.model_ = attach_dependence(step.mixture, dependence, model.feature_names)
        notes = (*describe_dependence(dependence, model.feature_names), *self.fit_.notes)
        self.fit_, self._online_state = replace(self.fit_, mixture=self.model_, notes=notes), step.state
        self.converged_, self.n_iter_, self.lower_bound_ = False, step.state.n_chunks, step.mean_log_likelihood
        self.lower_bounds_ = [*lower_bounds, step.mean_log_likelihood][-MAX_TRACE_CHUNKS:]

    def _last_mean_log_likelihood(self) -> list[float]:
        """Return the last of ``lower_bounds_``, without the density of a prior, in a list."""
        return self.lower_bounds_[-1:] if self.fit_.log_prior is None else [self.fit_.mean_log_likelihood]

    def _require_unchanged_parameters(self) -> None:
        """Raise ParameterError if ``n_components``, the structure or ``noise`` no longer match the fitted mixture."""
        parameters: Any = self
        mixture = self.model_
        structure = parse_structure(parameters.covariance_type, parameters.n_factors, "covariance_type")
        values = {
            "n_components": (parameters.n_components, mixture.n_components),
            "covariance_type": (str(structure), str(mixture.structure)),
            "noise": (bool(parameters.noise), mixture.noise is not None),
        }
        for name, (value, fitted_value) in values.items():
            if value != fitted_value:
                raise ParameterError.changed_in_partial_fit(name, value, fitted_value)
