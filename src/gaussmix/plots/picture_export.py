"""Pictures as text: SVG that depends on nothing but the picture, for pages that must carry all they show."""

import base64
import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gaussmix.plots.canvas import create_figure, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CSS_PIXELS_PER_INCH = 96  # CSS pixels in an inch
_RASTER_DPI = 200  # of the parts that are kept as pixels
_OMITTED_METADATA = ("Date", "Creator", "Format", "Type")
_COORDINATE_ATTRIBUTE = re.compile(r' (?:d|x|y)="[^"]*"')
_EXCESS_DECIMALS = re.compile(r"(\.\d\d)\d+")  # a hundredth of a point is finer than any screen


def matplotlib_version() -> str:
    """The name and version of what draws."""
    require_matplotlib()
    import matplotlib

    return f"matplotlib {matplotlib.__version__}"


@contextmanager
def use_default_style() -> Iterator[None]:
    """Within it figures look the same whatever style the caller's matplotlib is set to."""
    require_matplotlib()
    from matplotlib import style

    with style.context({"svg.fonttype": "none", "svg.hashsalt": "gaussmix"}, after_reset=True):
        yield


def figure_to_svg(figure: "Figure") -> str:
    """A figure as an SVG document with its words as text; equal figures give equal documents."""
    output = io.StringIO()
    with use_default_style(), warnings.catch_warnings():
        # The reader's browser has letters that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure.savefig(output, format="svg", dpi=_RASTER_DPI, metadata=dict.fromkeys(_OMITTED_METADATA))
    document = output.getvalue()
    return _COORDINATE_ATTRIBUTE.sub(
        lambda part: _EXCESS_DECIMALS.sub(r"\1", part.group()), document[document.index("<svg") :]
    )


def draw_png(make_figure: "Callable[[], Figure]", dpi: int = 150) -> bytes:
    """The figure that ``draw`` makes, as a PNG file."""
    output = io.BytesIO()
    with use_default_style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)  # a letter that the font lacks
        make_figure().savefig(output, format="png", dpi=dpi)
    return output.getvalue()


@dataclass(frozen=True)
class Picture:
    """An image of a page: what its ``src`` is to hold, what it shows in words, and its width in CSS pixels."""

    src: str
    alt_text: str
    width_px: int


def draw_axes_picture(
    draw_on_axes: "Callable[[Axes], object]", size_inches: tuple[float, float], alt_text: str
) -> Picture:
    """What ``draw`` draws on axes of their own, ``size`` in inches."""

    def make() -> "Figure":
        figure = create_figure(*size_inches)
        draw_on_axes(figure.add_subplot())
        return figure

    return draw_figure_picture(make, alt_text)


def draw_figure_picture(make_figure: "Callable[[], Figure]", alt_text: str) -> Picture:
    """The figure that ``make`` makes."""
    with use_default_style():
        figure = make_figure()
        return Picture(figure_to_data_uri(figure), alt_text, round(figure.get_figwidth() * _CSS_PIXELS_PER_INCH))


def figure_to_data_uri(figure: "Figure") -> str:
    """The SVG of a figure as an address that holds it whole, for the ``src`` of an image."""
    return "data:image/svg+xml;base64," + base64.b64encode(figure_to_svg(figure).encode("utf-8")).decode("ascii")
