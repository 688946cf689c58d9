"""``AnomalyDetector``: anomalies of a table, with a threshold from an error rate and reasons in words."""

from os import PathLike
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted

from gaussmix.anomaly.anomaly_groups import AnomalyGroups
from gaussmix.anomaly.calibration import parse_density_ratios
from gaussmix.anomaly.conformal import select_by_fdr
from gaussmix.anomaly.detector_archive import StoredDetector, load_detector, save_detector
from gaussmix.anomaly.explanation import Explanations
from gaussmix.anomaly.feedback import parse_verdicts
from gaussmix.anomaly.model_explanation import explain_by_model, group_by_model, make_normal_rule
from gaussmix.anomaly.model_fit import DetectorOptions, drop_rows_without_weight, fit_anomaly_model
from gaussmix.anomaly.resolution import warn_of_resolution
from gaussmix.anomaly.thresholds import DEFAULT_FDR, THRESHOLDS, Threshold, parse_threshold
from gaussmix.core.blas import limit_blas_threads
from gaussmix.core.user_warnings import warn_user
from gaussmix.errors import DataWarning
from gaussmix.estimators import _validation
from gaussmix.estimators._validation import make_estimator_generator
from gaussmix.types import ArrayLike, BoolN, IntN, N

FEW_ROWS = 20


class AnomalyDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Detector of anomalies by an ensemble of Gaussian mixtures.

    Mixtures are fitted to random halves of the rows and scaled on the other halves. New rows are always welcome: there
    is no ``novelty`` parameter.

    Parameters
    ----------
    contamination : 'auto' or float, default='auto'
        Fraction of training rows beyond the limit, at most 0.5, by fits that have not seen them. 'auto': ``fdr=0.05``.
    fpr : float or None, default=None
        Fraction of normal rows that may be flagged.
    fdr : float or None, default=None
        Fraction of flagged rows that may be normal, by the procedure of Benjamini and Hochberg. At most one of
        ``contamination``, ``fpr`` and ``fdr`` is given. `predict` judges each row alone: with clean calibration rows
        it flags this fraction of normal rows, like ``fpr``; `select_anomalies` judges rows together.
    training : {'contaminated', 'clean'}, default='contaminated'
        Whether the training rows may contain anomalies. If so, groups of components of less than a twentieth of the
        weight do not vouch for rows, and p-values follow from a tail that the highest tenth of scores cannot influence.
    calibration : {'auto', 'split', 'cross', 'jackknife+'}, default='auto'
        Which scores new rows are compared with. 'split': those of half of the rows (at least 1000 of many), which no
        fit sees; with clean rows this alone guarantees the error rates. 'cross': those of all rows, each by the fits
        that have not seen it. 'jackknife+': the same, and new rows are compared by the same fits. 'auto': 'split' for
        clean rows, 'cross' for contaminated ones.
    n_components : 'auto', int or sequence of int, default='auto'
        Numbers of components of the mixtures; at most a quarter of the rows of a fit. 'auto': 8, 16 and 32 together;
        for many rows of few columns the one of 1 to 32 of highest likelihood among rows that a fit has not seen.
    covariance_type : str, default='full'
        Structure of the covariances, as in `GaussianMixture`.
    n_factors : int or None, default=None
        Number of factors of a mixture of factor analysers. Other structures ignore it.
    shrinkage : 'auto' or float, default='auto'
        Ridge that is added to every variance, in squared deviations of a column. 'auto': 0.1, 0.01 or 0.001, by the
        likelihood of rows that a fit has not seen.
    n_repeats : 'auto' or int, default='auto'
        How many times the rows are divided into halves. More give a steadier score, at their cost. 'auto': 2, and with
        fewer than 1500 rows of not many columns up to 6.
    random_state : int, RandomState, Generator or None, default=None
        Seed of halves and starts.

    Attributes
    ----------
    offset_ : float
        `decision_function` is `score_samples` minus this: rows below it are anomalies.
    model_ : AnomalyModel
        The scored columns, the mixtures, the scores that new rows are compared with, and feedback.
    training_p_values_ : ndarray of shape (n,)
        P-value of each training row of positive weight, by the fits that have not seen it; not in files.
    shrinkage_ : float
        The ridge in use.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Column names, if X has names.

    Raises
    ------
    DataError, ParameterError
        From `fit`. Both are ValueErrors.

    Warns
    -----
    DataWarning
        With fewer than 20 rows, or too few calibration rows for the rate.

    References
    ----------
    Bates, Candès, Lei, Romano & Sesia, Annals of Statistics 51 (2023), on p-values and error rates.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix.anomaly import AnomalyDetector
    >>> rows = np.random.default_rng(0).normal(size=(500, 2))
    >>> detector = AnomalyDetector(fpr=0.01, random_state=0).fit(rows)
    >>> detector.predict([[0.0, 0.0], [8.0, 8.0]]).tolist()
    [1, -1]
    """

    def __init__(
        self,
        *,
        contamination: str | float = "auto",
        fpr: float | None = None,
        fdr: float | None = None,
        training: str = "contaminated",
        calibration: str = "auto",
        n_components: str | int | tuple[int, ...] = "auto",
        covariance_type: str = "full",
        n_factors: int | None = None,
        shrinkage: str | float = "auto",
        n_repeats: str | int = "auto",
        random_state: _validation.RandomStateLike = None,
    ) -> None:
        self.contamination, self.fpr, self.fdr = contamination, fpr, fdr
        self.training, self.calibration = training, calibration
        self.n_components = n_components
        self.covariance_type, self.n_factors = covariance_type, n_factors
        self.shrinkage, self.n_repeats = shrinkage, n_repeats
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: object = None,
        sample_weight: ArrayLike | None = None,
        X_calibration: ArrayLike | None = None,
    ) -> Self:
        """Fit the detector to rows, and return it.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Rows of finite numbers, of which at least two differ.
        y : object, optional
            Ignored.
        sample_weight : array-like of shape (n,), optional
            Number of times that each row counts. A split holds out rows with all their weight, if it is not whole.
        X_calibration : array-like of shape (m, D), optional
            Rows that are known to be normal. New rows are then compared with these, which no fit sees.

        Returns
        -------
        self
        """
        threshold = parse_threshold(self.contamination, self.fpr, self.fdr)
        options = DetectorOptions.parse(self, X_calibration is not None)
        rows = _validation.validate_rows(self, X, is_fitting=True)
        weights = _validation.validate_sample_weight(sample_weight, rows)
        normal = None if X_calibration is None else _validation.validate_rows(self, X_calibration, is_fitting=False)
        names, rng = _validation.get_feature_names(self), make_estimator_generator(self.random_state)
        rows, weights = drop_rows_without_weight(rows, weights)
        with limit_blas_threads(rows.shape[1]):
            result = fit_anomaly_model(rows, weights, normal, options, names, rng)
            self.model_, self.shrinkage_ = result.model, result.ridge
            training = result.make_training_scores()
            self.offset_ = THRESHOLDS[threshold.kind](threshold.rate, training)
        self.training_p_values_ = result.compute_training_p_values()
        if threshold.kind == "fpr":
            warn_of_resolution(result.model.calibration, threshold, 1)
        if len(rows) < FEW_ROWS:
            warn_user(DataWarning.few_training_rows(len(rows), FEW_ROWS))
        return self

    def score_samples(self, X: ArrayLike) -> N:
        """Return the log probability (n,) of a normal row being as unusual as each row of X (n, D), in nats.

        -4.6 is one in a hundred. A row that breaks a relation of all training rows is far below all others.
        """
        check_is_fitted(self, "model_")
        return self.model_.log_tails(_validation.validate_rows(self, X, is_fitting=False))

    def decision_function(self, X: ArrayLike) -> N:
        """Return `score_samples` minus ``offset_`` (n,); anomalies are below 0."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> IntN:
        """Return -1 for anomalies and 1 for normal rows (n,); each row is judged alone."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def p_values(
        self,
        X: ArrayLike,
        *,
        density_ratio: ArrayLike | None = None,
        calibration_density_ratio: ArrayLike | None = None,
        randomize_ties: bool = False,
    ) -> N:
        """Return the p-value (n,) of each row of X (n, D): small for anomalies.

        With clean calibration rows these are conformal p-values. With contaminated ones they follow from the fitted
        tail, and are approximate.

        Parameters
        ----------
        X : array-like of shape (n, D)
        density_ratio, calibration_density_ratio : array-like of shape (n,) and (m,), optional
            Density of new rows over that of calibration rows, at the rows of X and at the calibration rows, if the new
            rows are distributed otherwise. Approximate where the ratios are estimated.
        randomize_ties : bool, default=False
            Make p-values of normal rows exactly uniform, by a draw that ``random_state`` seeds.

        Raises
        ------
        ParameterError
            If only one of the two ratios is given, or the calibration rows are contaminated.
        """
        check_is_fitted(self, "model_")
        rows = _validation.validate_rows(self, X, is_fitting=False)
        calibration = self.model_.calibration
        ratios = parse_density_ratios(calibration, density_ratio, calibration_density_ratio, len(rows))
        rng = make_estimator_generator(self.random_state) if randomize_ties else None
        return self.model_.p_values(rows, *ratios, rng)

    def select_anomalies(self, X: ArrayLike, fdr: float | None = None) -> BoolN:
        """Return which rows of X (n, D) are anomalies at a false discovery rate, shape (n,).

        The rows are judged together, by the procedure of Benjamini and Hochberg. The rate is ``fdr``, by default that
        of the detector or 0.05. It is guaranteed with clean calibration rows that no fit has seen.
        """
        own = self.fdr if self.fdr is not None else DEFAULT_FDR
        rate = parse_threshold(None, None, own if fdr is None else fdr).rate
        selected = select_by_fdr(self.p_values(X), rate)
        if not selected.any():
            warn_of_resolution(self.model_.calibration, Threshold("fdr", rate), len(selected))
        return selected

    def explain(
        self, X: ArrayLike, is_anomaly: ArrayLike | None = None, p_value_limit: float | None = None
    ) -> Explanations:
        """Return why each row of X (n, D) is an anomaly or not: columns, distances, a sentence and the smallest change.

        Rows are compared with groups of normal rows. After the smallest change a row would not be flagged.

        Parameters
        ----------
        X : array-like of shape (n, D)
        is_anomaly : array-like of bool of shape (n,), optional
            Which rows to call anomalies, such as those of `select_anomalies`; by default those beyond the limit.
        p_value_limit : float, optional
            Limit of the smallest change, such as `Judgement.p_value_limit` of a table; by default that of `predict`.
        """
        check_is_fitted(self, "model_")
        rows = np.asarray(_validation.validate_rows(self, X, is_fitting=False), dtype=np.float64)
        is_normal = make_normal_rule(self.model_, float(self.offset_), p_value_limit)
        return explain_by_model(self.model_, rows, is_normal, is_anomaly)

    def group_anomalies(self, X: ArrayLike) -> AnomalyGroups:
        """Return anomalies X (n, D), such as rows that `select_anomalies` selects, grouped by how they deviate."""
        check_is_fitted(self, "model_")
        return group_by_model(self.model_, _validation.validate_rows(self, X, is_fitting=False))

    def feedback(self, X: ArrayLike, is_anomaly: ArrayLike) -> Self:
        """Correct the detector by what a person says about rows of X (m, D), and return it.

        Afterwards `predict` gives each judged row its verdict, similar rows follow, and rows judged normal make the
        tail of normal rows heavier. Feedback adds up, and is saved with the detector.

        Parameters
        ----------
        X : array-like of shape (m, D)
            The judged rows.
        is_anomaly : array-like of bool of shape (m,), or bool
            Whether each row is an anomaly; False is a false alarm.

        Raises
        ------
        ParameterError
            If ``is_anomaly`` is not one bool, or one for each row.
        """
        check_is_fitted(self, "model_")
        rows = np.asarray(_validation.validate_rows(self, X, is_fitting=False), dtype=np.float64)
        self.model_ = self.model_.with_feedback(rows, parse_verdicts(is_anomaly, len(rows)), float(self.offset_))
        return self

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fitted detector, with its feedback, to a safetensors file without training rows."""
        check_is_fitted(self, "model_")
        stored = StoredDetector(self.model_, float(self.offset_), self.shrinkage_, self.get_params(deep=False))
        save_detector(path, stored)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Return a fitted detector from a file that `save` wrote; ArchiveError is raised if it is none."""
        stored = load_detector(path)
        detector = cls(**stored.parameters)
        detector.model_, detector.offset_, detector.shrinkage_ = stored.model, stored.offset, stored.ridge
        detector.n_features_in_ = stored.model.columns.n_features
        if stored.model.feature_names is not None:
            detector.feature_names_in_ = np.array(stored.model.feature_names, dtype=object)
        return detector
