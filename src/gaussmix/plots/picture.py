"""Pictures as text: SVG that depends on nothing but the picture, for pages that must carry all they show."""

import base64
import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gaussmix.plots.canvas import new_figure, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PIXELS = 96  # CSS pixels in an inch
_DPI = 200  # of the parts that are kept as pixels
_UNWANTED = ("Date", "Creator", "Format", "Type")
_DRAWN = re.compile(r' (?:d|x|y)="[^"]*"')
_LONG = re.compile(r"(\.\d\d)\d+")  # a hundredth of a point is finer than any screen


def drawn_by() -> str:
    """The name and version of what draws."""
    require_matplotlib()
    import matplotlib

    return f"matplotlib {matplotlib.__version__}"


@contextmanager
def plain_style() -> Iterator[None]:
    """Within it figures look the same whatever style the caller's matplotlib is set to."""
    require_matplotlib()
    from matplotlib import style

    with style.context({"svg.fonttype": "none", "svg.hashsalt": "gaussmix"}, after_reset=True):
        yield


def svg(figure: "Figure") -> str:
    """A figure as an SVG document with its words as text; equal figures give equal documents."""
    output = io.StringIO()
    with plain_style(), warnings.catch_warnings():
        # The reader's browser has letters that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure.savefig(output, format="svg", dpi=_DPI, metadata=dict.fromkeys(_UNWANTED))
    document = output.getvalue()
    return _DRAWN.sub(lambda part: _LONG.sub(r"\1", part.group()), document[document.index("<svg") :])


def png(draw: "Callable[[], Figure]", dpi: int = 150) -> bytes:
    """The figure that ``draw`` makes, as a PNG file."""
    output = io.BytesIO()
    with plain_style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)  # a letter that the font lacks
        draw().savefig(output, format="png", dpi=dpi)
    return output.getvalue()


@dataclass(frozen=True)
class Picture:
    """An image of a page: what its ``src`` is to hold, what it shows in words, and its width in CSS pixels."""

    src: str
    alt: str
    width: int


def of_axes(draw: "Callable[[Axes], object]", size: tuple[float, float], alt: str) -> Picture:
    """What ``draw`` draws on axes of their own, ``size`` in inches."""

    def make() -> "Figure":
        figure = new_figure(*size)
        draw(figure.add_subplot())
        return figure

    return of_figure(make, alt)


def of_figure(make: "Callable[[], Figure]", alt: str) -> Picture:
    """The figure that ``make`` makes."""
    with plain_style():
        figure = make()
        return Picture(data_uri(figure), alt, round(figure.get_figwidth() * _PIXELS))


def data_uri(figure: "Figure") -> str:
    """The SVG of a figure as an address that holds it whole, for the ``src`` of an image."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg(figure).encode("utf-8")).decode("ascii")
