"""Export figures as SVG, PNG and data URIs that depend only on the figure."""

import base64
import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gaussmix.plots.canvas import create_figure, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CSS_PIXELS_PER_INCH = 96
_RASTER_DPI = 200  # resolution of the bitmaps within an SVG
_PADDING_PER_FONT_SIZE = 0.3  # around labels: 3 points, as in a constrained layout
_OMITTED_METADATA = ("Date", "Creator", "Format", "Type")
_COORDINATE_ATTRIBUTE = re.compile(r' (?:d|x|y)="[^"]*"')
_EXCESS_DECIMALS = re.compile(r"(\.\d\d)\d+")  # decimals beyond a hundredth of a point


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


def _convert_to_svg(figure: "Figure") -> str:
    """Convert a figure to an SVG document that keeps text as text; equal figures give equal documents."""
    document = _print_svg(figure)
    svg = document[document.index("<svg") :]
    return _COORDINATE_ATTRIBUTE.sub(lambda match: _EXCESS_DECIMALS.sub(r"\1", match.group()), svg)


def _print_svg(figure: "Figure") -> str:
    """Return the SVG file of a figure, as ``savefig`` writes it; the figure has another canvas and resolution then.

    ``savefig`` draws twice, first to lay out the figure. The canvas lays it out when it draws.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    output, canvas = io.StringIO(), cast(Any, FigureCanvasSVG(figure))  # print_svg has no types
    figure.dpi = _RASTER_DPI
    canvas.print_svg(output, metadata=dict.fromkeys(_OMITTED_METADATA))
    return output.getvalue()


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
        ax = figure.add_subplot()
        draw_on_axes(ax)
        _fit_axes_into_figure(ax)
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
    for _ in range(2):
        ticks = [axis.get_majorticklocs() for axis in (ax.xaxis, ax.yaxis)]
        figure.tight_layout(pad=_PADDING_PER_FONT_SIZE)
        if all(map(np.array_equal, ticks, [axis.get_majorticklocs() for axis in (ax.xaxis, ax.yaxis)])):
            break


def draw_figure_picture(make_figure: "Callable[[], Figure]", alt_text: str) -> Picture:
    """Return a Picture, an SVG as a data URI, of ``make_figure()`` drawn in matplotlib's default style."""
    with use_default_style(), warnings.catch_warnings():
        # Browsers have glyphs that matplotlib's font lacks.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure = make_figure()
        encoded = base64.b64encode(_convert_to_svg(figure).encode("utf-8")).decode("ascii")
    width_px = round(figure.get_figwidth() * _CSS_PIXELS_PER_INCH)
    return Picture(f"data:image/svg+xml;base64,{encoded}", alt_text, width_px)
