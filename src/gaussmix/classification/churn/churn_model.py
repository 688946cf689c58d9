"""``ChurnModel``: who leaves, why, in which segments, and whom to contact."""

from collections.abc import Sequence
from os import PathLike
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from gaussmix.classification.churn.churn_actions import plan_contacts, plan_held_out_contacts
from gaussmix.classification.churn.churn_archive import StoredChurnModel, load_churn_model, save_churn_model
from gaussmix.classification.churn.churn_evaluation import ChurnEvaluation, evaluate_customers, read_groups
from gaussmix.classification.churn.churn_input import (
    adjust_rate,
    fit_churn_model,
    observe_customers,
    require_columns,
    require_held_out,
    require_probability,
    set_fitted_attributes,
)
from gaussmix.classification.churn.churn_state import ChurnState
from gaussmix.classification.churn.customer_explanations import explain_customers, explain_reasons
from gaussmix.classification.churn.drift import FALSE_ALARM_RATE, ChurnDrift, find_churn_drift
from gaussmix.classification.churn.explanation import ChurnExplanation
from gaussmix.classification.churn.reasons import CustomerReasons
from gaussmix.classification.churn.segments import SegmentAssignment, Segments
from gaussmix.classification.classifier import MixtureClassifier
from gaussmix.classification.evaluation.actions import ActionPlan
from gaussmix.classification.evaluation.prior_shift import PriorEstimate, estimate_prior
from gaussmix.classification.table.input_table import read_input_table
from gaussmix.errors import ChurnDataError
from gaussmix.estimators._validation import RandomStateLike
from gaussmix.types import NK, AnyArray, ArrayLike, N


class ChurnModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Model of the customers who leave: probabilities, segments, reasons, similar customers, actions and drift.

    A `MixtureClassifier` predicts who leaves. Segments are the components of a mixture of the same columns that is
    fitted without the outcomes, so that their churn rates hold for new customers. Everything is returned as a value
    with ``table()`` and, by ``print``, with sentences.

    Parameters
    ----------
    classifier : MixtureClassifier or None, default=None
        Is copied and fitted. None: one with default parameters, without ``classifier__penalty`` for `GridSearchCV`.
    positive : str, bool, int or None, default=None
        The class that means that a customer left. None: the class named 'Yes', 'True', '1', 'churned' or the like; an
        error names the classes if none or several are so named.
    fixed_columns : sequence of str, default=()
        Columns that cannot change, such as age: `explain` suggests no change of them.
    random_state : int, RandomState, Generator or None, default=None
        Seed of starts and folds, also for the classifier. None keeps the seed of the classifier.

    Attributes
    ----------
    classifier_ : MixtureClassifier
        The fitted classifier.
    classes_ : ndarray of shape (Y,)
    positive_ : object
        The class that means churn.
    state_ : ChurnState
        What the model knows of segments and training customers.
    notes_ : tuple of str
        Sentences on the fits of classifier and segments.
    target_name_ : str or None
        Name of the outcomes, if y has one.
    n_features_in_ : int
    feature_names_in_ : ndarray of str, if X has column names

    Raises
    ------
    DataError, ParameterError
        From `fit`. Both are ValueErrors.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix.classification import ChurnModel
    >>> rng = np.random.default_rng(0)
    >>> months = rng.integers(1, 72, size=600)
    >>> plan = np.where(rng.random(600) < 0.5, "monthly", "yearly")
    >>> left = np.where(rng.random(600) < np.where(plan == "monthly", 0.6, 0.1) * (months < 36), "Yes", "No")
    >>> model = ChurnModel(random_state=0).fit({"months": months, "plan": plan}, left)
    >>> explanation = model.explain({"months": [3], "plan": ["monthly"]})[0]
    >>> sorted(reason.condition for reason in explanation.reasons)
    ['months = 3', 'plan = monthly']
    """

    classifier_: MixtureClassifier
    classes_: AnyArray
    state_: ChurnState
    target_name_: str | None

    def __init__(
        self,
        classifier: MixtureClassifier | None = None,
        *,
        positive: Any = None,
        fixed_columns: Sequence[str] = (),
        random_state: RandomStateLike = None,
    ) -> None:
        self.classifier = classifier
        self.positive = positive
        self.fixed_columns = fixed_columns
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model to customers and what they did, and return it.

        Parameters
        ----------
        X : data frame, dict of columns or array of shape (n, d)
            One row per customer. Cells may be missing.
        y : array-like of shape (n,)
            Whether each customer left: two or more classes, of which one means that. The name of a Series is kept.
        sample_weight : array-like of shape (n,), optional
            Number of times that each customer counts. Default: 1. Whole numbers are copies, see
            `MixtureClassifier.fit`.
        """
        classifier, state = fit_churn_model(self, X, y, sample_weight)
        name = getattr(y, "name", None)
        set_fitted_attributes(self, classifier, state, None if name is None else str(name))
        return self

    @property
    def _fitted_state(self) -> ChurnState:
        """What the model knows; raise NotFittedError before a fit."""
        check_is_fitted(self, "state_")
        return self.state_

    def predict_proba(self, X: Any) -> NK:
        """Return the probability (n, Y) of each class, in the order of ``classes_``."""
        check_is_fitted(self, "state_")
        return self.classifier_.predict_proba(X)

    def predict(self, X: Any) -> AnyArray:
        """Return the class (n,) of least expected cost; without costs of the classifier the most probable one."""
        check_is_fitted(self, "state_")
        return self.classifier_.predict(X)

    def churn_probability(self, X: Any, new_rate: float | str | None = None) -> N:
        """Return the probability (n,) that each customer leaves.

        Parameters
        ----------
        X : table of n customers
        new_rate : float, 'estimate' or None, default=None
            Churn rate of these customers, if it differs from that of the training customers and nothing else does. A
            number above 0 and below 1; 'estimate': the most likely rate, see `estimate_rate`. None: no correction.
        """
        probabilities = adjust_rate(self._fitted_state, self.predict_proba(X), new_rate)
        return self._fitted_state.churn_probabilities(probabilities)

    def estimate_rate(self, X: Any) -> PriorEstimate:
        """Return the most likely class frequencies of customers without outcomes, with standard errors.

        Classes are in the order of ``classes_``; the churn rate is the entry of ``positive_``. The estimate is right if
        only the frequencies of the classes have changed, and not the customers within a class (Saerens et al. 2002).
        """
        training_prior = self._fitted_state.training_prior
        return estimate_prior(self.predict_proba(X), training_prior, class_names=self.classes_.tolist())

    def segments(self) -> Segments:
        """Return the segments of the training customers: size, churn rate with 90% interval, profile, examples."""
        return self._fitted_state.segments

    def assign_segments(self, X: Any) -> SegmentAssignment:
        """Return the segment of each customer, with the probabilities of all segments."""
        state = self._fitted_state
        probabilities = np.exp(state.segment_model.log_probabilities(state.model.encode(X)))
        return SegmentAssignment(probabilities.argmax(axis=1) + 1, probabilities)

    def explain(self, X: Any, *, threshold: float | None = None) -> ChurnExplanation:
        """Return why customers are likely to leave or to stay, whom they resemble, and what could change it.

        A customer takes some hundredths of a second; for whole tables there is `explain_reasons`.

        Parameters
        ----------
        X : table of n customers
        threshold : float, optional
            Probability above 0 and below 1. Changes are sought after which the probability of the customer is below it.
            Default: the churn rate of the training customers.
        """
        state = self._fitted_state
        limit = state.segments.churn_rate if threshold is None else require_probability("threshold", threshold)
        fixed = require_columns(self.fixed_columns, state.model.schema.input_columns)
        limits = np.full(read_input_table(X).n_rows, limit)
        return ChurnExplanation(explain_customers(state, X, limits, fixed))

    def explain_reasons(self, X: Any) -> CustomerReasons:
        """Return the reasons of each customer, from fewer orders of the columns than `explain` draws."""
        return explain_reasons(self._fitted_state, X)

    def actions(
        self,
        X: Any = None,
        *,
        cost_contact: ArrayLike,
        value_saved: ArrayLike,
        success_rate: ArrayLike = 1.0,
        new_rate: float | str | None = None,
    ) -> ActionPlan:
        """Return whom to contact, and the profit to expect, with the errors that held-out customers show.

        Parameters
        ----------
        X : table of n customers, optional
            Default: the training customers that were held out, whose outcomes give the observed profit, too.
        cost_contact, value_saved : float or array-like of shape (n,)
            Cost of a contact, and value of a customer who stays because of it, in one currency.
        success_rate : float or array-like of shape (n,), default=1.0
            Fraction of leaving customers who stay after a contact.
        new_rate : float, 'estimate' or None, default=None
            See `churn_probability`.
        """
        terms = cost_contact, value_saved, success_rate
        if X is None:
            return plan_held_out_contacts(self._fitted_state, terms)
        return plan_contacts(self._fitted_state, self.predict_proba(X), new_rate, terms)

    def evaluate(
        self,
        X: Any = None,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        *,
        by: Any = None,
        threshold: float = 0.5,
    ) -> ChurnEvaluation:
        """Return how good the probabilities are, on customers that the classifier has not seen.

        Parameters
        ----------
        X, y : table of n customers, and whether they left, optional
            Default: the training customers that were held out in turn. They also stand in if X is the training table.
        sample_weight : array-like of shape (n,), optional
            Row weights. Default: 1.
        by : str or array-like of shape (n,), optional
            A column of X, or its values, whose groups are compared. Without X, one value per row of the training table.
        threshold : float, default=0.5
            Customers of a higher probability count as predicted to leave, in the comparison of groups.
        """
        if (X is None) != (y is None):
            raise ChurnDataError.no_outcomes()
        customers = (
            require_held_out(self._fitted_state)
            if X is None
            else observe_customers(self._fitted_state, self.classes_, X, y, sample_weight)
        )
        groups = None if by is None else read_groups(by, X, customers.n_table_rows)
        return evaluate_customers(customers, groups, threshold)

    def drift(self, X: Any, *, false_alarm_rate: float = FALSE_ALARM_RATE) -> ChurnDrift:
        """Return whether the customers of a new table differ from those of the fit, by column and in their score.

        Parameters
        ----------
        X : table of n customers
        false_alarm_rate : float, default=0.05
            Largest probability to find a difference in any column where there is none.
        """
        rate = require_probability("false_alarm_rate", false_alarm_rate)
        state = self._fitted_state
        return find_churn_drift(state.model.schema, state.training, X, self.churn_probability(X), rate)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fitted model to a safetensors file; FileError is raised if that fails.

        Of the training rows it contains the most typical customers of each segment, up to ten who stayed and ten who
        left, with all their cells. Of all of them it contains the distribution of each column, with up to 1000 of its
        values, and outcomes and probabilities of held-out customers.
        """
        parameters = {"positive": self.positive, "fixed_columns": sorted(map(str, self.fixed_columns))}
        state = self._fitted_state
        save_churn_model(path, StoredChurnModel(self.classifier_, state, parameters, self.target_name_))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Return a fitted model from a file that `save` wrote; ArchiveError is raised if it is none."""
        return load_churn_model(path, cls.from_stored)

    @classmethod
    def from_stored(cls, stored: StoredChurnModel) -> Self:
        """Return a fitted model from the content of a file."""
        model = cls(clone(stored.classifier), **stored.parameters)
        set_fitted_attributes(model, stored.classifier, stored.state, stored.target_name)
        return model

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: those of a classifier of tables with missing cells and text."""
        tags = super().__sklearn_tags__()
        tags.input_tags = MixtureClassifier().__sklearn_tags__().input_tags
        return tags
