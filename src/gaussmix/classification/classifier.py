"""``MixtureClassifier``: classes of the rows of a table from mixtures of numeric and categorical columns."""

import warnings
from os import PathLike
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from gaussmix.classification.classifier_archive import StoredClassifier, load_classifier, save_classifier
from gaussmix.classification.classifier_input import describe_fit, read_table, set_input_attributes
from gaussmix.classification.classifier_options import parse_costs, parse_options
from gaussmix.classification.model_fit import fit_class_model
from gaussmix.classification.table import EncodedRows, TableSchema, fit_table_schema
from gaussmix.classification.table.column_kinds import CategoricalLike
from gaussmix.classification.target import parse_target, weight_target
from gaussmix.core.blas import one_blas_thread
from gaussmix.core.input_arrays import parse_weights
from gaussmix.errors import DataWarning
from gaussmix.estimators._validation import RandomStateLike, make_estimator_generator
from gaussmix.transforms import TransformLike
from gaussmix.types import NK, AnyArray, ArrayLike, N


class MixtureClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classifier by mixtures of numeric and categorical columns, refined towards the classes and calibrated.

    Tables are taken as they are: data frames with numbers, text, categories and missing cells. Each class is a mixture
    whose components are Gaussian in numeric and multinomial in categorical columns. EM finds the mixtures, L-BFGS
    refines them towards the conditional likelihood of the classes, and rows that the fits did not see calibrate the
    probabilities. A missing cell is left out of the density, so a probability is exact for the cells that are present.

    Parameters
    ----------
    family : {'class-mixtures', 'edda', 'mclustda', 'shared'}, default='class-mixtures'
        'class-mixtures': a mixture for each class, with a full covariance of the columns that correlate. 'edda': one
        component for each class, all within one structure of covariances, chosen by BIC. 'mclustda': a mixture for each
        class, of a structure and number of components chosen by BIC within the class. 'shared': one mixture whose
        components belong to all classes. With ``method='generative'`` and ``calibration=None``, 'edda' and 'mclustda'
        are mclust's, by maximum likelihood; one pseudo-row keeps every level of a categorical column possible.
    method : {'refined', 'generative'}, default='refined'
        Whether L-BFGS refines the mixtures that EM finds.
    n_components : 'auto', int, sequence of int or mapping, default='auto'
        Number of components of each class; for 'shared' an int, that of all classes together. 'auto': by the
        cross-validated log-loss ('edda': 1; 'mclustda': by BIC).
    max_components : int or None, default=None
        Largest number of components of a class that 'auto' tries; for 'shared' of all classes together. None: 8
        ('mclustda': 5, as in mclust; 'shared': 16).
    structure : str or None, default=None
        Structure of all numeric columns for 'edda' and 'mclustda': mclust's letters, such as 'VVV', or scikit-learn's
        names. None: chosen by BIC. EII, VII, EEV, VEV, EVE and VVE depend on the units of single columns. A refinement
        frees the covariances of the structure.
    generative_weight : float, default=0.02
        Weight of the log density of the rows in a refinement, lambda, from 0 to 1.
    penalty : float or 'auto', default='auto'
        Weight of the squared distance from the mixtures of EM in a refinement, tau: means are measured in standard
        deviations, scales and levels in logarithms. 'auto': 2, 10, 50 or 250, by the cross-validated log-loss after a
        calibration.
    max_iter : int, default=60
        Largest number of iterations of a refinement.
    n_starts : int, default=3
        Number of starts, whose probabilities are averaged. Classes of one component need one.
    calibration : {'tails', 'floor', 'sigmoid', 'isotonic', 'temperature'} or None, default='tails'
        Map of the probabilities that is fitted to rows which the fits did not see, for log-odds z:
        'tails': ``sigmoid(a s arcsinh(z / s) + b)``; 'floor': ``e0 + (1 - e0 - e1) sigmoid(a z + b)``.
    n_folds : int, default=3
        Folds of the choice of components and of the calibration.
    categorical : 'auto', sequence of str or int, or None, default='auto'
        Numeric columns that are categories. 'auto': in tables with names those of at most 12 distinct whole numbers, in
        their order. A list adds codes without an order to these; in arrays it is complete. None: none. Text always is.
    column_transform : 'auto', None, str or mapping, default='auto'
        Transforms of numeric columns. 'auto': none, log1p or Yeo-Johnson for each column, by the likelihood; none for
        'edda' and 'mclustda'.
    class_weight : 'balanced', mapping or None, default=None
        Weights of the classes, as in scikit-learn. Probabilities are those of the weighted classes.
    costs : array-like of shape (Y, Y) or None, default=None
        Cost of predicting each class (column) for a row of each class (row). `predict` returns the class of least
        expected cost. None: the most probable class.
    random_state : int, RandomState, Generator or None, default=None
        Seed of starts and folds.

    Attributes
    ----------
    classes_ : ndarray of shape (Y,)
    class_prior_ : ndarray of shape (Y,)
        Frequency of each class among the rows, with their weights.
    model_ : ClassModel
        Schema, mixtures and calibration.
    schema_ : TableSchema
        How the columns of a table are read, merged and transformed.
    n_components_ : tuple of int
        Number of components of each class; for 'shared' that of all classes together.
    structures_ : tuple of str
        Structure of the covariances of the correlated columns of each class, or the one that all classes share.
    penalty_ : float or None
        Penalty of the refinement; None without one.
    candidates_ : tuple of ComponentCandidate or StructureCandidate
        What was tried, the best first: numbers of components with their cross-validated log-loss; for 'edda' and
        'mclustda' structures with numbers of components and their BIC.
    n_iter_ : int
        Largest number of iterations of the final fits: of L-BFGS, or of EM if ``method='generative'``.
    log_likelihood_ : float or None
        Log density of the training rows without their classes, in the data's units, in total. None for refined
        mixtures and for an average of several, which do not maximise it.
    n_parameters_ : int or None
        Free parameters of the mixtures: weights of all components of all classes, less one, means, covariances, and
        probabilities of levels. None where ``log_likelihood_`` is.
    bic_ : float or None
        ``-2 log_likelihood_ + n_parameters_ log(n)``, None where ``log_likelihood_`` is; lower is better. mclust's has
        the other sign, and for MclustDA also differs by ``(Y - 1) log(n)``, as it counts no weights of classes.
    held_out_rows_ : ndarray of int64 of shape (m,) or None
        Training rows that were held out in turn.
    held_out_proba_ : ndarray of shape (m, Y) or None
        Their class probabilities by fits that did not see them, calibrated.
    notes_ : tuple of str
        What was merged, left out, transformed and chosen, in sentences.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Column names, if X has names.

    Raises
    ------
    DataError, ParameterError
        From `fit`. Both are ValueErrors.

    References
    ----------
    Hastie & Tibshirani, "Discriminant analysis by Gaussian mixtures", JRSS B 58 (1996); Bensmail & Celeux, JASA 91
    (1996), on EDDA; Fraley & Raftery, JASA 97 (2002), on MclustDA; Lasserre, Bishop & Minka, CVPR (2006), on hybrids of
    generative and discriminative estimates.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix.classification import MixtureClassifier
    >>> rng = np.random.default_rng(0)
    >>> months = rng.integers(1, 72, size=400)
    >>> plan = np.where(rng.random(400) < 0.5, "monthly", "yearly")
    >>> left = rng.random(400) < np.where(plan == "monthly", 0.6, 0.1) * (months < 36)
    >>> classifier = MixtureClassifier(random_state=0).fit({"months": months, "plan": plan}, left)
    >>> probabilities = classifier.predict_proba({"months": [3, 60], "plan": ["monthly", None]})
    >>> bool(probabilities[0, 1] > 0.4), bool(probabilities[1, 1] < 0.1)
    (True, True)
    """

    def __init__(
        self,
        *,
        family: str = "class-mixtures",
        method: str = "refined",
        n_components: Any = "auto",
        max_components: int | None = None,
        structure: str | None = None,
        generative_weight: float = 0.02,
        penalty: float | str = "auto",
        max_iter: int = 60,
        n_starts: int = 3,
        calibration: str | None = "tails",
        n_folds: int = 3,
        categorical: CategoricalLike = "auto",
        column_transform: TransformLike = "auto",
        class_weight: Any = None,
        costs: ArrayLike | None = None,
        random_state: RandomStateLike = None,
    ) -> None:
        self.family, self.method = family, method
        self.n_components, self.max_components, self.structure = n_components, max_components, structure
        self.generative_weight, self.penalty, self.max_iter = generative_weight, penalty, max_iter
        self.n_starts, self.calibration, self.n_folds = n_starts, calibration, n_folds
        self.categorical, self.column_transform = categorical, column_transform
        self.class_weight, self.costs = class_weight, costs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the classifier to the rows of a table and their classes, and return it.

        Parameters
        ----------
        X : data frame, dict of columns or array of shape (n, d)
            Cells may be missing: NaN, None, NA, or blank text.
        y : array-like of shape (n,)
            Class of each row: text, numbers or bools, without missing values.
        sample_weight : array-like of shape (n,), optional
            Number of times that each row counts. Whole numbers are copies, and copies are held out apart from each
            other, like equal rows; if some weights are not whole, each row is held out as one.

        Returns
        -------
        self
        """
        table = read_table(X, self, is_fitting=True)
        labels = parse_target(y, table.n_rows)
        given = parse_weights(sample_weight, table.n_rows)
        target = weight_target(labels, np.ones(table.n_rows) if given is None else given, self.class_weight)
        weights = target.weights
        options = parse_options(self, target.classes, make_estimator_generator(self.random_state))
        parse_costs(self.costs, len(target.classes))
        transform = self.column_transform
        if isinstance(transform, str) and transform == "auto" and not options.family.has_transforms:
            transform = None
        schema = fit_table_schema(table.cells, target.codes, weights, categorical=self.categorical, transform=transform)
        counted = np.flatnonzero(weights > 0)
        with warnings.catch_warnings():  # the notes tell what becomes of cells, and rows of weight 0 do not matter
            warnings.simplefilter("ignore", DataWarning)
            encoded = schema.encode(table.cells).select_rows(counted)
        with one_blas_thread():
            fitted = fit_class_model(schema, encoded, target.select_rows(counted), options)
        set_input_attributes(self, table)
        self.classes_, self.model_ = target.classes, fitted.model
        self.class_prior_ = fitted.class_weights / fitted.class_weights.sum()
        self.n_components_, self.structures_ = fitted.choice.spec
        self.candidates_, self.n_iter_ = fitted.choice.candidates, fitted.n_iter
        self.penalty_ = None if fitted.refinement is None else fitted.refinement.penalty
        likelihood = fitted.likelihood
        self.log_likelihood_ = None if likelihood is None else likelihood.log_likelihood
        self.n_parameters_ = None if likelihood is None else likelihood.n_parameters
        self.bic_ = None if likelihood is None else likelihood.bic
        self.held_out_rows_, self.held_out_proba_ = None, None
        if fitted.held_out is not None:
            self.held_out_rows_ = counted[fitted.held_out.rows]
            self.held_out_proba_ = np.exp(fitted.model.calibrate(fitted.held_out.log_probabilities))
        self.notes_ = describe_fit(fitted, target.classes, options)
        return self

    @property
    def schema_(self) -> TableSchema:
        """How the columns of a table are read, merged and transformed."""
        check_is_fitted(self, "model_")
        return self.model_.schema

    def _encode(self, X: Any) -> EncodedRows:
        """Return the encoded rows of a table."""
        check_is_fitted(self, "model_")
        return self.model_.encode(read_table(X, self, is_fitting=False).cells)

    def predict_log_proba(self, X: Any) -> NK:
        """Return the log probability (n, Y) of each class, in the order of ``classes_``."""
        encoded = self._encode(X)
        return self.model_.log_probabilities(encoded)

    def predict_proba(self, X: Any) -> NK:
        """Return the probability (n, Y) of each class, in the order of ``classes_``.

        Parameters
        ----------
        X : data frame, dict of columns or array of shape (n, d)
            Columns are found by name. Missing cells and unknown categories are left out of the density.
        """
        probabilities = np.exp(self.predict_log_proba(X))
        return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> AnyArray:
        """Return the class (n,) of least expected cost; without ``costs`` the most probable one."""
        expected_costs = self.predict_proba(X) @ parse_costs(self.costs, len(self.classes_))
        return np.asarray(self.classes_[np.argmin(expected_costs, axis=1)])

    def score_samples(self, X: Any) -> N:
        """Return the log density (n,) of the present cells of each row, in nats and in the units of the data.

        Numeric columns contribute densities, categorical ones probabilities. Columns that were left out or that others
        determine contribute nothing.
        """
        encoded = self._encode(X)
        return self.model_.log_densities(encoded) + self.model_.log_jacobian(encoded)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fitted classifier to a safetensors file without training rows; FileError is raised if that fails.

        Probabilities of held-out rows are kept. A random state that is no whole number becomes None.
        """
        save_classifier(path, self.to_stored())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Return a fitted classifier from a file that `save` wrote; ArchiveError is raised if it is none."""
        return load_classifier(path, cls.from_stored)

    def to_stored(self) -> StoredClassifier:
        """Return the content of a file of the fitted classifier."""
        check_is_fitted(self, "model_")
        attributes = {name: value for name, value in vars(self).items() if name.endswith("_") and name != "model_"}
        return StoredClassifier(self.model_, self.get_params(deep=False), attributes)

    @classmethod
    def from_stored(cls, stored: StoredClassifier) -> Self:
        """Return a fitted classifier from the content of a file."""
        classifier = cls(**stored.parameters)
        classifier.model_ = stored.model
        for name, value in stored.attributes.items():
            setattr(classifier, name, value)
        return classifier

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: missing cells, text and several classes are allowed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags
