from gaussmix.report.anomaly_page import render_anomaly_html, write_anomaly_report
from gaussmix.report.anomaly_summary import AnomalySummary, summarize_anomalies
from gaussmix.report.anomaly_tables import AnomalyGroupRow, AnomalyRow, anomaly_group_table, anomaly_table
from gaussmix.report.candidates import CandidateRow, candidate_table
from gaussmix.report.churn_page import render_churn_html, write_churn_report
from gaussmix.report.churn_scores import ScoredCustomers, score_customers
from gaussmix.report.churn_summary import ChurnSummary, summarize_churn
from gaussmix.report.churn_validation import ChurnValidation, ContactTerms, GroupColumn
from gaussmix.report.component_contrasts import describe_components
from gaussmix.report.html_page import render_html, write_report
from gaussmix.report.summary_text import describe_mixture
from gaussmix.report.tables import (
    ComponentRow,
    FitQualitySummary,
    FitSummary,
    UncertainRow,
    component_table,
    summarize_fit,
    summarize_fit_quality,
    uncertain_rows,
)
from gaussmix.report.track_page import render_track_html, write_track_report
from gaussmix.report.track_summary import ModelNumber, SceneMoment, TrackSummary, summarize_tracks
from gaussmix.report.track_tables import TrackRow, track_table

__all__ = [
    "AnomalyGroupRow",
    "AnomalyRow",
    "AnomalySummary",
    "CandidateRow",
    "ChurnSummary",
    "ChurnValidation",
    "ComponentRow",
    "ContactTerms",
    "FitQualitySummary",
    "FitSummary",
    "GroupColumn",
    "ModelNumber",
    "SceneMoment",
    "ScoredCustomers",
    "TrackRow",
    "TrackSummary",
    "UncertainRow",
    "anomaly_group_table",
    "anomaly_table",
    "candidate_table",
    "component_table",
    "describe_components",
    "describe_mixture",
    "render_anomaly_html",
    "render_churn_html",
    "render_html",
    "render_track_html",
    "score_customers",
    "summarize_anomalies",
    "summarize_churn",
    "summarize_fit",
    "summarize_fit_quality",
    "summarize_tracks",
    "track_table",
    "uncertain_rows",
    "write_anomaly_report",
    "write_churn_report",
    "write_report",
    "write_track_report",
]
