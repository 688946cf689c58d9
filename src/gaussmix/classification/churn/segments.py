"""``Segments``: groups of customers in numbers and words, with the churn rate of each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gaussmix.classification.churn.customer_rows import Cell
from gaussmix.classification.churn.reference_customers import ReferenceCustomers
from gaussmix.classification.churn.segment_fitting import SegmentFit
from gaussmix.classification.churn.segment_number import SegmentCandidate
from gaussmix.classification.churn.segment_profiles import SegmentProfile, profile_segments
from gaussmix.classification.churn.segment_rates import SegmentRate, estimate_segment_rates, mean_rate
from gaussmix.classification.churn.wording import format_count, format_per_hundred, format_percent
from gaussmix.classification.table.table_schema import InputCells
from gaussmix.errors.text import join_with_and
from gaussmix.types import NK, BoolN, IntN, N

LEVEL = 0.9  # confidence level of the intervals
_MIN_EXPLAINED = 0.02  # of the log-loss of the overall rate


@dataclass(frozen=True, repr=False)
class Segment:
    """A group of customers that a mixture finds without regard to who left.

    Attributes
    ----------
    number : int
        From 1; the segment of the highest churn rate is the first.
    n_customers : float
        Sum of the memberships of all customers, times their weights.
    fraction : float
        Of all customers.
    churn_rate : SegmentRate
        ``rate``, ``interval`` and ``effective_count``.
    profile : SegmentProfile
        All columns beside those of all customers, and the few that describe the segment.
    typical_rows : tuple of int
        Positions in the table of the fit of the most typical customers, from 0.
    typical_customers : tuple of dict
        Their cells.
    """

    number: int
    n_customers: float
    fraction: float
    churn_rate: SegmentRate
    profile: SegmentProfile
    typical_rows: tuple[int, ...]
    typical_customers: tuple[dict[str, Cell], ...]

    @property
    def sentence(self) -> str:
        """The segment in one sentence."""
        rate, interval = self.churn_rate.rate, self.churn_rate.interval
        left = f"{format_per_hundred(rate)} of 100 left"
        ends = f"({format_per_hundred(interval.low)} to {format_per_hundred(interval.high)})"
        size = f"{format_count(self.n_customers)} customers, {format_percent(self.fraction)}"
        return f"Segment {self.number} ({size}): {self.profile.description}; {left} {ends}."

    def __repr__(self) -> str:
        """Return the sentence."""
        return self.sentence


@dataclass(frozen=True, repr=False)
class Segments:
    """All segments, in the order of their churn rates; ``print`` shows one sentence each.

    Attributes
    ----------
    segments : tuple of Segment
    churn_rate : float
        Of all customers.
    level : float
        Confidence level of the intervals.
    candidates : tuple of SegmentCandidate
        The numbers of segments that were compared.
    notes : tuple of str
        How much the segments tell about churn.
    """

    segments: tuple[Segment, ...]
    churn_rate: float
    level: float
    candidates: tuple[SegmentCandidate, ...]
    notes: tuple[str, ...]

    @property
    def explained_fraction(self) -> float:
        """How much of the uncertainty about churn the segments explain, of unseen customers; NaN if not compared."""
        return _compute_explained_fraction(self.candidates, len(self.segments), self.churn_rate)

    @property
    def is_informative(self) -> bool:
        """Whether to know the segment of a customer says more than the churn rate of all."""
        return self.explained_fraction >= _MIN_EXPLAINED

    def __len__(self) -> int:
        """Return the number of segments K."""
        return len(self.segments)

    def __iter__(self) -> Iterator[Segment]:
        """Iterate over the segments."""
        return iter(self.segments)

    def __getitem__(self, position: int) -> Segment:
        """Return the segment at a position, from 0."""
        return self.segments[position]

    def table(self) -> list[dict[str, object]]:
        """Return one dict per segment: size, churn rate with the ends of its interval, and description."""
        return [
            {
                "segment": segment.number,
                "n_customers": segment.n_customers,
                "fraction": segment.fraction,
                "churn_rate": segment.churn_rate.rate,
                "churn_rate_low": segment.churn_rate.interval.low,
                "churn_rate_high": segment.churn_rate.interval.high,
                "description": segment.profile.description,
            }
            for segment in self.segments
        ]

    def profile_table(self) -> list[dict[str, object]]:
        """Return one dict per segment and column, the most informative columns first."""
        return [
            {"segment": segment.number} | profile.to_row() for segment in self for profile in segment.profile.columns
        ]

    def __repr__(self) -> str:
        """Return the sentences of the segments, and the notes."""
        return "\n".join([*(segment.sentence for segment in self.segments), *self.notes])


def describe_segments(
    fit: SegmentFit, cells: InputCells, has_left: BoolN, weights: N, references: ReferenceCustomers
) -> Segments:
    """Return the segments of a fit, from the rows that it was fitted to.

    Parameters
    ----------
    fit : SegmentFit
    cells : InputCells
        Of n rows.
    has_left : ndarray of bool of shape (n,)
    weights : ndarray of shape (n,)
    references : ReferenceCustomers
    """
    schema = fit.model.schema
    memberships = np.exp(fit.model.log_probabilities(schema.encode_cells(cells)))
    rates = estimate_segment_rates(memberships, has_left, weights, LEVEL)
    profiles = profile_segments(schema, cells, memberships, weights)
    sizes = weights @ memberships
    found = enumerate(zip(sizes.tolist(), rates, profiles, strict=True))
    segments = tuple(
        make_segment(position, size, size / float(weights.sum()), rate, profile, references)
        for position, (size, rate, profile) in found
    )
    churn_rate = mean_rate(has_left, weights)
    notes = _describe_usefulness(fit.candidates, len(segments), churn_rate)
    return Segments(segments, churn_rate, LEVEL, fit.candidates, notes)


def make_segment(
    position: int,
    n_customers: float,
    fraction: float,
    churn_rate: SegmentRate,
    profile: SegmentProfile,
    references: ReferenceCustomers,
) -> Segment:
    """Return the segment at a position, from 0, with its most typical customers among the references."""
    typical = references.most_typical(position)
    rows, cells = tuple(typical.positions.tolist()), tuple(typical.to_dicts())
    return Segment(position + 1, n_customers, fraction, churn_rate, profile, rows, cells)


def _describe_usefulness(
    candidates: tuple[SegmentCandidate, ...], n_segments: int, churn_rate: float
) -> tuple[str, ...]:
    """Return a sentence on how much of the uncertainty about churn the segments explain, if they were compared."""
    explained = _compute_explained_fraction(candidates, n_segments, churn_rate)
    if np.isnan(explained):
        return (
            "Numbers of segments were not compared: there are too few customers, or no column says anything of churn.",
        )
    if n_segments == 1:
        return ("The customers form no groups: one segment describes their columns as well as several would.",)
    if explained < _MIN_EXPLAINED:
        return (
            "The customers form no groups that differ much in churn: to know the segment of a customer says hardly "
            "more than the churn rate of all. Reasons of single customers say more.",
        )
    return (
        f"The segments explain {format_percent(explained)} of the uncertainty about who leaves. Ranges of churn rates "
        f"are {format_percent(LEVEL)} intervals.",
    )


def _compute_explained_fraction(candidates: tuple[SegmentCandidate, ...], n_segments: int, churn_rate: float) -> float:
    """Return the fraction of the entropy of churn by which segments lower the log-loss; NaN if none were compared."""
    losses = [candidate.log_loss for candidate in candidates if candidate.n_segments == n_segments]
    entropy = -float(churn_rate * np.log(churn_rate) + (1.0 - churn_rate) * np.log1p(-churn_rate))
    return 1.0 - losses[0] / entropy if losses and len(candidates) > 1 else float("nan")


@dataclass(frozen=True, eq=False, repr=False)
class SegmentAssignment:
    """The segments of rows.

    Attributes
    ----------
    numbers : ndarray of int64 of shape (n,)
        The number of the most probable segment of each row, from 1.
    probabilities : ndarray of shape (n, K)
        The probability of each segment.
    """

    numbers: IntN
    probabilities: NK

    def table(self) -> list[dict[str, object]]:
        """Return one dict per row: its segment, and the probability of it."""
        own = self.probabilities[np.arange(len(self.numbers)), self.numbers - 1]
        return [
            {"segment": number, "probability": probability}
            for number, probability in zip(self.numbers.tolist(), own.tolist(), strict=True)
        ]

    def __repr__(self) -> str:
        """Return how many rows each segment has."""
        counts = np.bincount(self.numbers - 1, minlength=self.probabilities.shape[1]).tolist()
        named = [f"{count:,} in segment {number}" for number, count in enumerate(counts, start=1)]
        return f"The most probable segments of {len(self.numbers):,} customers: {join_with_and(named)}."
