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
    """Return one entry per component with its number and weight, and one for the noise component if there is one.

    Only the first 40 components are named, or the first 6 if the legend lies inside the axes (``is_inside``). A last
    entry counts the others.
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


def ellipse_coverage_entry() -> "Artist":
    """Return the entry that says which percentage of a component each of its two ellipses contains."""
    from matplotlib.lines import Line2D

    label = "ellipses hold " + " and ".join(format_percent(coverage) for coverage in ELLIPSE_COVERAGES)
    return Line2D([], [], color=GREY, linewidth=1.1, label=label)


def density_entries(with_histogram: bool = True) -> "list[Artist]":
    """Return the legend entries of the histogram, if ``with_histogram``, and of the mixture density."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    density = Line2D([], [], color=INK, linewidth=1.2, label="mixture")
    return [Patch(color=PALE, label="rows"), density] if with_histogram else [density]


def uncertain_ring_entry(sample: PlotSample, uncertainty_threshold: float) -> "Artist":
    """Return the entry of the rings, which counts all rows above the threshold, drawn or not."""
    from matplotlib.lines import Line2D

    count = int((sample.all_uncertainties > uncertainty_threshold).sum())
    counts = f"{canvas.format_number(count, 0)} of {canvas.format_count(sample.n_all_rows, 'row')}"
    label = f"uncertain (> {format_percent(uncertainty_threshold)}):\n{counts}"
    return Line2D([], [], linestyle="none", marker="o", markerfacecolor="none", markeredgecolor=INK, label=label)


def subset_note_entries(sample: PlotSample) -> "list[Artist]":
    """Return a list of one entry that says how many rows are drawn; an empty list if all are."""
    return [text_entry(sample.subset_note)] if sample.subset_note else []


def column_note_entries(mixture: Mixture, n_drawn_columns: int) -> "list[Artist]":
    """Return a list of one entry that says how many columns are drawn; an empty list if all are."""
    if n_drawn_columns == mixture.n_independent_features:
        return []
    return [text_entry(f"{n_drawn_columns} of {mixture.n_features} columns: those that\nseparate components best")]


def text_entry(text: str) -> "Artist":
    """Return a legend entry of text without a line or marker."""
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="none", label=text)
