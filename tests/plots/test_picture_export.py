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
from PIL import Image

from gaussmix import plots
from gaussmix.plots import picture_export
from gaussmix.plots.picture_export import Picture, draw_axes_picture, draw_figure_picture, use_default_style
from gaussmix.plots.svg_canvas import SingleRendererCanvas
from gaussmix.plots.svg_compression import compress_svg
from tests.plots.conftest import make_mixture

SIZE_INCHES = (4.0, 2.7)


def _decode(picture: Picture) -> str:
    return base64.b64decode(picture.src.removeprefix("data:image/svg+xml;base64,")).decode("utf-8")


def _save_svg(figure: Figure) -> str:
    """Return what savefig writes, compressed."""
    output = io.StringIO()
    with use_default_style():
        figure.savefig(output, format="svg", dpi=150, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = output.getvalue()
    return compress_svg(svg[svg.index("<svg") :])


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


@pytest.mark.parametrize("scale", [1e-3, 1.0, 12345.0])
def test_labels_of_axes_stand_at_matplotlibs_distance_from_the_ticks(
    scale: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(ax: Axes) -> None:
        ax.plot([0.0, scale], [-scale, scale])
        ax.set(xlabel="a name", ylabel="two\nlines")

    figure = _draw_and_keep_figure(draw, monkeypatch)
    (ax,) = figure.axes
    places = [axis.label.get_window_extent().get_points() for axis in (ax.xaxis, ax.yaxis)]
    reference = Figure(SIZE_INCHES, dpi=72)  # the same axes without fixed labels
    other_ax = reference.add_axes(ax.get_position())
    draw(other_ax)
    SingleRendererCanvas(reference).draw_document()
    for axis, place in zip((other_ax.xaxis, other_ax.yaxis), places, strict=True):
        np.testing.assert_allclose(place, axis.label.get_window_extent().get_points(), atol=1.0)  # of a point


def test_a_legend_beside_the_only_axes_is_inside_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(ax: Axes) -> None:
        ax.plot([0.0, 1.0], [0.0, 1.0], label="a rather long name of a line")
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)

    figure = _draw_and_keep_figure(draw, monkeypatch)
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert 0.0 < legend.get_window_extent().x0 < legend.get_window_extent().x1 < figure.bbox.width


def test_axes_of_equal_units_keep_the_constrained_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(ax: Axes) -> None:
        ax.plot([0.0, 1.0], [0.0, 1.0])
        ax.set_aspect("equal", adjustable="box")

    figure = _draw_and_keep_figure(draw, monkeypatch)
    assert type(figure.get_layout_engine()).__name__ == "ConstrainedLayoutEngine"


def test_pictures_of_many_points_have_bitmaps_with_a_palette() -> None:
    rng = np.random.default_rng(0)
    points = rng.random((3000, 2))
    picture = draw_axes_picture(
        lambda ax: ax.scatter(*points.T, c=rng.random((3000, 3)), rasterized=True), (4.0, 3.0), "points"
    )
    (encoded,) = re.findall('data:image/png;base64,([^"]*)', _decode(picture))
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as bitmap:
        assert bitmap.mode == "P"
        assert bitmap.width > 300


def test_compression_keeps_every_coordinate() -> None:
    figure = plots.scatter(make_mixture(3, 2), make_mixture(3, 2).sample(60, 0)[0]).figure
    output = io.StringIO()
    figure.savefig(output, format="svg")
    whole = output.getvalue()[output.getvalue().index("<svg") :]
    small = compress_svg(whole)
    assert len(small) < 0.8 * len(whole)

    def read_numbers(svg: str) -> list[list[str]]:
        attributes = [e.attrib.get("d", "") for e in ElementTree.fromstring(svg).iter()]
        return [[number[1] for number in re.finditer(r"(-?\d+(?:\.\d{1,2})?)\d*", text)] for text in attributes if text]

    assert read_numbers(small) == read_numbers(whole)
    assert whole.count("<use") == small.count("<use")
