"""Classify rows by mixtures, and evaluate the probabilities of any classifier."""

from gaussmix.classification.evaluation.actions import ActionPlan, plan_actions
from gaussmix.classification.evaluation.gain import GainTable, gain_table
from gaussmix.classification.evaluation.group_comparison import GroupComparison, compare_groups
from gaussmix.classification.evaluation.measures import ClassificationMeasures, compare_measures, compute_measures
from gaussmix.classification.evaluation.prior_shift import PriorEstimate, adjust_probabilities, estimate_prior
from gaussmix.classification.evaluation.reliability import ReliabilityTable, reliability_table

__all__ = [
    "ActionPlan",
    "ClassificationMeasures",
    "GainTable",
    "GroupComparison",
    "PriorEstimate",
    "ReliabilityTable",
    "adjust_probabilities",
    "compare_groups",
    "compare_measures",
    "compute_measures",
    "estimate_prior",
    "gain_table",
    "plan_actions",
    "reliability_table",
]
