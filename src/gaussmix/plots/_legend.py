"""What colours, markers, lines and rings stand for."""

from typing import TYPE_CHECKING, Any

from gaussmix.model import Mixture
from gaussmix.plots import canvas
from gaussmix.plots._panel_2d import ELLIPSE_COVERAGES
from gaussmix.plots.plot_data import PlotSample
from gaussmix.plots.style import GREY, INK, NOISE_STYLE, PALE, distinct_styles, format_percent

if TYPE_CHECKING:
    from matplotlib.artist import Artist

_MAX_COMPONENTS, _MAX_COMPONENTS_INSIDE = 40, 6


def component_entries(mixture: Mixture, with_markers: bool = True, is_inside: bool = False) -> "list[Artist]":
    """One entry per component, its number and its share; fewer where the legend stands ``inside`` the axes."""
    from matplotlib.lines import Line2D

    entries: list[Artist] = []
    most = _MAX_COMPONENTS_INSIDE if is_inside else _MAX_COMPONENTS
    for k, style in enumerate(distinct_styles(mixture.n_components)[:most]):
        look: dict[str, Any] = {"color": style.line_colour, "linestyle": style.line_style, "markeredgecolor": "none"}
        marker = style.marker if with_markers else None
        label = f"component {k}, {format_percent(float(mixture.weights[k]))}"
        entries.append(Line2D([], [], marker=marker, markerfacecolor=style.fill_colour, label=label, **look))
    more = mixture.n_components - len(entries)
    entries += [text_entry(f"and {more} more {'component' if more == 1 else 'components'}")] if more > 0 else []
    if mixture.noise is not None:
        look = {
            "color": NOISE_STYLE.line_colour,
            "linestyle": NOISE_STYLE.line_style,
            "marker": NOISE_STYLE.marker if with_markers else None,
        }
        entries.append(Line2D([], [], label=f"noise, {format_percent(mixture.noise.weight)}", **look))
    return entries


def ellipse_entry() -> "Artist":
    """What the ellipses hold."""
    from matplotlib.lines import Line2D

    label = "ellipses hold " + " and ".join(format_percent(share) for share in ELLIPSE_COVERAGES)
    return Line2D([], [], color=GREY, linewidth=1.1, label=label)


def density_entries(with_histogram: bool = True) -> "list[Artist]":
    """The histogram, where there is one, and the line of the whole mixture."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    total = Line2D([], [], color=INK, linewidth=1.2, label="mixture")
    return [Patch(color=PALE, label="rows"), total] if with_histogram else [total]


def ring_entry(sample: PlotSample, threshold: float) -> "Artist":
    """The rings, with how many of all rows are as uncertain."""
    from matplotlib.lines import Line2D

    count = int((sample.all_uncertainties > threshold).sum())
    counts = f"{canvas.format_number(count, 0)} of {canvas.format_count(sample.n_all_rows, 'row')}"
    label = f"uncertain (> {format_percent(threshold)}):\n{counts}"
    return Line2D([], [], linestyle="none", marker="o", markerfacecolor="none", markeredgecolor=INK, label=label)


def subset_note_entries(sample: PlotSample) -> "list[Artist]":
    """Says so where not all rows are drawn."""
    return [text_entry(sample.subset_note)] if sample.subset_note else []


def column_note_entries(mixture: Mixture, n_columns: int) -> "list[Artist]":
    """Says so where only the most telling columns are drawn."""
    if n_columns == mixture.n_features:
        return []
    return [text_entry(f"{n_columns} of {mixture.n_features} columns: those that\ntell components apart best")]


def text_entry(text: str) -> "Artist":
    """A line of text among the entries."""
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="none", label=text)
