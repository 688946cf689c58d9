"""Choose the number of segments: groups that are apart in the columns, or that differ in churn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.classification.churn.segment_search import SegmentMixture
from gaussmix.types import NK, IntN, N

_MIN_PROBABILITY = 1e-12
_N_STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class SegmentCandidate:
    """A number of segments, how well they describe the columns, and how well they predict churn.

    Attributes
    ----------
    n_segments : int
    bic, icl : float
        Of the columns, without the outcomes; lower is better. ICL adds twice the entropy of the memberships to BIC.
    log_loss : float
        Mean negative log probability of what each customer did, in nats, by the churn rates of the others.
    standard_error : float
        Of the difference from the smallest log-loss in the range from the best ICL to the best BIC, with paired
        customers.
    """

    n_segments: int
    bic: float
    icl: float
    log_loss: float
    standard_error: float


def compare_numbers(
    mixtures: Sequence[SegmentMixture], memberships: Sequence[NK], labels: IntN, weights: N, copies: N
) -> tuple[SegmentCandidate, ...]:
    """Return one candidate for each mixture, and array of memberships (n, K) by it.

    Parameters
    ----------
    mixtures : sequence of SegmentMixture
        Of 1, 2, ... components; they have not seen the labels.
    memberships : sequence of ndarray of shape (n, K)
    labels : ndarray of int64 of shape (n,)
        1 if the customers left, else 0.
    weights, copies : ndarray of shape (n,)
        Total weight of equal customers, and their number.
    """
    losses = [leave_one_out_losses(each, labels, weights, copies) for each in memberships]
    means = [float(np.average(loss, weights=weights)) for loss in losses]
    best = losses[min(_possible_positions(mixtures), key=means.__getitem__)]
    errors = [_standard_error(loss - best, weights, copies) for loss in losses]
    return tuple(
        SegmentCandidate(each.mixture.n_components, each.bic, each.icl, mean, error)
        for each, mean, error in zip(mixtures, means, errors, strict=True)
    )


def choose_number(candidates: Sequence[SegmentCandidate]) -> int:
    """Return the number of groups of customers that are apart, or that differ in churn.

    The best BIC counts the components that the columns show, the best ICL those that hardly overlap. Within this range
    the smallest number is chosen whose log-loss is within two standard errors of the best: components that overlap are
    one segment, unless they differ in churn.

    Parameters
    ----------
    candidates : sequence of SegmentCandidate
        Of 1, 2, ... segments.
    """
    possible = [candidates[position] for position in _possible_positions(candidates)]
    best = min(each.log_loss for each in possible)
    enough = (each for each in possible if each.log_loss <= best + _N_STANDARD_ERRORS * each.standard_error)
    return next(enough).n_segments


def _possible_positions(criteria: Sequence[SegmentMixture] | Sequence[SegmentCandidate]) -> range:
    """Return the positions from the best ICL to the best BIC."""
    by_icl = min(range(len(criteria)), key=lambda position: criteria[position].icl)
    by_bic = min(range(len(criteria)), key=lambda position: criteria[position].bic)
    return range(by_icl, max(by_icl, by_bic) + 1)


def smooth_rates(memberships: NK, labels: IntN, weights: N) -> N:
    """Return the churn rate (K,) of each segment, with one more customer at the rate of all."""
    overall = float(weights @ labels / weights.sum())
    return np.asarray(((weights * labels) @ memberships + overall) / (weights @ memberships + 1.0))


def leave_one_out_losses(memberships: NK, labels: IntN, weights: N, copies: N) -> N:
    """Return the negative log probability (n,) of what each customer did, by the rates of all others.

    Memberships (n, K) do not depend on the labels, so only the rates have to leave a customer out. Copies of a customer
    are left out one by one.
    """
    left, total = (weights * labels) @ memberships, weights @ memberships
    own = memberships * (weights / copies)[:, None]
    overall = float(weights @ labels / weights.sum())
    rates = (left - own * labels[:, None] + overall) / (total - own + 1.0)
    p = np.clip((memberships * rates).sum(axis=1), _MIN_PROBABILITY, 1.0 - _MIN_PROBABILITY)
    return np.asarray(-np.log(np.where(labels == 1, p, 1.0 - p)))


def _standard_error(values: N, weights: N, copies: N) -> float:
    """Return the standard error of the weighted mean of values (n,) of independent customers."""
    deviations = values - np.average(values, weights=weights)
    variance = float(((weights * deviations) ** 2 / copies).sum())
    return float(np.sqrt(variance) / weights.sum())
