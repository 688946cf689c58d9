"""Export figures as SVG, PNG and data URIs that depend only on the figure."""

import base64
import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from gaussmix.plots.canvas import create_figure, require_matplotlib
from gaussmix.plots.svg_compression import compress_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import BboxBase

_CSS_PIXELS_PER_INCH = 96
_PADDING_PER_FONT_SIZE = 0.3  # around labels: 3 points, as in a constrained layout


def matplotlib_name_version() -> str:
    """Return text such as 'matplotlib 3.10.0'; raise MissingPackageError if it is not installed."""
    require_matplotlib()
    import matplotlib

    return f"matplotlib {matplotlib.__version__}"


@contextmanager
def use_default_style() -> Iterator[None]:
    """Replace the caller's matplotlib style by the default style within a ``with`` block, and restore it afterwards."""
    require_matplotlib()
    from matplotlib import style

    with style.context({"svg.fonttype": "none", "svg.hashsalt": "gaussmix"}, after_reset=True):
        yield


def _draw_svg(figure: "Figure") -> str:
    """Return a figure as an SVG document that keeps text as text; equal figures give equal documents."""
    from gaussmix.plots.svg_canvas import SingleRendererCanvas

    canvas = SingleRendererCanvas(figure)
    if len(figure.axes) == 1:
        _fit_axes_into_figure(figure.axes[0])
    document = canvas.draw_document()
    return compress_svg(document[document.index("<svg") :])


def draw_png(make_figure: "Callable[[], Figure]", dpi: int = 150) -> bytes:
    """Return the content of a PNG file of the figure that ``make_figure`` draws, in matplotlib's default style."""
    output = io.BytesIO()
    with use_default_style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)  # missing glyphs
        make_figure().savefig(output, format="png", dpi=dpi)
    return output.getvalue()


@dataclass(frozen=True)
class Picture:
    """An image of an HTML page: its data URI ``src``, a description and its width in CSS pixels."""

    src: str
    alt_text: str
    width_px: int


def draw_axes_picture(
    draw_on_axes: "Callable[[Axes], object]", size_inches: tuple[float, float], alt_text: str
) -> Picture:
    """Return a Picture, an SVG as a data URI, of what ``draw_on_axes`` draws on the axes of a new figure."""

    def make_figure() -> "Figure":
        figure = create_figure(*size_inches)
        draw_on_axes(figure.add_subplot())
        return figure

    return draw_figure_picture(make_figure, alt_text)


def _fit_axes_into_figure(ax: "Axes") -> None:
    """Make the only axes of a figure as large as their labels allow, in place.

    The constrained layout of other figures measures all texts twice, because axes of another size may have other ticks.
    Axes of equal units keep it, because their size depends on their limits, too.
    """
    if ax.get_aspect() != "auto":
        return
    figure = cast("Figure", ax.figure)
    figure.set_layout_engine("none")
    for side in ("left", "bottom"):
        ax.spines[side].set_in_layout(False)  # the tick labels are beyond it, and measuring it updates all ticks
    for _ in range(2):
        ticks = [axis.get_majorticklocs() for axis in (ax.xaxis, ax.yaxis)]
        measured = ax.bbox.frozen()
        figure.tight_layout(pad=_PADDING_PER_FONT_SIZE)
        if all(map(np.array_equal, ticks, [axis.get_majorticklocs() for axis in (ax.xaxis, ax.yaxis)])):
            _fix_label_positions(ax, measured)
            break


def _fix_label_positions(ax: "Axes", measured: "BboxBase") -> None:
    """Keep the labels below and to the left of the axes as far from them as the layout has measured, in place.

    Otherwise, drawing measures all tick labels again to find the places of the labels.
    """
    sides: tuple[str, str] = ax.xaxis.get_label_position(), ax.yaxis.get_label_position()
    if sides[0] == "bottom":
        x, y = ax.xaxis.label.get_position()
        ax.xaxis.set_label_coords(x, (y - measured.y0) / ax.bbox.height)
    if sides[1] == "left":
        x, y = ax.yaxis.label.get_position()
        ax.yaxis.set_label_coords((x - measured.x0) / ax.bbox.width, y)


def draw_figure_picture(make_figure: "Callable[[], Figure]", alt_text: str) -> Picture:
    """Return a Picture, an SVG as a data URI, of ``make_figure()`` drawn in matplotlib's default style."""
    with use_default_style(), warnings.catch_warnings():
        # Browsers have glyphs that matplotlib's font lacks.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure = make_figure()
        encoded = base64.b64encode(_draw_svg(figure).encode("utf-8")).decode("ascii")
    width_px = round(figure.get_figwidth() * _CSS_PIXELS_PER_INCH)
    return Picture(f"data:image/svg+xml;base64,{encoded}", alt_text, width_px)
