"""``StreamingAnomalyDetector``: anomalies of rows that arrive one by one, such as a time series."""

import json
from copy import deepcopy
from os import PathLike
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted

from gaussmix.anomaly.stream_scorer import RowScore, StreamOptions, StreamScorer
from gaussmix.core.blas import limit_blas_threads
from gaussmix.core.scalar_checks import is_number_in, require_integer
from gaussmix.errors import ArchiveError, DataError, DataTypeError, ParameterError
from gaussmix.estimators import _validation
from gaussmix.model.archive import DAMAGE_ERRORS, ArchiveContent, read_archive, verify_checksum, write_archive
from gaussmix.types import AnyArray, ArrayLike, D, IntN, N

FORMAT, SCHEMA = "gaussmix-stream", "1"
_SMALLEST_VALUES = {"window": 0, "n_components": 1, "memory": 2, "refractory": 0}


class StreamingAnomalyDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Detector of anomalies in a stream: each row is scored by what came before it, then learned.

    One Gaussian mixture describes the rows. A second one describes each row together with the mean of the rows just
    before it, so that a value may be usual in itself and unusual where it is. Both forget. A row's p-value is the rank
    of its surprise among the last rows under each mixture, combined.

    Answers don't depend on units and origins of the columns, and nothing is random. The p-value of row n is at least
    about 2.7 / n, or 1 / n without a window. So with the defaults no row is an alarm before row 90.

    Parameters
    ----------
    window : int, default=24
        Number of rows before a row whose mean is its context. 0: rows have no order worth knowing.
    n_components : int, default=32
        Largest number of components of each mixture.
    memory : int, default=4000
        Number of rows after which the weight of a row in the mixtures has halved, and number of the last rows among
        which a row is ranked.
    refractory : int, default=200
        One story is one alarm: a row is an anomaly only if it is more surprising than each of as many rows before it.
        0: each row is judged alone.
    fpr : float, default=0.03
        Largest fraction of the rows of a stream without anomalies that are alarms, as long as the stream does not
        change. The bound holds whatever the dependence of the two p-values. Refractory rows are no alarms, so the
        fraction is lower. Over 13 kinds of simulated noise, waves, bursts and autoregressions of 5000 rows it is 0.0005
        to 0.004 on average, and 0.005 in the worst of 104 streams. With ``window=0`` it is near 1 / (``refractory`` +
        1) = 0.005, at most 0.007.

    Attributes
    ----------
    p_value_ : float
        P-value of the row that was learned last, also if it continues a story. It is 1 for a row without values.
    n_rows_seen_ : int
        Number of rows so far.
    offset_ : float
        `decision_function` is `score_samples` minus this: the logarithm of ``fpr``.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Column names, if the first rows had names.

    Raises
    ------
    DataError, ParameterError
        From all methods that take rows, before a row is learned. Both are ValueErrors.

    Notes
    -----
    Scores have two directions, as users of streams and of scikit-learn expect them. A higher `score_one` or
    `score_and_learn` is more anomalous, as in River; both learn the rows, so there is no ``learn_one``. A lower
    `score_samples` or `decision_function` is more anomalous, as in scikit-learn; neither these two nor `predict` learn.

    NaN means missing, and takes the last value of its column. Rows without values, and rows before every column had a
    value, have score 0 and are not learned.

    A few wild values, such as 1e20, do not hide later anomalies, as long as they are less than 2 % of the last
    ``memory`` values of their column. More of them count as a change of its scale.

    References
    ----------
    Stauffer & Grimson, CVPR 1999, for the mixtures; Vovk & Wang, Biometrika 107 (2020), for the combined p-value; Huber
    & Ronchetti, "Robust Statistics", Wiley 2009, for the scale of the columns.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix.anomaly import StreamingAnomalyDetector
    >>> values = np.random.default_rng(0).normal(size=500)
    >>> detector = StreamingAnomalyDetector().partial_fit(values[:, None])
    >>> [detector.predict_one(value) for value in (0.3, 9.0, 9.1)]
    [1, -1, 1]
    """

    def __init__(
        self,
        *,
        window: int = 24,
        n_components: int = 32,
        memory: int = 4000,
        refractory: int = 200,
        fpr: float = 0.03,
    ) -> None:
        self.window, self.n_components = window, n_components
        self.memory, self.refractory = memory, refractory
        self.fpr = fpr

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Forget everything, learn the rows of X (n, D) in order, and return the detector."""
        rows = _validation.validate_rows(self, X, is_fitting=True, min_fit_rows=1, allow_missing=True)
        self._start_stream(rows.shape[1])
        self._learn_rows(rows)
        return self

    def partial_fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn the rows of X (n, D) in order, and return the detector."""
        self.score_and_learn(X)
        return self

    def score_one(self, row: ArrayLike) -> float:
        """Return the anomaly score of the next row of the stream, and learn the row.

        Higher is more anomalous, as in River, and opposite to `score_samples`.

        Parameters
        ----------
        row : number, or array-like of shape (D,)

        Returns
        -------
        float
            0 for ordinary rows to 1 for anomalies: 1 minus the p-value, and 0 if one of the last ``refractory`` rows
            was at least as surprising. The row is an anomaly if the score is at least 1 - ``fpr``.
        """
        return 1.0 - self._learn_one(row).onset_p_value

    def predict_one(self, row: ArrayLike) -> int:
        """Return -1 if the next row of the stream, a number or (D,), is an anomaly, and else 1; learn the row."""
        return -1 if self._learn_one(row).onset_p_value <= parse_fpr(self.fpr) else 1

    def score_and_learn(self, X: ArrayLike) -> N:
        """Return the anomaly score (n,) of each row of X (n, D), and learn the rows.

        Higher is more anomalous, as from `score_one`, and opposite to `score_samples`.
        """
        is_first = not hasattr(self, "_scorer")
        rows = _validation.validate_rows(self, X, is_fitting=is_first, min_fit_rows=1, allow_missing=True)
        if is_first:
            self._start_stream(rows.shape[1])
        return 1.0 - self._learn_rows(rows)

    def score_samples(self, X: ArrayLike) -> N:
        """Return the logarithm of the p-value (n,) of rows X (n, D) that continue the stream, in nats; learn nothing.

        Lower is more anomalous, as in scikit-learn, and opposite to `score_one`.

        -4.6 is one in a hundred. Each row is scored by all rows before it, those of X too. A row that is no more
        surprising than one of the ``refractory`` rows before it has 0.
        """
        check_is_fitted(self, "n_rows_seen_")
        rows = _validation.validate_rows(self, X, is_fitting=False, allow_missing=True)
        return np.asarray(np.log(deepcopy(self)._learn_rows(rows)))

    def decision_function(self, X: ArrayLike) -> N:
        """Return `score_samples` minus ``offset_`` (n,); lower is more anomalous, and anomalies are at most 0."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> IntN:
        """Return -1 for anomalies and 1 for other rows (n,) of X (n, D) that continue the stream; learn nothing."""
        return np.where(self.decision_function(X) <= 0, -1, 1)

    @property
    def offset_(self) -> float:
        """The logarithm of ``fpr``."""
        return float(np.log(parse_fpr(self.fpr)))

    def save(self, path: str | PathLike[str]) -> None:
        """Write parameters and state to a safetensors file; the loaded stream continues with the same numbers."""
        check_is_fitted(self, "n_rows_seen_")
        names = getattr(self, "feature_names_in_", None)
        metadata = {
            "format": FORMAT,
            "schema": SCHEMA,
            "parameters": json.dumps({**self._scorer.options._asdict(), "fpr": parse_fpr(self.fpr)}),
            "feature_names": json.dumps(None if names is None else [str(name) for name in names]),
        }
        tensors = self._scorer.to_tensors()
        write_archive(path, metadata, {**tensors, "last": np.array([self.n_rows_seen_, self.p_value_])})

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Return the detector that `save` wrote; raise FileError or ArchiveError if the file cannot be used."""
        content = read_archive(path, FORMAT, [SCHEMA])
        try:
            return cls._from_content(verify_checksum(content))
        except DAMAGE_ERRORS as error:
            raise ArchiveError.invalid_content(path, error) from error

    @classmethod
    def _from_content(cls, content: ArchiveContent) -> Self:
        """Return the detector whose state is in an archive."""
        metadata, tensors = content
        detector = cls(**json.loads(metadata["parameters"]))
        detector._scorer = StreamScorer.from_content(content, parse_options(detector))
        names = json.loads(metadata["feature_names"])
        if names is not None:
            detector.feature_names_in_ = np.array(names, dtype=object)
        detector.n_features_in_ = len(tensors["origin"])
        detector.n_rows_seen_, detector.p_value_ = int(tensors["last"][0]), float(tensors["last"][1])
        return detector

    def _start_stream(self, n_features: int) -> None:
        """Forget everything; the next rows have D columns."""
        parse_fpr(self.fpr)
        self._scorer = StreamScorer(n_features, parse_options(self))
        self.n_features_in_, self.n_rows_seen_, self.p_value_ = n_features, 0, 1.0

    def _learn_rows(self, rows: AnyArray) -> N:
        """Learn rows (n, D) in order, and return the p-value (n,) of each if it begins a story, else 1."""
        require_unchanged_options(self, self._scorer.options)
        with limit_blas_threads(rows.shape[1]):
            scores = [self._scorer.score_and_learn(row) for row in np.asarray(rows, dtype=np.float64)]
        self.n_rows_seen_ += len(rows)
        self.p_value_ = scores[-1].p_value
        return np.array([score.onset_p_value for score in scores])

    def _learn_one(self, row: ArrayLike) -> RowScore:
        """Learn a row, and return its score."""
        values = _parse_row(row)
        if not hasattr(self, "_scorer"):
            self._start_stream(len(values))
        if len(values) != self.n_features_in_:
            raise DataError.wrong_n_features(len(values), self.n_features_in_)
        require_unchanged_options(self, self._scorer.options)
        score = self._scorer.score_and_learn(values)
        self.n_rows_seen_ += 1
        self.p_value_ = score.p_value
        return score


def parse_options(detector: StreamingAnomalyDetector) -> StreamOptions:
    """Return the parameters of a stream; raise ParameterError if one is not allowed."""
    values = {name: require_integer(name, getattr(detector, name), low) for name, low in _SMALLEST_VALUES.items()}
    return StreamOptions(**values)


def parse_fpr(fpr: object) -> float:
    """Return ``fpr``; raise ParameterError unless it is between 0 and 1."""
    if not is_number_in(fpr, 0.0, 1.0):
        raise ParameterError.invalid_value("fpr", fpr, "a number above 0 and below 1")
    return float(fpr)  # type: ignore[arg-type]


def require_unchanged_options(detector: StreamingAnomalyDetector, options: StreamOptions) -> None:
    """Raise ParameterError if a parameter differs from that with which the stream began."""
    if (detector.window, detector.n_components, detector.memory, detector.refractory) == options:
        return
    for name, previous in options._asdict().items():
        if getattr(detector, name) != previous:
            raise ParameterError.changed_in_stream(name, getattr(detector, name), previous)


def _parse_row(row: ArrayLike) -> D:
    """Return one row as an array (D,); raise DataError unless it holds numbers or NaN."""
    try:
        values = np.array(row, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataTypeError.not_numeric(error) from error
    if values.ndim > 1:
        raise DataError.row_is_a_table(values.shape)
    if values.size == 0:
        raise DataError.no_columns()
    if np.isinf(values).any():
        raise DataError.infinite_in_stream(int(np.isinf(values).argmax()))
    return values.reshape(-1)
