from gaussmix.classification.churn.churn_model import ChurnModel
from gaussmix.classification.classifier import MixtureClassifier
from gaussmix.classification.evaluation.actions import ActionPlan, plan_actions
from gaussmix.classification.evaluation.gain import GainTable, gain_table
from gaussmix.classification.evaluation.group_comparison import GroupComparison, compare_groups
from gaussmix.classification.evaluation.measures import ClassificationMeasures, compare_measures, compute_measures
from gaussmix.classification.evaluation.prior_shift import PriorEstimate, adjust_probabilities, estimate_prior
from gaussmix.classification.evaluation.reliability import ReliabilityTable, reliability_table
from gaussmix.classification.table import EncodedRows, TableSchema, fit_table_schema
from gaussmix.classification.validation.peer_comparison import PeerComparison, compare_with_peers

__all__ = [
    "ActionPlan",
    "ChurnModel",
    "ClassificationMeasures",
    "EncodedRows",
    "GainTable",
    "GroupComparison",
    "MixtureClassifier",
    "PeerComparison",
    "PriorEstimate",
    "ReliabilityTable",
    "TableSchema",
    "adjust_probabilities",
    "compare_groups",
    "compare_measures",
    "compare_with_peers",
    "compute_measures",
    "estimate_prior",
    "fit_table_schema",
    "gain_table",
    "plan_actions",
    "reliability_table",
]
