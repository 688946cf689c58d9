"""Classify rows of tables by mixtures, evaluate the probabilities of any classifier, and predict who leaves."""

from gaussmix.lazy_names import export_lazily

__all__, __getattr__, __dir__ = export_lazily(
    __name__,
    {
        "gaussmix.classification.churn.churn_model": ["ChurnModel"],
        "gaussmix.classification.classifier": ["MixtureClassifier"],
        "gaussmix.classification.evaluation.actions": ["ActionPlan", "plan_actions"],
        "gaussmix.classification.evaluation.gain": ["GainTable", "gain_table"],
        "gaussmix.classification.evaluation.group_comparison": ["GroupComparison", "compare_groups"],
        "gaussmix.classification.evaluation.measures": [
            "ClassificationMeasures",
            "compare_measures",
            "compute_measures",
        ],
        "gaussmix.classification.evaluation.prior_shift": ["PriorEstimate", "adjust_probabilities", "estimate_prior"],
        "gaussmix.classification.evaluation.reliability": ["ReliabilityTable", "reliability_table"],
        "gaussmix.classification.table": ["EncodedRows", "TableSchema", "fit_table_schema"],
        "gaussmix.classification.validation.peer_comparison": ["PeerComparison", "compare_with_peers"],
    },
)
