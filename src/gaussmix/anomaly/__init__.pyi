from gaussmix.anomaly.anomaly_groups import AnomalyGroups, group_anomalies
from gaussmix.anomaly.conformal import conformal_p_values, select_by_fdr
from gaussmix.anomaly.detector import AnomalyDetector
from gaussmix.anomaly.drift import DriftMonitor
from gaussmix.anomaly.explanation import Explanations, explain_rows
from gaussmix.anomaly.judgement import Judgement, judge_rows
from gaussmix.anomaly.smallest_change import SmallestChanges, find_smallest_changes
from gaussmix.anomaly.stream import StreamingAnomalyDetector
from gaussmix.anomaly.table_drift import TableDrift, find_table_drift

__all__ = [
    "AnomalyDetector",
    "AnomalyGroups",
    "DriftMonitor",
    "Explanations",
    "Judgement",
    "SmallestChanges",
    "StreamingAnomalyDetector",
    "TableDrift",
    "conformal_p_values",
    "explain_rows",
    "find_smallest_changes",
    "find_table_drift",
    "group_anomalies",
    "judge_rows",
    "select_by_fdr",
]
