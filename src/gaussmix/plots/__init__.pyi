from gaussmix.plots.anomaly_p_value_plot import anomaly_p_values
from gaussmix.plots.anomaly_plot import anomalies
from gaussmix.plots.convergence_plot import solver_convergence
from gaussmix.plots.criterion_plot import criterion_curves
from gaussmix.plots.density_plots import densities, density
from gaussmix.plots.gain_plot import gain_curve, lift_curve
from gaussmix.plots.intensity_plot import plot_intensity
from gaussmix.plots.pairs_plot import pairs
from gaussmix.plots.partition_plot import partitions
from gaussmix.plots.profit_plot import profit_curve
from gaussmix.plots.reliability_plot import reliability_diagram
from gaussmix.plots.scatter_plots import assignment_comparison, scatter
from gaussmix.plots.target_number_plot import plot_existence, plot_target_numbers
from gaussmix.plots.trace_plot import log_likelihood_trace
from gaussmix.plots.track_animation import write_track_animation
from gaussmix.plots.track_plot import plot_tracks

__all__ = [
    "anomalies",
    "anomaly_p_values",
    "assignment_comparison",
    "criterion_curves",
    "densities",
    "density",
    "gain_curve",
    "lift_curve",
    "log_likelihood_trace",
    "pairs",
    "partitions",
    "plot_existence",
    "plot_intensity",
    "plot_target_numbers",
    "plot_tracks",
    "profit_curve",
    "reliability_diagram",
    "scatter",
    "solver_convergence",
    "write_track_animation",
]
