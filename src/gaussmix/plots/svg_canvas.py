"""A canvas that lays a figure out and draws it as SVG with one renderer, so that it measures each text once."""

import io
from typing import TYPE_CHECKING, Any, cast

from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OMITTED_METADATA = ("Date", "Creator", "Format", "Type")
_RASTER_DPI = 150  # resolution of the bitmaps within an SVG


class SingleRendererCanvas(FigureCanvasSVG):
    """The canvas of a figure that is drawn once; the figure has the resolution of SVG from now on."""

    def __init__(self, figure: "Figure") -> None:
        super().__init__(figure)
        figure.dpi = self.fixed_dpi
        width, height = figure.get_size_inches()
        self._output = io.StringIO()
        svg_renderer, mixed_renderer = cast(Any, RendererSVG), cast(Any, MixedModeRenderer)  # they have no types
        renderer = svg_renderer(
            width * self.fixed_dpi,
            height * self.fixed_dpi,
            self._output,
            image_dpi=_RASTER_DPI,
            metadata=dict.fromkeys(_OMITTED_METADATA),
        )
        self._renderer: Any = mixed_renderer(figure, width, height, _RASTER_DPI, renderer)

    def get_renderer(self) -> Any:
        """Return the renderer, with which layouts measure texts."""
        return self._renderer

    def draw_document(self) -> str:
        """Draw the figure; return the file that ``savefig`` writes after it has drawn the figure twice."""
        self.figure.draw(self._renderer)
        self._renderer.finalize()
        return self._output.getvalue()
