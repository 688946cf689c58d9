"""``ChurnSummary``: everything that a report on churn shows, from a fitted model and the customers of its fit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gaussmix.classification.churn.churn_model import ChurnModel
from gaussmix.classification.churn.segments import Segments
from gaussmix.classification.evaluation.outcomes import parse_binary
from gaussmix.classification.validation.peer_comparison import PeerComparison
from gaussmix.report.churn_scores import ScoredCustomers, score_customers
from gaussmix.report.churn_text import (
    describe_contacts,
    describe_first_segment,
    describe_important_columns,
    describe_outcomes,
    describe_validation,
)
from gaussmix.report.churn_validation import ChurnValidation, ContactTerms, GroupColumn, make_churn_validation
from gaussmix.types import ArrayLike, BoolN, N


@dataclass(frozen=True, eq=False, repr=False)
class ChurnSummary:
    """A churn model, how good it is, and the customers of its fit. ``print`` shows the main sentences.

    Attributes
    ----------
    model : ChurnModel
    is_positive : ndarray of bool of shape (n,)
        Who left.
    validation : ChurnValidation
    segments : Segments
    scores : ScoredCustomers
        Probabilities are those of the folds of the comparison, which have not seen the customer. Customers whom no fold
        held out get the probability of the model itself. Those who have not left are explained, by the same models.
    """

    model: ChurnModel
    is_positive: BoolN
    validation: ChurnValidation
    segments: Segments = field(repr=False)
    scores: ScoredCustomers = field(repr=False)

    @property
    def sentences(self) -> list[str]:
        """Who left, who is most likely to, whom to contact, and how good the model is."""
        return [
            describe_outcomes(int(self.is_positive.sum()), len(self.is_positive)),
            *describe_first_segment(self.segments),
            *describe_important_columns(self.scores.reasons),
            *describe_contacts(self.validation.plan, self.scores.plan)[:1],
            *describe_validation(self.validation),
        ]

    def __repr__(self) -> str:
        """Return the sentences, and the segments."""
        return "\n".join([*self.sentences, str(self.segments)])


def summarize_churn(
    model: ChurnModel,
    X: Any,
    y: ArrayLike,
    comparison: PeerComparison,
    *,
    groups: GroupColumn | None = None,
    terms: ContactTerms | None = None,
    identifiers: Mapping[str, ArrayLike] | None = None,
) -> ChurnSummary:
    """Return what a report on churn shows.

    Parameters
    ----------
    model : fitted ChurnModel
    X : data frame, dict of columns or array of shape (n, d)
        The customers of the fit.
    y : array-like of shape (n,)
        True or 1 for those who left, False or 0 for others.
    comparison : PeerComparison
        What `compare_with_peers` returns for these customers with ``keep_classifiers=True``. Without the classifiers
        of the folds all probabilities are those of the model itself.
    groups : GroupColumn, optional
        A column whose groups are compared.
    terms : ContactTerms, optional
        What a contact costs and brings.
    identifiers : mapping of str to array-like of shape (n,), optional
        Columns that identify customers.

    Raises
    ------
    DataError, ParameterError
        If an argument is invalid.
    """
    is_positive = parse_binary(y)
    return ChurnSummary(
        model,
        is_positive,
        make_churn_validation(comparison, groups=groups, terms=terms),
        model.segments(),
        score_customers(
            model,
            X,
            _find_probabilities(model, X, comparison),
            folds=comparison.folds,
            candidates=np.flatnonzero(~is_positive),
            terms=terms,
            identifiers=identifiers,
        ),
    )


def _find_probabilities(model: ChurnModel, X: Any, comparison: PeerComparison) -> N:
    """Return the probabilities (n,) of the classifiers of the folds, and of the model for customers without a fold."""
    probabilities = model.churn_probability(X)
    if comparison.folds:
        probabilities[comparison.rows] = next(iter(comparison.probabilities.values()))
    return probabilities
