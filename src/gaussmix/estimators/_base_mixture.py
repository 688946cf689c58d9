"""What a fitted mixture is asked for, the same for every estimator of mixtures: parameters and scores."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted

from gaussmix.core.linalg import to_upper_triangular_roots
from gaussmix.core.quadratics import ScoringModel
from gaussmix.covariance import contract_covariances, sklearn_shape
from gaussmix.covariance.representations import SharedCovariance
from gaussmix.engines import AutomaticEngine
from gaussmix.errors import DataError
from gaussmix.estimators import _validation
from gaussmix.model import Mixture, prediction
from gaussmix.model.noise import noise_to_minus_one
from gaussmix.selection.criteria import CRITERIA
from gaussmix.sources import MemorySource
from gaussmix.types import AnyArray, ArrayLike, IntN, N


class BaseMixture(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator whose ``model_`` is a `Mixture`; a subclass adds the constructor and `fit`."""

    model_: Mixture
    _dtype: np.dtype[Any]
    random_state: Any

    @property
    def _fitted_mixture(self) -> Mixture:
        """The mixture; NotFittedError, an AttributeError, before a fit."""
        check_is_fitted(self, "model_")
        return self.model_

    # -- fitted parameters in the data's units -----------------------------------------------------

    @property
    def weights_(self) -> AnyArray:
        return self._fitted_mixture.weights.astype(self._dtype)

    @property
    def means_(self) -> AnyArray:
        return self._fitted_mixture.means.astype(self._dtype)

    @property
    def covariances_(self) -> AnyArray:
        return self._fitted_mixture.sklearn_covariances.astype(self._dtype)

    @property
    def precisions_(self) -> AnyArray:
        return contract_covariances(self._fitted_mixture.structure, self._fitted_mixture.precisions).astype(self._dtype)

    @property
    def precisions_cholesky_(self) -> AnyArray:
        """Upper triangular U with U U^T = precision; standard deviations inverted where diagonal."""
        return _compute_precisions_cholesky(self._fitted_mixture).astype(self._dtype)

    # -- questions to a fitted mixture -------------------------------------------------------------

    def _prepare_scoring(self, X: ArrayLike) -> tuple[ScoringModel, MemorySource, AutomaticEngine]:
        """What the model looks like to the rows, the rows, and who asks them."""
        check_is_fitted(self, "model_")
        rows = _validation.validate_rows(self, X, is_fitting=False)
        source = MemorySource.from_array(rows, frame=self.model_.frame)
        return self._scoring_model(), source, AutomaticEngine(len(rows))

    def _scoring_model(self) -> ScoringModel:
        """Return the model that scores rows."""
        return self.model_

    def score_samples(self, X: ArrayLike) -> AnyArray:
        """Log density of each row (n, D), shape (n,), in nats."""
        values, dtype = self._log_densities(X)
        with np.errstate(over="ignore"):
            given = values.astype(dtype, copy=False)
        if given.dtype != values.dtype and not np.isfinite(given).all():
            raise DataError.row_too_far(int(np.argmin(np.isfinite(given))))
        return given

    def _log_densities(self, X: ArrayLike) -> tuple[N, np.dtype[Any]]:
        """Log density of each row in double precision, and the type of the rows."""
        model, source, engine = self._prepare_scoring(X)
        values = prediction.frame_logpdf(model, source, engine)
        return values + self.model_.frame.log_abs_det_jacobian, source.rows.dtype

    def score(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> float:
        """Mean log density of the rows, weighted by ``sample_weight``; ``y`` is ignored."""
        values, _ = self._log_densities(X)
        weights = _validation.validate_sample_weight(sample_weight, values)
        return float(np.average(values, weights=weights))

    def predict(self, X: ArrayLike) -> IntN:
        """Hard assignment: the most probable component of each row, (n,); -1 is noise."""
        return self._noise_to_minus_one(prediction.hard_labels(*self._prepare_scoring(X)))

    def _noise_to_minus_one(self, labels: IntN) -> IntN:
        return labels if self.model_.noise is None else noise_to_minus_one(labels, self.model_.n_components)

    def predict_proba(self, X: ArrayLike) -> AnyArray:
        """Soft assignment: the probability of each component for each row, (n, K), and of noise if there is any."""
        model, source, engine = self._prepare_scoring(X)
        return prediction.responsibilities(model, source, engine).astype(source.rows.dtype, copy=False)

    def sample(self, n_samples: int = 1) -> tuple[AnyArray, IntN]:
        """Draw rows (n_samples, D), grouped by component, and their components (n_samples,)."""
        check_is_fitted(self, "model_")
        return self.model_.sample(n_samples, _validation.make_generator(self.random_state))


class BaseLikelihoodMixture(BaseMixture):
    """A mixture of maximum likelihood: criteria that compare it with others, and the noise it may have."""

    @property
    def noise_weight_(self) -> float:
        noise = self._fitted_mixture.noise
        return 0.0 if noise is None else noise.weight

    @property
    def noise_volume_(self) -> float:
        noise = self._fitted_mixture.noise
        return np.inf if noise is None else noise.volume(self.model_.frame)

    def bic(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Bayesian information criterion on X; lower is better, n is the sum of the weights."""
        return self._compute_criterion("bic", X, sample_weight)

    def aic(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Akaike information criterion on X; lower is better."""
        return self._compute_criterion("aic", X, sample_weight)

    def icl(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """BIC plus the price of unclear assignment (mclust's ICL with its sign turned); lower is better."""
        return self._compute_criterion("icl", X, sample_weight)

    def _compute_criterion(self, criterion: str, X: ArrayLike, sample_weight: ArrayLike | None) -> float:
        model, source, engine = self._prepare_scoring(X)
        density = prediction.frame_logpdf(model, source, engine) + self.model_.frame.log_abs_det_jacobian
        weights = _validation.validate_sample_weight(sample_weight, source.rows)
        counts: N = np.ones(source.n_rows) if weights is None else weights
        certainty = 0.0
        if criterion == "icl":
            certainty = float(counts @ prediction.log_max_responsibility(model, source, engine))
        return CRITERIA[criterion](float(counts @ density), self._n_parameters(), float(counts.sum()), certainty)

    def _n_parameters(self) -> int:
        return self.model_.n_parameters


def _compute_precisions_cholesky(mixture: Mixture) -> AnyArray:
    """Roots of the precisions in the data's units and scikit-learn's shapes."""
    covariance, frame = mixture.covariance, mixture.frame
    shape = sklearn_shape(covariance.structure, mixture.n_components, mixture.n_features)
    roots = covariance.precision_root.to_dense(mixture.n_components, mixture.n_features)
    if covariance.structure.is_axis_aligned:
        return contract_covariances(covariance.structure, frame.restore_precision_roots(roots))
    distinct = roots[:1] if isinstance(covariance, SharedCovariance) else roots
    return frame.restore_precision_roots(to_upper_triangular_roots(distinct)).reshape(shape)
