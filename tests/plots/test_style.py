"""Styles remain distinct with colour blindness, and colours blend by responsibility."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gaussmix.plots.style import (
    MARKER_GLYPHS,
    MARKERS,
    NOISE_STYLE,
    blend_colours,
    distinct_colours,
    distinct_styles,
    format_percent,
)

# Machado, Oliveira & Fernandes (IEEE TVCG 15, 2009), severity 1.0, for linear RGB.
COLOUR_BLINDNESS_MATRICES = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
}


@pytest.mark.parametrize("matrix", COLOUR_BLINDNESS_MATRICES.values(), ids=COLOUR_BLINDNESS_MATRICES)
def test_first_eight_colours_differ_for_colour_blind_readers(matrix: list[list[float]]) -> None:
    linear = np.where(
        distinct_colours(8) <= 0.04045, distinct_colours(8) / 12.92, ((distinct_colours(8) + 0.055) / 1.055) ** 2.4
    )
    simulated = np.clip(linear @ np.array(matrix).T, 0, 1)
    distances = np.linalg.norm(simulated[:, None] - simulated[None], axis=2) + 10 * np.eye(8)
    assert distances.min() > 0.1


@pytest.mark.parametrize("n_styles", [1, 8, 9, 14, 20, 28])
def test_styles_are_distinct(n_styles: int) -> None:
    styles = distinct_styles(n_styles)
    assert len({style.fill_colour for style in styles}) == n_styles
    assert len({(style.marker, style.line_style) for style in styles}) == n_styles


def test_fewer_styles_are_the_first_ones() -> None:
    assert distinct_styles(3) == distinct_styles(8)[:3]


def test_lines_are_visible_on_white() -> None:
    for style in distinct_styles(20):
        luminance = np.array(style.line_colour) @ [0.2126, 0.7152, 0.0722]
        assert luminance <= 0.56


def test_every_marker_has_a_glyph() -> None:
    assert set(MARKER_GLYPHS) == {*MARKERS, NOISE_STYLE.marker}
    assert all(len(glyph) == 1 for glyph in MARKER_GLYPHS.values())


@given(arrays(float, (5, 4), elements=st.floats(1e-3, 1.0)))
def test_blend_is_the_mean_of_the_colours(positive_values: np.ndarray) -> None:
    responsibilities = positive_values / positive_values.sum(axis=1)[:, None]
    assert np.allclose(blend_colours(responsibilities), responsibilities @ distinct_colours(4))
    assert np.allclose(blend_colours(np.eye(4)), distinct_colours(4))


@pytest.mark.parametrize(
    ("fraction", "text"), [(0.0, "0%"), (0.0001, "<0.1%"), (0.043, "4.3%"), (0.36, "36%"), (1.0, "100%")]
)
def test_percent(fraction: float, text: str) -> None:
    assert format_percent(fraction) == text
