"""Find anomalies: scores, p-values, thresholds that control error rates, and reasons."""

from gaussmix.anomaly.detector import AnomalyDetector

__all__ = ["AnomalyDetector"]
