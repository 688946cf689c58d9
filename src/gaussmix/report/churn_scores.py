"""``ScoredCustomers``: probability, segment and reasons of each customer of a table, and whom to contact."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gaussmix.classification.churn.churn_model import ChurnModel
from gaussmix.classification.churn.explanation import CustomerExplanation
from gaussmix.classification.churn.reasons import CustomerReasons
from gaussmix.classification.churn.wording import format_percent
from gaussmix.classification.evaluation.actions import ActionPlan
from gaussmix.classification.validation.labelled_table import select_table_rows
from gaussmix.errors import ParameterError
from gaussmix.report.churn_text import describe_change
from gaussmix.report.churn_validation import ContactTerms
from gaussmix.types import AnyArray, ArrayLike, IntN, N

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
    segments : ndarray of int of shape (n,)
        Number of the most probable segment of each customer, from 1.
    candidates : ndarray of int of shape (m,)
        Positions of the customers who may still leave, the highest probability first.
    reasons : CustomerReasons or None
        What raises and lowers the probability of the first of the candidates, at most 20,000.
    explanations : tuple of CustomerExplanation
        Of the first of the candidates, at most 200.
    plan : ActionPlan or None
        Whom of the candidates to contact, in their order.
    identifiers : dict of str to ndarray of shape (n,)
        Columns that identify customers.
    """

    probabilities: N
    segments: IntN
    candidates: IntN
    reasons: CustomerReasons | None
    explanations: tuple[CustomerExplanation, ...] = field(repr=False)
    plan: ActionPlan | None
    identifiers: dict[str, AnyArray] = field(repr=False)

    def reason_texts(self, is_raising: bool = True) -> list[str]:
        """Return the strongest reasons of the first candidates to leave, or to stay, as one text each."""
        return [] if self.reasons is None else self.reasons.main_texts(_N_REASONS, is_raising)

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
            "segment": self.segments,
            "reasons_to_leave": self._spread(self.reason_texts()),
            "reasons_to_stay": self._spread(self.reason_texts(is_raising=False)),
            "smallest_change": self._spread(self.change_texts),
        }
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
        texts = self.reason_texts()
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
        Probability that each customer leaves.
    candidates : ndarray of int, optional
        Positions of the customers who may still leave. Default: all.
    terms : ContactTerms, optional
        What a contact costs and brings.
    identifiers : mapping of str to array-like of shape (n,), optional
        Columns that identify customers.
    max_explained : int, default=200
        Number of candidates whose smallest change is sought, those of the highest probability.
    """
    columns = _parse_identifiers(identifiers or {}, len(probabilities))
    rows = np.arange(len(probabilities)) if candidates is None else candidates
    rows = rows[np.argsort(-probabilities[rows], kind="stable")]
    first, explained = rows[:MAX_WITH_REASONS], rows[:max_explained]
    return ScoredCustomers(
        probabilities=probabilities,
        segments=model.assign_segments(X).numbers,
        candidates=rows,
        reasons=model.explain_reasons(select_table_rows(X, first)) if len(first) else None,
        explanations=_explain(model, X, explained),
        plan=None if terms is None or not len(rows) else terms.select_rows(rows).plan(probabilities[rows]),
        identifiers=columns,
    )


def _explain(model: ChurnModel, X: Any, rows: IntN) -> tuple[CustomerExplanation, ...]:
    """Return explanations of customers, whose changes at least halve the probability of leaving."""
    if not len(rows):
        return ()
    table = select_table_rows(X, rows)
    limits = _HALF * model.churn_probability(table)
    return tuple(
        model.explain(select_table_rows(table, np.array([position])), threshold=limit)[0]
        for position, limit in enumerate(limits.tolist())
    )


def _parse_identifiers(identifiers: Mapping[str, ArrayLike], n_rows: int) -> dict[str, AnyArray]:
    """Return the columns of identifiers; raise ParameterError unless each has one value per row."""
    columns = {str(name): np.asarray(values) for name, values in identifiers.items()}
    for name, values in columns.items():
        if values.shape != (n_rows,):
            raise ParameterError.wrong_shape(f"identifiers[{name!r}]", values.shape, (n_rows,))
    return columns
