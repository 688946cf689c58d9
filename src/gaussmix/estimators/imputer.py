"""``MixtureImputer``: fill missing cells from a Gaussian mixture of the rows that have them."""

from collections.abc import Iterable
from typing import Any, Self

from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from gaussmix.estimators import _validation
from gaussmix.model import Mixture
from gaussmix.model.imputation import IMPUTATION_METHODS, Imputation, impute_rows
from gaussmix.selection import Selection, select
from gaussmix.types import AnyArray, ArrayLike

_DEFAULT_COUNTS = range(1, 7)


class MixtureImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Fill missing cells from a Gaussian mixture that exact EM fits to the rows with their gaps.

    A cell is filled by what the mixture expects of it, given the observed cells of its row. Rows of different groups
    are therefore filled differently. Cells should be missing at random: observed cells may decide whether a cell is
    missing, but not its own value.

    Parameters
    ----------
    n_components : int or iterable of int, default=None
        Number of components of the mixture, or numbers of which BIC selects one. None: 1 to 6.
    covariance_type : str or sequence of str, default='full'
        Covariance structures of which BIC selects one, as ``structures`` of `select`.
    method : {'mean', 'draw', 'mode'}, default='mean'
        What fills a cell: the conditional mean; a random value with the conditional distribution, which keeps
        variances and correlations; or the conditional mean under the most probable component.
    prior : {None, 'default'} or DefaultPrior, default='default'
        Conjugate prior of means and covariances; without one, small groups predict too surely.
    random_state : int, RandomState, Generator or None, default=None
        Source of the starts and of the draws.

    Attributes
    ----------
    model_ : Mixture
        The mixture that fills the cells.
    selection_ : Selection
        All candidates that were fitted.

    References
    ----------
    Ghahramani & Jordan, "Supervised learning from incomplete data via an EM approach", NIPS 6 (1994).

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix import MixtureImputer
    >>> X = [[1.0, 2.1], [2.0, 3.9], [3.0, 6.2], [4.0, 7.8], [5.0, np.nan], [np.nan, 12.1]]
    >>> MixtureImputer(1, random_state=0).fit_transform(X).round(0).tolist()
    [[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, 8.0], [5.0, 10.0], [6.0, 12.0]]
    """

    def __init__(
        self,
        n_components: int | Iterable[int] | None = None,
        *,
        covariance_type: Any = "full",
        method: str = "mean",
        prior: Any = "default",
        random_state: _validation.RandomStateLike = None,
    ) -> None:
        self.n_components, self.covariance_type = n_components, covariance_type
        self.method, self.prior, self.random_state = method, prior, random_state

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Fit the mixture to rows X (n, D), in which NaN is a missing cell; ``y`` is ignored.

        Every column needs a cell that is not missing.
        """
        _validation.require_choice("method", self.method, IMPUTATION_METHODS)
        rows = _validation.validate_rows(self, X, is_fitting=True, allow_missing=True)
        counts = _DEFAULT_COUNTS if self.n_components is None else self.n_components
        rng = _validation.make_estimator_generator(self.random_state)
        self.selection_: Selection = select(
            rows,
            counts,
            structures=self.covariance_type,
            prior=self.prior,
            random_state=rng,
            feature_names=_validation.get_feature_names(self),
        )
        mixture = self.selection_.best.mixture
        assert mixture is not None
        self.model_: Mixture = mixture
        return self

    def transform(self, X: ArrayLike) -> AnyArray:
        """Return rows X (n, D) with all missing cells filled; observed cells are as they were."""
        return self.impute(X).rows.astype(self._validated_dtype(X), copy=False)

    def impute(self, X: ArrayLike, n_draws: int | None = None) -> Imputation:
        """Return filled rows, or ``n_draws`` tables of them, with the standard deviation of each filled cell.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Rows in the data's units; NaN is a missing cell.
        n_draws : int, optional
            Number of tables to draw; then each cell is a draw, whatever ``method`` says. Default: one table.

        Returns
        -------
        Imputation
        """
        _validation.require_fitted(self, "model_")
        rows = _validation.validate_rows(self, X, is_fitting=False, allow_missing=True)
        method = self.method if n_draws is None else "draw"
        rng = _validation.make_estimator_generator(self.random_state)
        return impute_rows(self.model_, rows, method, n_draws, rng)

    def _validated_dtype(self, X: ArrayLike) -> Any:
        """Return float32 for rows of float32, else float64."""
        return _validation.validate_rows(self, X, is_fitting=False, allow_missing=True).dtype

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags; NaN is a missing cell."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
