"""What colours, markers, lines and rings stand for."""

from typing import TYPE_CHECKING, Any

from gaussmix.model import Mixture
from gaussmix.plots import canvas
from gaussmix.plots._plane import SHARES
from gaussmix.plots.columns import Cloud
from gaussmix.plots.style import GREY, INK, NOISE, PALE, percent, styles

if TYPE_CHECKING:
    from matplotlib.artist import Artist

_MOST_COMPONENTS, _MOST_INSIDE = 40, 6


def component_entries(mixture: Mixture, markers: bool = True, inside: bool = False) -> "list[Artist]":
    """One entry per component, its number and its share; fewer where the legend stands ``inside`` the axes."""
    from matplotlib.lines import Line2D

    entries: list[Artist] = []
    most = _MOST_INSIDE if inside else _MOST_COMPONENTS
    for k, style in enumerate(styles(mixture.n_components)[:most]):
        look: dict[str, Any] = {"color": style.line, "linestyle": style.dash, "markeredgecolor": "none"}
        marker = style.marker if markers else None
        label = f"component {k}, {percent(float(mixture.weights[k]))}"
        entries.append(Line2D([], [], marker=marker, markerfacecolor=style.fill, label=label, **look))
    more = mixture.n_components - len(entries)
    entries += [remark(f"and {more} more {'component' if more == 1 else 'components'}")] if more > 0 else []
    if mixture.noise is not None:
        look = {"color": NOISE.line, "linestyle": NOISE.dash, "marker": NOISE.marker if markers else None}
        entries.append(Line2D([], [], label=f"noise, {percent(mixture.noise.weight)}", **look))
    return entries


def ellipse_entry() -> "Artist":
    """What the ellipses hold."""
    from matplotlib.lines import Line2D

    label = "ellipses hold " + " and ".join(percent(share) for share in SHARES)
    return Line2D([], [], color=GREY, linewidth=1.1, label=label)


def density_entries(histogram: bool = True) -> "list[Artist]":
    """The histogram, where there is one, and the line of the whole mixture."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    total = Line2D([], [], color=INK, linewidth=1.2, label="mixture")
    return [Patch(color=PALE, label="rows"), total] if histogram else [total]


def ring_entry(cloud: Cloud, threshold: float) -> "Artist":
    """The rings, with how many of all rows are as uncertain."""
    from matplotlib.lines import Line2D

    count = int((cloud.doubts > threshold).sum())
    label = f"uncertain (> {percent(threshold)}):\n{canvas.number(count, 0)} of {canvas.counted(cloud.n_rows, 'row')}"
    return Line2D([], [], linestyle="none", marker="o", markerfacecolor="none", markeredgecolor=INK, label=label)


def note_entries(cloud: Cloud) -> "list[Artist]":
    """Says so where not all rows are drawn."""
    return [remark(cloud.note)] if cloud.note else []


def picked_entries(mixture: Mixture, count: int) -> "list[Artist]":
    """Says so where only the most telling columns are drawn."""
    if count == mixture.n_features:
        return []
    return [remark(f"{count} of {mixture.n_features} columns: those that\ntell components apart best")]


def remark(text: str) -> "Artist":
    """A line of text among the entries."""
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="none", label=text)
