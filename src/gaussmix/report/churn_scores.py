"""``ScoredCustomers``: probability, segment and reasons of each customer of a table, and whom to contact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gaussmix.classification.churn.churn_actions import select_calibrating_customers
from gaussmix.classification.churn.churn_model import ChurnModel
from gaussmix.classification.churn.customer_models import CustomerModels
from gaussmix.classification.churn.explanation import CustomerExplanation
from gaussmix.classification.churn.rate_correction import correct_rate
from gaussmix.classification.churn.reasons import CustomerReasons
from gaussmix.classification.churn.segments import SegmentAssignment
from gaussmix.classification.churn.wording import format_percent
from gaussmix.classification.evaluation.actions import ActionPlan
from gaussmix.classification.validation.out_of_fold import FittedFold
from gaussmix.report.churn_text import describe_change
from gaussmix.report.churn_validation import ContactTerms
from gaussmix.report.identifiers import parse_identifiers
from gaussmix.types import AnyArray, ArrayLike, BoolN, IntN, N

MAX_WITH_REASONS = 20_000  # half a millisecond each
MAX_EXPLAINED = 200  # a search for changes takes up to a tenth of a second
_N_REASONS = 3
_N_PRINTED = 5
_HALF = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class ScoredCustomers:
    """The customers of a table; ``print`` shows the first of them.

    Attributes
    ----------
    probabilities : ndarray of shape (n,)
        Probability that each customer leaves.
    segments : SegmentAssignment
        Number of the most probable segment of each customer, from 1, and the probabilities of all segments.
    candidates : ndarray of int of shape (m,)
        Positions of the customers who may still leave, the highest probability first.
    is_tested : ndarray of bool of shape (n,) or None
        Whether the model of each probability has not seen the customer; None if that is so for all.
    reasons : CustomerReasons or None
        What raises and lowers the probability of the first of the candidates, at most 20,000; by the model that gives
        the probability.
    explanations : tuple of CustomerExplanation
        Of the first of the candidates, at most 200.
    plan : ActionPlan or None
        Whom of the candidates to contact, in their order.
    identifiers : dict of str to ndarray of shape (n,)
        Columns that identify customers.
    fold_columns : tuple of str
        Columns of reasons that only models of folds use.
    """

    probabilities: N
    segments: SegmentAssignment
    candidates: IntN
    is_tested: BoolN | None
    reasons: CustomerReasons | None
    explanations: tuple[CustomerExplanation, ...] = field(repr=False)
    plan: ActionPlan | None
    identifiers: dict[str, AnyArray] = field(repr=False)
    fold_columns: tuple[str, ...] = ()

    @cached_property
    def reasons_to_leave(self) -> list[str]:
        """The strongest reasons of the first candidates to leave, as one text each."""
        return [] if self.reasons is None else self.reasons.main_texts(_N_REASONS)

    @cached_property
    def reasons_to_stay(self) -> list[str]:
        """The strongest reasons of the first candidates to stay, as one text each."""
        return [] if self.reasons is None else self.reasons.main_texts(_N_REASONS, False)

    @property
    def change_texts(self) -> list[str]:
        """The smallest change that halves the probability of the first candidates, as one text each."""
        return [describe_change(explanation) for explanation in self.explanations]

    def to_table(self) -> dict[str, AnyArray]:
        """Return columns (n,) by name, one entry per customer, to be written beside the columns of the table.

        Texts of customers who are not explained are empty. With costs there are ``contact`` and ``expected_profit``,
        NaN for customers who have left.
        """
        table = {
            "churn_probability": self.probabilities,
            "segment": self.segments.numbers,
            "segment_probability": self.segments.probabilities.max(axis=1),
            "reasons_to_leave": self._spread(self.reasons_to_leave),
            "reasons_to_stay": self._spread(self.reasons_to_stay),
            "smallest_change": self._spread(self.change_texts),
        }
        if self.is_tested is not None:
            table["tested"] = self.is_tested
        if self.plan is None:
            return table
        contact, profit = np.zeros(len(self.probabilities), dtype=np.bool_), np.full(len(self.probabilities), np.nan)
        contact[self.candidates], profit[self.candidates] = self.plan.is_contacted, self.plan.expected_profits
        return table | {"contact": contact, "expected_profit": profit}

    def __repr__(self) -> str:
        """Return how many customers are expected to leave, whom to contact, and the customers most likely to leave."""
        n_rows, n_shown = len(self.probabilities), min(_N_PRINTED, len(self.candidates))
        head = (
            f"{n_rows:,} customers; {len(self.candidates):,} of them may still leave, and about "
            f"{self.probabilities[self.candidates].sum():,.0f} are expected to."
        )
        texts = self.reasons_to_leave
        listed = [
            f"Row {row}: {format_percent(float(self.probabilities[row]))}. {reasons or 'No reason stands out'}."
            for row, reasons in zip(self.candidates[:n_shown].tolist(), texts[:n_shown], strict=True)
        ]
        return "\n".join([head, *([] if self.plan is None else [self.plan.sentence]), *listed])

    def _spread(self, texts: list[str]) -> AnyArray:
        """Return the texts (k,) of the first candidates at their positions among all (n,); others are empty."""
        spread = np.full(len(self.probabilities), "", dtype=object)
        spread[self.candidates[: len(texts)]] = texts
        return spread


def score_customers(
    model: ChurnModel,
    X: Any,
    probabilities: N,
    *,
    folds: Sequence[FittedFold] = (),
    new_rate: float | None = None,
    candidates: IntN | None = None,
    terms: ContactTerms | None = None,
    identifiers: Mapping[str, ArrayLike] | None = None,
    max_explained: int = MAX_EXPLAINED,
) -> ScoredCustomers:
    """Return segments and reasons of the customers of a table, and whom to contact.

    Parameters
    ----------
    model : fitted ChurnModel
    X : data frame, dict of columns or array of shape (n, d)
    probabilities : ndarray of shape (n,)
        Probability that each customer leaves: by the classifiers of the folds, else by the model.
    folds : sequence of FittedFold, optional
        Classifiers that have not seen some of the customers, of a `PeerComparison`. They explain these customers.
    new_rate : float, optional
        Churn rate that the probabilities of the model are corrected for.
    candidates : ndarray of int, optional
        Positions of the customers who may still leave. Default: all.
    terms : ContactTerms, optional
        What a contact costs and brings.
    identifiers : mapping of str to array-like of shape (n,), optional
        Columns that identify customers.
    max_explained : int, default=200
        Number of candidates whose smallest change is sought, those of the highest probability.
    """
    columns = parse_identifiers(identifiers or {}, len(probabilities))
    rows = np.arange(len(probabilities)) if candidates is None else candidates
    rows = rows[np.argsort(-probabilities[rows], kind="stable")]
    first, explained = rows[:MAX_WITH_REASONS], rows[:max_explained]
    state = model.state_ if new_rate is None else correct_rate(model.state_, new_rate)
    plan = None
    if terms is not None and len(rows):
        held_out = select_calibrating_customers(model.state_, new_rate)
        plan = terms.select_rows(rows).plan(probabilities[rows], held_out=held_out)
    models = CustomerModels.from_folds(state, folds, len(probabilities))
    fixed = frozenset(map(str, model.fixed_columns))
    reasons = models.explain_reasons(X, first) if len(first) else None
    return ScoredCustomers(
        probabilities=probabilities,
        segments=model.assign_segments(X),
        candidates=rows,
        is_tested=None if not folds or models.numbers.all() else models.numbers > 0,
        reasons=reasons,
        explanations=models.explain(X, explained, _HALF * probabilities[explained], fixed),
        plan=plan,
        identifiers=columns,
        fold_columns=() if reasons is None else reasons.columns_outside(state.scorer),
    )
