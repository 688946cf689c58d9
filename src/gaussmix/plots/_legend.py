"""Legend entries that several plots share."""

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
    """Return one entry per component with its number and weight.

    A legend with ``is_inside`` lies inside the axes and names fewer components.
    """
    from matplotlib.lines import Line2D

    entries: list[Artist] = []
    max_entries = _MAX_COMPONENTS_INSIDE if is_inside else _MAX_COMPONENTS
    for k, style in enumerate(distinct_styles(mixture.n_components)[:max_entries]):
        line: dict[str, Any] = {"color": style.line_colour, "linestyle": style.line_style, "markeredgecolor": "none"}
        marker = style.marker if with_markers else None
        label = f"component {k}, {format_percent(float(mixture.weights[k]))}"
        entries.append(Line2D([], [], marker=marker, markerfacecolor=style.fill_colour, label=label, **line))
    n_more = mixture.n_components - len(entries)
    if n_more > 0:
        entries.append(text_entry(f"and {n_more} more {'component' if n_more == 1 else 'components'}"))
    if mixture.noise is not None:
        line = {
            "color": NOISE_STYLE.line_colour,
            "linestyle": NOISE_STYLE.line_style,
            "marker": NOISE_STYLE.marker if with_markers else None,
        }
        entries.append(Line2D([], [], label=f"noise, {format_percent(mixture.noise.weight)}", **line))
    return entries


def ellipse_entry() -> "Artist":
    """Return the entry on the coverage of the ellipses."""
    from matplotlib.lines import Line2D

    label = "ellipses hold " + " and ".join(format_percent(coverage) for coverage in ELLIPSE_COVERAGES)
    return Line2D([], [], color=GREY, linewidth=1.1, label=label)


def density_entries(with_histogram: bool = True) -> "list[Artist]":
    """Return the entries of the histogram, if drawn, and of the mixture density."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    density = Line2D([], [], color=INK, linewidth=1.2, label="mixture")
    return [Patch(color=PALE, label="rows"), density] if with_histogram else [density]


def ring_entry(sample: PlotSample, threshold: float) -> "Artist":
    """Return the entry of the rings with the number of uncertain rows among all rows."""
    from matplotlib.lines import Line2D

    count = int((sample.all_uncertainties > threshold).sum())
    counts = f"{canvas.format_number(count, 0)} of {canvas.format_count(sample.n_all_rows, 'row')}"
    label = f"uncertain (> {format_percent(threshold)}):\n{counts}"
    return Line2D([], [], linestyle="none", marker="o", markerfacecolor="none", markeredgecolor=INK, label=label)


def subset_note_entries(sample: PlotSample) -> "list[Artist]":
    """Return an entry that says how many rows are drawn, if not all are."""
    return [text_entry(sample.subset_note)] if sample.subset_note else []


def column_note_entries(mixture: Mixture, n_columns: int) -> "list[Artist]":
    """Return an entry that says how many columns are drawn, if not all are."""
    if n_columns == mixture.n_features:
        return []
    return [text_entry(f"{n_columns} of {mixture.n_features} columns: those that\nseparate components best")]


def text_entry(text: str) -> "Artist":
    """Return an entry of text without a marker."""
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="none", label=text)
