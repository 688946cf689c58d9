"""Sentences on churn: who left, how the probabilities were tested, and what the answers do not say."""

from collections.abc import Sequence

import numpy as np
from scipy.special import chdtrc

from gaussmix.classification.churn.explanation import CustomerExplanation
from gaussmix.classification.churn.reasons import CustomerReasons
from gaussmix.classification.churn.segments import Segments
from gaussmix.classification.churn.wording import format_percent
from gaussmix.classification.evaluation.actions import ActionPlan
from gaussmix.classification.evaluation.gain import GainTable
from gaussmix.classification.evaluation.prior_shift import PriorEstimate
from gaussmix.classification.evaluation.reliability import ReliabilityTable
from gaussmix.errors.text import join_with_and, pluralize
from gaussmix.report.churn_validation import ChurnValidation
from gaussmix.types import BoolN, IntN

_FIRST_FRACTION, _FIRST_NAME = 0.2, "fifth"
_N_COLUMNS_NAMED = 3
_SIGNIFICANCE_LEVEL = 0.05
_ROUNDING = 1e-9

_SEGMENT_COUNTS = (
    "A customer counts in each segment by the probability of belonging to it. So these numbers and rates differ a "
    "little from those of the column segment, which names the most probable one, with its segment_probability."
)
_CHANGES = (
    "The change is the smallest one, of one or two columns, with which the model gives half the probability or less. "
    "The number after the colon is the probability that it gives to customers like this one with the new values, not "
    "the effect of a measure."
)
_FIXED = "Columns that nobody can change, such as age or months with the company, belong to --fixed of gaussmix churn."

MEASURES = (
    ("AUC", "The probability that a customer who left has a higher probability than one who stayed; 0.5 is guessing."),
    ("Brier score", "The mean squared distance of the probabilities from what happened; lower is better."),
    ("log-loss", "The mean surprise of what happened, in nats; lower is better."),
    ("ECE", "Expected calibration error: how far probabilities are from observed rates, on average; lower is better."),
)


def format_whole_percent(fraction: float) -> str:
    """Return a fraction as '26%', or with one decimal below a tenth: '2.6%'."""
    if 0.0 < fraction < 0.0005:
        return "<0.1%"
    return f"{100.0 * fraction:.0f}%" if fraction >= 0.1 or fraction == 0.0 else f"{100.0 * fraction:.1f}%"


def describe_outcomes(n_left: int, n_customers: int) -> str:
    """Return '1,869 of 7,043 customers left (26.5%).'."""
    rate = f"{100.0 * n_left / n_customers:.1f}%"
    return f"{n_left:,} of {n_customers:,} {pluralize('customer', n_customers)} left ({rate})."


def describe_first_segment(segments: Segments) -> list[str]:
    """Return the segment of the highest churn rate in a sentence; [] if segments say little about churn."""
    first = segments[0]
    if not segments.is_informative or not first.profile.named_columns:
        return []
    return [
        f"Of {len(segments)} segments, the one most likely to leave has {first.n_customers:,.0f} customers, of whom "
        f"{format_whole_percent(first.churn_rate.rate)} left: {first.profile.description}."
    ]


def describe_segment_counts(segments: Segments) -> list[str]:
    """Return why sizes and rates differ from those of the column ``segment``; [] for one segment, where none do."""
    return [_SEGMENT_COUNTS] if len(segments) > 1 else []


def name_factor(columns: Sequence[str]) -> str:
    """Return 'minutes', or 'minutes (with charge)' for columns that never tell different things."""
    return columns[0] if len(columns) == 1 else f"{columns[0]} (with {join_with_and(columns[1:])})"


def describe_important_columns(reasons: CustomerReasons | None) -> list[str]:
    """Return a sentence on the columns that matter most; [] without any."""
    names = [name_factor(row.columns) for row in ([] if reasons is None else reasons.factors())][:_N_COLUMNS_NAMED]
    return [f"What matters most for the customers who have not left: {join_with_and(names)}."] if names else []


def describe_validation(validation: ChurnValidation) -> list[str]:
    """Return sentences on a validation: the test, whom the first customers are, and whether probabilities are right.

    Sentences on other models, groups and contacts are those of their own results.
    """
    return [
        describe_test(validation),
        describe_ranking(validation.gain),
        describe_reliability(validation.reliability),
    ]


def describe_test(validation: ChurnValidation) -> str:
    """Return which customers tested the probabilities."""
    plan = validation.comparison.plan
    if plan.startswith("trained on"):
        return f"All figures on the quality of the probabilities come from a test in time: {plan}."
    return f"All figures on the quality of the probabilities come from models that had not seen the customer: {plan}."


def describe_ranking(gain: GainTable) -> str:
    """Return how many of those who left are among the first customers, and which fraction of these left."""
    reached = float(gain.gain_at(_FIRST_FRACTION))
    rate = reached * gain.rate / _FIRST_FRACTION
    return (
        f"The {_FIRST_NAME} of the customers with the highest probability contains {format_whole_percent(reached)} of "
        f"those who left; {format_whole_percent(rate)} of this {_FIRST_NAME} left, "
        f"{reached / _FIRST_FRACTION:.1f} times as many as of all customers."
    )


def describe_reliability(reliability: ReliabilityTable) -> str:
    """Return whether the probabilities came true, beside what chance alone explains."""
    error, by_chance = reliability.calibration_error, reliability.calibration_error_by_chance
    more = "more" if calibration_p_value(reliability) < _SIGNIFICANCE_LEVEL else "no more"
    return (
        f"Probabilities and observed rates differ by {100.0 * error:.1f} percentage points on average, {more} than "
        f"chance explains; right probabilities would differ by {100.0 * by_chance:.1f}."
    )


def calibration_p_value(reliability: ReliabilityTable) -> float:
    """Return the p-value of right probabilities: a chi-square test of the rates of the bins.

    Hosmer & Lemeshow, Communications in Statistics A 9 (1980); the customers are not those of the fit, so that each bin
    is a degree of freedom.
    """
    differences = np.array([one.rate - one.mean_probability for one in reliability.bins])
    deviations = np.array([one.chance_deviation for one in reliability.bins])
    is_random = deviations > 0.0
    if (np.abs(differences[~is_random]) > _ROUNDING).any():
        return 0.0  # what had the probability 0 or 1 came otherwise
    return float(chdtrc(is_random.sum(), ((differences[is_random] / deviations[is_random]) ** 2).sum()))


def describe_contacts(tested: ActionPlan | None, current: ActionPlan | None) -> list[str]:
    """Return whom to contact; [] without costs.

    Parameters
    ----------
    tested : ActionPlan or None
        Of customers whose outcomes are known; None if there are none.
    current : ActionPlan or None
        Of customers who may still leave.
    """
    if current is None or tested is None:
        return [] if current is None else [current.sentence]
    sentences = [f"Of the customers who have not left: {current.sentence[0].lower()}{current.sentence[1:]}"]
    if tested.observed_profit is not None and tested.observed_interval is not None:
        low, high = tested.observed_interval
        sentences.append(
            f"Test of the rule: it would have contacted {tested.n_contacted:,} of the {len(tested.is_contacted):,} "
            "customers whose outcome is known. "
            f"A profit of {_format_amount(tested.expected_profit)} was expected; by what these customers did, it would "
            f"have been {_format_amount(tested.observed_profit)} ({_format_amount(low)} to {_format_amount(high)})."
        )
    return sentences


def _format_amount(value: float) -> str:
    """Return an amount with four significant digits: '78,130'."""
    return f"{float(f'{value:.4g}'):,.10g}"


def describe_groups(validation: ChurnValidation) -> list[str]:
    """Return the sentences on the groups of a column, and where their threshold comes from; [] without groups."""
    groups, plan = validation.groups, validation.plan
    if groups is None:
        return []
    if plan is not None and plan.threshold == groups.threshold:
        return [*groups.sentences, f"Above {groups.threshold:.3g} a contact pays off."]
    return [*groups.sentences, f"As many customers have a probability above {groups.threshold:.3g} as have left."]


def describe_new_rate(new_rate: float, training_rate: float, estimate: PriorEstimate | None) -> str:
    """Return which churn rate probabilities are corrected for, with its standard error if it is estimated."""
    if estimate is None:
        return (
            f"The probabilities are corrected as if the churn rate of all customers had changed from "
            f"{format_percent(training_rate)} to {format_percent(new_rate)}. The mean of these customers is another "
            "number as far as their columns differ from those of the training customers."
        )
    error = float(estimate.standard_errors[1])
    found = (
        f"The customers themselves suggest a churn rate of {100.0 * new_rate:.1f}% (± {100.0 * error:.1f}); in "
        f"training it was {100.0 * training_rate:.1f}%. The probabilities are corrected for it."
    )
    return " ".join([found, *estimate.notes])


def describe_change(explanation: CustomerExplanation) -> str:
    """Return the smallest change that halves the probability: 'contract = Two year instead of Month-to-month: 18%'."""
    if not explanation.changes:
        return "no change of one or two columns halves it"
    return explanation.changes[0].description


def describe_changes(has_fixed_columns: bool) -> str:
    """Return what a smallest change is, and how to leave out columns that nobody can change."""
    return f"{_CHANGES} {'Fixed columns do not change.' if has_fixed_columns else _FIXED}"


def describe_untested(is_tested: BoolN | None, candidates: IntN) -> list[str]:
    """Return whose probabilities are those of a model that has seen the customer; [] if there are none.

    Parameters
    ----------
    is_tested : ndarray of bool of shape (n,) or None
    candidates : ndarray of int of shape (m,)
        Positions of the customers who have not left.
    """
    n_untested = 0 if is_tested is None else int(np.count_nonzero(~is_tested[candidates]))
    if not n_untested:
        return []
    return [
        f"{n_untested:,} of the {len(candidates):,} customers who have not left are not among those who were tested: "
        "their probabilities and reasons are those of the model itself. It has learned that they stayed, so that these "
        "probabilities may be too low."
    ]


def describe_fold_columns(columns: Sequence[str]) -> list[str]:
    """Return that models of the folds use columns that the model of all customers leaves out; [] without any."""
    if not columns:
        return []
    named = join_with_and([repr(name) for name in columns])
    return [
        "The model that gives a probability has not seen the customer and chooses its columns itself. So reasons may "
        f"name {named}, which the model of all customers leaves out."
    ]


def describe_method() -> list[str]:
    """Return sentences on what a churn model does, and on what its answers do not say."""
    return [
        "The model describes those who left and those who stayed by mixtures of numbers and categories, refines them "
        "to tell the two apart, and calibrates the probabilities on customers that it had not seen.",
        "A missing cell is left out of a probability, not filled in. Unknown categories count as missing, and unknown "
        "counts are read as the nearest one.",
        "Segments are groups of similar customers, found without looking at who left, so that their churn rates and "
        "the intervals hold for new customers of the same kind.",
        "Reasons say what moves the probability of a customer, compared with all customers. They describe what goes "
        "together in the data, not what would happen if something were changed.",
        "The probabilities hold for customers like these. If prices, contracts or customers change, compare new files "
        "with gaussmix churn-score, which tests for drift.",
        "A contact can also make a customer leave. Only a test with a control group shows what contacts achieve.",
    ]
