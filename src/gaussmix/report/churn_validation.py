"""``ChurnValidation``: how good the probabilities of a churn model are, on customers that it has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.classification.evaluation.actions import ActionPlan, plan_actions
from gaussmix.classification.evaluation.gain import GainTable, gain_table
from gaussmix.classification.evaluation.group_comparison import GroupComparison, compare_groups
from gaussmix.classification.evaluation.measures import ClassificationMeasures
from gaussmix.classification.evaluation.reliability import ReliabilityTable, reliability_table
from gaussmix.classification.validation.peer_comparison import PeerComparison
from gaussmix.types import AnyArray, ArrayLike, BoolN, N

_FRACTIONS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True, eq=False)
class ContactTerms:
    """Cost of a contact, value of a customer who stays because of one, and success rate; the value may differ, (n,)."""

    cost_contact: float
    value_saved: float | N
    success_rate: float

    def select_rows(self, rows: AnyArray) -> "ContactTerms":
        """Return the terms of some customers, by positions or a mask."""
        value = self.value_saved[rows] if isinstance(self.value_saved, np.ndarray) else self.value_saved
        return ContactTerms(self.cost_contact, value, self.success_rate)

    def plan(self, p: N, is_positive: BoolN | None = None, held_out: tuple[ArrayLike, ...] | None = None) -> ActionPlan:
        """Return whom to contact among customers with probabilities (n,) of leaving, and outcomes (n,) if known.

        ``held_out`` are customers that show the errors of the probabilities, as for `plan_actions`.
        """
        terms = self.cost_contact, self.value_saved, self.success_rate
        return plan_actions(p, *terms, y=is_positive, held_out=held_out)


@dataclass(frozen=True, eq=False)
class GroupColumn:
    """A named column (n,) whose groups are compared."""

    name: str
    values: AnyArray


@dataclass(frozen=True, eq=False, repr=False)
class ChurnValidation:
    """Measures, reliability and gain of out-of-fold probabilities, beside those of other models.

    Attributes
    ----------
    comparison : PeerComparison
    reliability : ReliabilityTable
    gain : GainTable
    groups : GroupComparison or None
        Groups of a column, if one is named.
    plan : ActionPlan or None
        Whom of the tested customers to contact, with the profit that their outcomes would have brought.
    """

    comparison: PeerComparison
    reliability: ReliabilityTable
    gain: GainTable
    groups: GroupComparison | None
    plan: ActionPlan | None

    def __repr__(self) -> str:
        """Return the comparison, and what groups and plan say."""
        found = [each for each in (self.groups, self.plan) if each is not None]
        return "\n".join(map(str, [self.comparison, *found]))

    @property
    def measures(self) -> ClassificationMeasures:
        """The measures of the churn model."""
        return next(iter(self.comparison.measures.values()))

    @property
    def probabilities(self) -> N:
        """Out-of-fold probabilities (m,) of the tested customers by the churn model."""
        return next(iter(self.comparison.probabilities.values()))


def make_churn_validation(
    comparison: PeerComparison, *, groups: GroupColumn | None = None, terms: ContactTerms | None = None
) -> ChurnValidation:
    """Return the evaluation of the out-of-fold probabilities of a comparison.

    Parameters
    ----------
    comparison : PeerComparison
        Of m tested customers among n.
    groups : GroupColumn, optional
        A column of the n customers whose groups are compared.
    terms : ContactTerms, optional
        What a contact costs and brings.
    """
    p, y = next(iter(comparison.probabilities.values())), comparison.is_positive
    plan = None if terms is None else terms.select_rows(comparison.rows).plan(p, y)
    return ChurnValidation(
        comparison,
        reliability_table(y, p),
        gain_table(y, p, fractions=_fractions_with_rows(len(y))),
        None if groups is None else _compare(y, p, groups, comparison, plan),
        plan,
    )


def _fractions_with_rows(n_rows: int) -> Sequence[float]:
    """Return the fractions of a gain table that contain a row or more."""
    return [fraction for fraction in _FRACTIONS if fraction * n_rows >= 1.0]


def _compare(
    y: BoolN, p: N, groups: GroupColumn, comparison: PeerComparison, plan: ActionPlan | None
) -> GroupComparison:
    """Return the comparison of groups, at the threshold of the plan, or else at that which selects as many as left."""
    threshold = None if plan is None else plan.threshold
    if threshold is None or threshold > 1.0:
        threshold = float(np.quantile(p, 1.0 - y.mean()))
    values, name = groups.values[comparison.rows], groups.name
    return compare_groups(y, p, values, threshold=threshold, name=name, positive_name="customers who left")
