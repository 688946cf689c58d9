"""Base classes of fitted mixtures: parameters in the data's units, predictions, scores, criteria and files."""

from os import PathLike
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin

from gaussmix.core.linalg import to_upper_triangular_roots
from gaussmix.core.quadratics import ScoringModel
from gaussmix.covariance import SKLEARN_TO_MCLUST, FactorStructure, contract_covariances, sklearn_shape
from gaussmix.covariance.representations import SharedCovariance
from gaussmix.engines import AbstractEngine, resolve_engine
from gaussmix.errors import ParameterError, RowTooFarError
from gaussmix.estimators import _validation
from gaussmix.model import Mixture, prediction
from gaussmix.model.column_dependence import select_independent_columns
from gaussmix.model.imputation import Imputation, impute_rows
from gaussmix.model.noise import relabel_noise_as_minus_one
from gaussmix.model.noise_volume import noise_parameter_of
from gaussmix.model.validation import require_instance
from gaussmix.selection.criteria import CRITERIA
from gaussmix.sources import IncompleteSource, MemorySource, make_scoring_source
from gaussmix.types import AnyArray, ArrayLike, IntN, N

_MCLUST_TO_SKLEARN = {letters: name for name, letters in SKLEARN_TO_MCLUST.items()}


class BaseMixture(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """Base of estimators with a `Mixture` in ``model_``; subclasses add the constructor and `fit`."""

    model_: Mixture
    _dtype: np.dtype[Any]
    engine: str | AbstractEngine
    random_state: Any

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags; NaN is a missing cell."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @property
    def _fitted_mixture(self) -> Mixture:
        """The fitted mixture, ``model_``; NotFittedError is raised before a fit."""
        _validation.require_fitted(self, "model_")
        return self.model_

    # -- fitted parameters in the data's units -----------------------------------------------------

    @property
    def weights_(self) -> AnyArray:
        """Component weights, shape (K,)."""
        return self._fitted_mixture.weights.astype(self._dtype)

    @property
    def means_(self) -> AnyArray:
        """Component means, shape (K, D)."""
        return self._fitted_mixture.means.astype(self._dtype)

    @property
    def covariances_(self) -> AnyArray:
        """Component covariances: (K, D, D), (D, D) if tied, (K, D) if diagonal, (K,) if spherical."""
        return self._fitted_mixture.sklearn_covariances.astype(self._dtype)

    @property
    def precisions_(self) -> AnyArray:
        """Inverse covariances: (K, D, D), (D, D) if tied, (K, D) if diagonal, (K,) if spherical."""
        mixture = self._fitted_mixture
        if mixture.structure.is_spherical:
            mixture = mixture.independent_part
        return contract_covariances(mixture.structure, mixture.precisions).astype(self._dtype)

    @property
    def precisions_cholesky_(self) -> AnyArray:
        """Upper triangular U with U U^T = precision; inverse standard deviations of diagonal covariances."""
        return _compute_precisions_cholesky(self._fitted_mixture).astype(self._dtype)

    # -- predictions and scores --------------------------------------------------------------------

    def _prepare_scoring(self, X: ArrayLike) -> tuple[ScoringModel, MemorySource | IncompleteSource, AbstractEngine]:
        """Return the model that scores rows, X (n, D) as a source in its frame, and the engine for that many rows."""
        _validation.require_fitted(self, "model_")
        rows = _validation.validate_rows(self, X, is_fitting=False, allow_missing=True)
        rows = select_independent_columns(self.model_, self.model_.transform_rows(rows))
        source = make_scoring_source(rows, self.model_.frame)
        return self._scoring_model(), source, resolve_engine(self.engine, len(rows))

    def _scoring_model(self) -> ScoringModel:
        """Return the model whose log densities score rows: here the fitted mixture."""
        return self.model_

    def score_samples(self, X: ArrayLike) -> AnyArray:
        """Return the log density of each row of X (n, D) in nats, shape (n,)."""
        values, dtype = self._log_densities_and_input_dtype(X)
        with np.errstate(over="ignore"):
            scores = values.astype(dtype, copy=False)
        if scores.dtype != values.dtype and not np.isfinite(scores).all():
            raise RowTooFarError.from_row(int(np.argmin(np.isfinite(scores))))
        return scores

    def _log_densities_and_input_dtype(self, X: ArrayLike) -> tuple[N, np.dtype[Any]]:
        """Return the log density (n,) of each row as float64, in the data's units, and the dtype of the rows of X."""
        model, source, engine = self._prepare_scoring(X)
        values = prediction.logpdf_in_frame_units(model, source, engine)
        return values + self._log_jacobians(source.rows), source.rows.dtype

    def _log_jacobians(self, transformed_rows: AnyArray) -> N | float:
        """Return what takes log densities from the frame to the data's units: a number, or one per row (n,)."""
        frame, transforms = self.model_.frame, self.model_.independent_transforms
        of_frame = frame.log_jacobians_of_rows(transformed_rows)
        if transforms is None:
            return of_frame
        return np.asarray(transforms.log_abs_det_jacobian(transforms.inverse(transformed_rows)) + of_frame)

    def score(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> float:
        """Return the mean log density of the rows, weighted by ``sample_weight``; ``y`` is ignored."""
        values, _ = self._log_densities_and_input_dtype(X)
        weights = _validation.validate_sample_weight(sample_weight, values)
        return float(np.average(values, weights=weights))

    def predict(self, X: ArrayLike) -> IntN:
        """Return the most probable component of each row, shape (n,); -1 is noise."""
        labels = prediction.hard_labels(*self._prepare_scoring(X))
        return labels if self.model_.noise is None else relabel_noise_as_minus_one(labels, self.model_.n_components)

    def predict_proba(self, X: ArrayLike) -> AnyArray:
        """Return the probability of each component for each row, shape (n, K); with noise, a last column for it."""
        model, source, engine = self._prepare_scoring(X)
        return prediction.responsibilities(model, source, engine).astype(source.rows.dtype, copy=False)

    def impute(self, X: ArrayLike, method: str = "mean", n_draws: int | None = None) -> Imputation:
        """Return rows X (n, D) with missing cells filled, and the standard deviation of each filled cell.

        Methods are those of `MixtureImputer`, which does the same in pipelines; ``random_state`` draws.
        """
        _validation.require_fitted(self, "model_")
        rows = _validation.validate_rows(self, X, is_fitting=False, allow_missing=True)
        rng = _validation.make_estimator_generator(self.random_state)
        return impute_rows(self.model_, rows, method, n_draws, rng)

    def sample(self, n_samples: int = 1) -> tuple[AnyArray, IntN]:
        """Draw rows (n_samples, D), grouped by component, and return them with their components (n_samples,)."""
        _validation.require_fitted(self, "model_")
        return self.model_.sample(n_samples, _validation.make_estimator_generator(self.random_state))


class BaseLikelihoodMixture(BaseMixture):
    """Base of mixtures fitted by maximum likelihood: noise, information criteria, conversion and files."""

    converged_: bool
    n_iter_: int
    lower_bound_: float
    lower_bounds_: list[float]
    n_features_in_: int

    # -- conversion and files ----------------------------------------------------------------------

    @classmethod
    def from_mixture(cls, mixture: Mixture, **parameters: Any) -> Self:
        """Return a fitted estimator whose ``model_`` is ``mixture``.

        It predicts and samples without a fit, and ``warm_start=True`` lets `fit` and the first `partial_fit` start
        from the mixture. It has no ``fit_``, since it has seen no rows.

        Parameters
        ----------
        mixture : Mixture
            The distribution.
        **parameters
            Further constructor parameters. ``n_components``, ``covariance_type`` and ``n_factors`` are those of the
            mixture. ``noise`` and ``column_transform`` come from it unless they are given.

        Returns
        -------
        GaussianMixture

        Raises
        ------
        ParameterError
            If ``mixture`` is no Mixture, or ``n_components`` or ``covariance_type`` is not that of the mixture.
        """
        require_instance("mixture", mixture, Mixture, "a gaussmix.Mixture")
        structure = mixture.structure
        n_factors = structure.n_factors if isinstance(structure, FactorStructure) else None
        implied = {
            "n_components": mixture.n_components,
            "covariance_type": _MCLUST_TO_SKLEARN.get(str(structure), str(structure)),
            "n_factors": n_factors,
            "noise": noise_parameter_of(mixture.noise, mixture.frame),
            "column_transform": None if mixture.transforms is None else dict(enumerate(mixture.transforms.names)),
        }
        for name in ("n_components", "covariance_type"):
            _require_parameter_of_mixture(name, parameters.get(name, implied[name]), implied[name])
        estimator = cls(**{**implied, **parameters})
        estimator.model_, estimator._dtype = mixture, np.dtype(np.float64)
        estimator.converged_, estimator.n_iter_ = False, 0
        estimator.lower_bound_, estimator.lower_bounds_ = -np.inf, []
        estimator.n_features_in_ = mixture.n_features
        if mixture.feature_names is not None:
            estimator.feature_names_in_ = np.array(mixture.feature_names, dtype=object)
        return estimator

    @classmethod
    def load(cls, path: str | PathLike[str], **parameters: Any) -> Self:
        """Return a fitted estimator from a file that `save` or `Mixture.save` wrote.

        Further ``parameters`` go to the constructor. ArchiveError is raised if the file is no mixture.
        """
        return cls.from_mixture(Mixture.load(path), **parameters)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fitted mixture, ``model_``, to a safetensors file; parameters of the estimator are not kept."""
        self._fitted_mixture.save(path)

    # -- noise and criteria ------------------------------------------------------------------------

    @property
    def noise_weight_(self) -> float:
        """Weight of the noise component; 0 without noise."""
        noise = self._fitted_mixture.noise
        return 0.0 if noise is None else noise.weight

    @property
    def noise_volume_(self) -> float:
        """Volume of the noise component in the data's units; infinity without noise."""
        noise = self._fitted_mixture.noise
        return np.inf if noise is None else noise.volume_in_data_units(self.model_.frame)

    def bic(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the Bayesian information criterion on X; lower is better. n is the sum of the weights."""
        return self._compute_criterion("bic", X, sample_weight)

    def aic(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the Akaike information criterion on X; lower is better."""
        return self._compute_criterion("aic", X, sample_weight)

    def icl(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the integrated completed likelihood on X; lower is better.

        It is BIC plus a penalty for uncertain assignments: minus mclust's ICL.
        """
        return self._compute_criterion("icl", X, sample_weight)

    def _compute_criterion(self, criterion_name: str, X: ArrayLike, sample_weight: ArrayLike | None) -> float:
        """Return BIC, AIC or ICL of the fitted mixture on X; lower is better."""
        model, source, engine = self._prepare_scoring(X)
        log_densities = prediction.logpdf_in_frame_units(model, source, engine) + self._log_jacobians(source.rows)
        sample_weight = _validation.validate_sample_weight(sample_weight, source.rows)
        weights: N = np.ones(source.n_rows) if sample_weight is None else sample_weight
        certainty = 0.0
        if criterion_name == "icl":
            certainty = float(weights @ prediction.log_max_responsibility(model, source, engine))
        return CRITERIA[criterion_name](
            float(weights @ log_densities), self._n_parameters(), float(weights.sum()), certainty
        )

    def _n_parameters(self) -> int:
        """Return the number of free parameters; scikit-learn's estimators have this method, too."""
        return self.model_.n_parameters


def _require_parameter_of_mixture(name: str, value: object, value_of_mixture: object) -> None:
    """Raise a ParameterError unless a parameter is that of the mixture of `from_mixture`, in any case and alias."""

    def to_mclust(text: object) -> object:
        return SKLEARN_TO_MCLUST.get(text.lower(), text.upper()) if isinstance(text, str) else text

    if to_mclust(value) != to_mclust(value_of_mixture):
        raise ParameterError.invalid_value(name, value, f"{value_of_mixture!r}, that of the mixture, or left out")


# Axes of length D by the number of dimensions and whether the structure is axis-aligned: of (K,), (K, D), (D, D) and
# (K, D, D).
_COLUMN_AXES = {(1, True): (), (2, True): (1,), (2, False): (0, 1), (3, False): (1, 2)}


def _compute_precisions_cholesky(mixture: Mixture) -> AnyArray:
    """Return upper triangular U with U U^T = precision in the data's units, in scikit-learn's shapes.

    They are (K, D, D), or (D, D) if tied; inverse standard deviations (K, D) if diagonal, and (K,) if spherical.
    Entries of dependent columns are zero.
    """
    if mixture.dependence is not None:
        roots = _compute_precisions_cholesky(mixture.independent_part)
        return mixture.dependence.pad_with_zeros(roots, _COLUMN_AXES[roots.ndim, mixture.structure.is_axis_aligned])
    covariance, frame = mixture.covariance, mixture.frame
    shape = sklearn_shape(covariance.structure, mixture.n_components, mixture.n_features)
    roots = covariance.precision_root.to_dense(mixture.n_components, mixture.n_features)
    if covariance.structure.is_axis_aligned:
        return contract_covariances(covariance.structure, frame.restore_precision_roots(roots))
    distinct = roots[:1] if isinstance(covariance, SharedCovariance) else roots
    return frame.restore_precision_roots(to_upper_triangular_roots(distinct)).reshape(shape)
