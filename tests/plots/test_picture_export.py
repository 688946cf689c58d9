"""Pictures of pages: what savefig writes, and axes that fill their figure."""

import base64
import io
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaussmix import plots
from gaussmix.plots import picture_export
from gaussmix.plots.picture_export import Picture, draw_axes_picture, draw_figure_picture, use_default_style
from tests.plots.conftest import make_mixture

SIZE_INCHES = (4.0, 2.7)


def _decode(picture: Picture) -> str:
    return base64.b64decode(picture.src.removeprefix("data:image/svg+xml;base64,")).decode("utf-8")


def _save_svg(figure: Figure) -> str:
    """Return what savefig writes, with coordinates of two decimals."""
    output = io.StringIO()
    with use_default_style():
        figure.savefig(output, format="svg", dpi=200, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = output.getvalue()
    return re.sub(r' (?:d|x|y)="[^"]*"', lambda m: re.sub(r"(\.\d\d)\d+", r"\1", m.group()), svg[svg.index("<svg") :])


@pytest.mark.parametrize("n_rows", [40, 300])  # the second one holds bitmaps of rows
def test_a_picture_of_a_figure_is_what_savefig_writes(n_rows: int) -> None:
    mixture = make_mixture(3, 3)
    rows = mixture.sample(n_rows, 0)[0]
    svg = _decode(draw_figure_picture(lambda: plots.pairs(mixture, rows), "pairs"))
    assert svg == _save_svg(plots.pairs(mixture, rows))
    assert ("<image" in svg) == (n_rows == 300)


def _draw_and_keep_figure(draw: Any, monkeypatch: pytest.MonkeyPatch) -> Figure:
    """Return the figure of a picture of axes, as it was drawn."""
    figures: list[Figure] = []
    create = picture_export.create_figure

    def create_and_keep(*size: float) -> Figure:
        figures.append(create(*size))
        return figures[0]

    monkeypatch.setattr(picture_export, "create_figure", create_and_keep)
    ElementTree.fromstring(_decode(draw_axes_picture(draw, SIZE_INCHES, "axes")))
    return figures[0]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 7.0, 12345.0, 3e7])
@pytest.mark.parametrize("seed", range(3))
def test_axes_fill_their_figure_and_no_text_is_cut(scale: float, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = scale * np.random.default_rng(seed).normal(size=(2, 20))

    def draw(ax: Axes) -> None:
        ax.plot(x, y)
        ax.set(xlabel="a name", ylabel="two\nlines", title="title")

    figure = _draw_and_keep_figure(draw, monkeypatch)
    figure.dpi = 72
    box, (ax,) = figure.bbox, figure.axes
    extent = ax.get_tightbbox()
    assert extent is not None
    margins = np.array([extent.x0, extent.y0, box.width - extent.x1, box.height - extent.y1])
    assert margins.min() > 0.0
    assert margins.max() < 15.0, "points; the padding has 3, and the last tick may stand beside the axes' end"


def test_axes_of_equal_units_keep_the_constrained_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(ax: Axes) -> None:
        ax.plot([0.0, 1.0], [0.0, 1.0])
        ax.set_aspect("equal", adjustable="box")

    figure = _draw_and_keep_figure(draw, monkeypatch)
    assert type(figure.get_layout_engine()).__name__ == "ConstrainedLayoutEngine"
