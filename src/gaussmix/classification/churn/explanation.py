"""``ChurnExplanation``: why customers are likely to leave or to stay, whom they resemble, and what could change it."""

from collections.abc import Iterator
from dataclasses import dataclass

from gaussmix.classification.churn.nearest_customers import NearestCustomer
from gaussmix.classification.churn.reasons import MIN_NAMED_LOG_ODDS, ChurnReason
from gaussmix.classification.churn.smallest_changes import CustomerChange
from gaussmix.classification.churn.wording import format_condition, format_per_hundred, format_percent, shorten_list
from gaussmix.errors.text import pluralize

_MAX_REASONS, _MAX_DIFFERENCES = 4, 4  # in a sentence
_MAX_CUSTOMERS = 5  # that are printed


@dataclass(frozen=True)
class ColumnContribution:
    """What one column adds to the log-odds.

    Attributes
    ----------
    column : str
    log_odds : float
    standard_error : float
        Of the drawn orders of the columns; 0 if all orders were used.
    """

    column: str
    log_odds: float
    standard_error: float


@dataclass(frozen=True, repr=False)
class CustomerExplanation:
    """The explanation of one customer; ``print`` shows it in sentences.

    Attributes
    ----------
    row : int
        Position in the table that was explained, from 0.
    probability : float
        Of leaving.
    base_log_odds, log_odds : float
        Log-odds without any cell, and of the customer.
    contributions : tuple of ColumnContribution
        In the order of the table; they add up to ``log_odds - base_log_odds``.
    reasons : tuple of ChurnReason
        The same, with columns of the same information as one, strongest first.
    segment : int
        Number of the most probable segment.
    segment_probability, segment_rate : float
        Probability of this segment, and its churn rate.
    nearest_retained, nearest_churned : NearestCustomer or None
        The most similar typical customers of the fit who stayed and who left.
    threshold : float
        Changes bring the probability below it.
    training_rate : float
        Churn rate of the training customers.
    changes : tuple of CustomerChange
        The smallest changes that the classifier answers with a probability below the threshold. They are what the
        model says of such customers, not the effect of a measure.
    """

    row: int
    probability: float
    base_log_odds: float
    log_odds: float
    contributions: tuple[ColumnContribution, ...]
    reasons: tuple[ChurnReason, ...]
    segment: int
    segment_probability: float
    segment_rate: float
    nearest_retained: NearestCustomer | None
    nearest_churned: NearestCustomer | None
    threshold: float
    training_rate: float
    changes: tuple[CustomerChange, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The explanation in sentences."""
        nearest = [
            _describe_nearest(customer, outcome)
            for customer, outcome in ((self.nearest_retained, "stayed"), (self.nearest_churned, "left"))
            if customer is not None
        ]
        return (self._describe_probability(), *self.reason_sentences, *nearest, self.change_sentence)

    def __repr__(self) -> str:
        """Return the sentences, one per line."""
        return "\n".join(self.sentences)

    def _describe_probability(self) -> str:
        """Return the sentence on probability and segment."""
        return (
            f"Row {self.row}: leaves with a probability of {format_percent(self.probability)}. It is in segment "
            f"{self.segment} ({format_percent(self.segment_probability)} sure), of which "
            f"{format_per_hundred(self.segment_rate)} of 100 left."
        )

    @property
    def reason_sentences(self) -> tuple[str, ...]:
        """A sentence on reasons to leave, and one on reasons to stay, if there are such."""
        sentences = []
        for verb, sign in (("Raised", 1.0), ("Lowered", -1.0)):
            named = [each.description for each in self.reasons if sign * each.log_odds >= MIN_NAMED_LOG_ODDS]
            if named:
                sentences.append(f"{verb} by {shorten_list(named, _MAX_REASONS)}.")
        return tuple(sentences) or ("No column says much about this customer.",)

    @property
    def change_sentence(self) -> str:
        """The sentence on the smallest changes."""
        meaning = " (the churn rate of the fit)" if self.threshold == self.training_rate else ""
        limit = f"{format_percent(self.threshold)}{meaning}"
        if self.probability < self.threshold:
            return f"The probability is below {limit}."
        if not self.changes:
            return f"With no change of one or two columns the model gives a probability below {limit}."
        ways = "; or with ".join(change.description for change in self.changes)
        return f"The model gives a probability below {limit} to customers like this one with {ways}."


def _describe_nearest(customer: NearestCustomer, outcome: str) -> str:
    """Return the sentence on a similar customer."""
    named = [format_condition(name, value) for name, value in customer.differences.items()]
    different = f"differs by {shorten_list(named, _MAX_DIFFERENCES)}" if named else "hardly differs"
    return f"The most similar typical customer who {outcome} (row {customer.row} of the fit) {different}."


@dataclass(frozen=True, repr=False)
class ChurnExplanation:
    """The explanations of several customers.

    Attributes
    ----------
    customers : tuple of CustomerExplanation
    """

    customers: tuple[CustomerExplanation, ...]

    def __len__(self) -> int:
        """Return the number of customers n."""
        return len(self.customers)

    def __iter__(self) -> Iterator[CustomerExplanation]:
        """Iterate over the customers."""
        return iter(self.customers)

    def __getitem__(self, position: int) -> CustomerExplanation:
        """Return the explanation of the row at a position, from 0."""
        return self.customers[position]

    def table(self) -> list[dict[str, object]]:
        """Return one dict per customer and column, with its contribution to the log-odds."""
        return [
            {
                "row": customer.row,
                "column": each.column,
                "log_odds": each.log_odds,
                "standard_error": each.standard_error,
            }
            for customer in self
            for each in customer.contributions
        ]

    def __repr__(self) -> str:
        """Return the sentences of the first five customers, with a blank line between them."""
        n_more = len(self.customers) - _MAX_CUSTOMERS
        more = [f"{n_more:,} more {pluralize('customer', n_more)}: iterate over the explanation."] if n_more > 0 else []
        return "\n\n".join([*map(str, self.customers[:_MAX_CUSTOMERS]), *more])
