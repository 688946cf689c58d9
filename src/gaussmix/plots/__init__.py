"""Plots of mixtures, fits, searches, comparisons, anomalies, classifiers and tracks, drawn with matplotlib.

Every function draws on the ``ax`` or ``figure`` that the caller passes and returns it. Without one it creates a figure
outside pyplot. No function shows a window or changes a global setting. matplotlib is imported by the first call.
"""

from gaussmix.lazy_names import export_lazily

__all__, __getattr__, __dir__ = export_lazily(
    __name__,
    {
        "gaussmix.plots.anomaly_p_value_plot": ["anomaly_p_values"],
        "gaussmix.plots.anomaly_plot": ["anomalies"],
        "gaussmix.plots.convergence_plot": ["solver_convergence"],
        "gaussmix.plots.criterion_plot": ["criterion_curves"],
        "gaussmix.plots.density_plots": ["densities", "density"],
        "gaussmix.plots.gain_plot": ["gain_curve", "lift_curve"],
        "gaussmix.plots.intensity_plot": ["plot_intensity"],
        "gaussmix.plots.pairs_plot": ["pairs"],
        "gaussmix.plots.partition_plot": ["partitions"],
        "gaussmix.plots.profit_plot": ["profit_curve"],
        "gaussmix.plots.reliability_plot": ["reliability_diagram"],
        "gaussmix.plots.scatter_plots": ["assignment_comparison", "scatter"],
        "gaussmix.plots.target_number_plot": ["plot_existence", "plot_target_numbers"],
        "gaussmix.plots.trace_plot": ["log_likelihood_trace"],
        "gaussmix.plots.track_animation": ["write_track_animation"],
        "gaussmix.plots.track_plot": ["plot_tracks"],
    },
)
