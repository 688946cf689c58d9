"""Find anomalies: scores, p-values, thresholds that control error rates, and reasons."""

from gaussmix.lazy_names import export_lazily

__all__, __getattr__, __dir__ = export_lazily(
    __name__,
    {
        "gaussmix.anomaly.anomaly_groups": ["AnomalyGroups", "group_anomalies"],
        "gaussmix.anomaly.conformal": ["conformal_p_values", "select_by_fdr"],
        "gaussmix.anomaly.detector": ["AnomalyDetector"],
        "gaussmix.anomaly.drift": ["DriftMonitor"],
        "gaussmix.anomaly.explanation": ["Explanations", "explain_rows"],
        "gaussmix.anomaly.judgement": ["Judgement", "judge_rows"],
        "gaussmix.anomaly.smallest_change": ["SmallestChanges", "find_smallest_changes"],
        "gaussmix.anomaly.stream": ["StreamingAnomalyDetector"],
        "gaussmix.anomaly.table_drift": ["TableDrift", "find_table_drift"],
    },
)
