"""Find anomalies: scores, p-values, thresholds that control error rates, and reasons."""
