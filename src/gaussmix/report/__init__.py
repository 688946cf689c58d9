"""Reports on a fitted mixture, on anomalies, on churn and on tracks: tables, sentences and HTML pages."""

from gaussmix.lazy_names import export_lazily

__all__, __getattr__, __dir__ = export_lazily(
    __name__,
    {
        "gaussmix.report.anomaly_page": ["render_anomaly_html", "write_anomaly_report"],
        "gaussmix.report.anomaly_summary": ["AnomalySummary", "summarize_anomalies"],
        "gaussmix.report.anomaly_tables": ["AnomalyGroupRow", "AnomalyRow", "anomaly_group_table", "anomaly_table"],
        "gaussmix.report.candidates": ["CandidateRow", "candidate_table"],
        "gaussmix.report.churn_page": ["render_churn_html", "write_churn_report"],
        "gaussmix.report.churn_scores": ["ScoredCustomers", "score_customers"],
        "gaussmix.report.churn_summary": ["ChurnSummary", "summarize_churn"],
        "gaussmix.report.churn_validation": ["ChurnValidation", "ContactTerms", "GroupColumn"],
        "gaussmix.report.component_contrasts": ["describe_components"],
        "gaussmix.report.html_page": ["render_html", "write_report"],
        "gaussmix.report.summary_text": ["describe_mixture"],
        "gaussmix.report.tables": [
            "ComponentRow",
            "FitQualitySummary",
            "FitSummary",
            "UncertainRow",
            "component_table",
            "summarize_fit",
            "summarize_fit_quality",
            "uncertain_rows",
        ],
        "gaussmix.report.track_page": ["render_track_html", "write_track_report"],
        "gaussmix.report.track_summary": ["ModelNumber", "SceneMoment", "TrackSummary", "summarize_tracks"],
        "gaussmix.report.track_tables": ["TrackRow", "track_table"],
    },
)
