"""One module per benchmark command: its options, its measurement and its table."""

from benchmarks.commands import (
    anomaly,
    anomaly_drift,
    anomaly_explain,
    anomaly_rates,
    anomaly_stream,
    bayes,
    churn,
    churn_segments,
    default_fit,
    factors,
    first_use,
    kmeans,
    many_components,
    memory,
    model_selection,
    peers,
    recover,
    roofline,
    small_fit,
    solvers,
)

# In the order of a report. Each module has TITLE, EXPLANATION, add_arguments, run_benchmark and format_results.
# A module with merge_results shows the results of all its records in one section.
COMMANDS = {
    "peers": peers,
    "roofline": roofline,
    "many-components": many_components,
    "default-fit": default_fit,
    "memory": memory,
    "small-fit": small_fit,
    "model-selection": model_selection,
    "recover": recover,
    "first-use": first_use,
    "factors": factors,
    "solvers": solvers,
    "bayes": bayes,
    "kmeans": kmeans,
    "anomaly": anomaly,
    "anomaly-explain": anomaly_explain,
    "anomaly-drift": anomaly_drift,
    "anomaly-rates": anomaly_rates,
    "anomaly-stream": anomaly_stream,
    "churn": churn,
    "churn-segments": churn_segments,
}
