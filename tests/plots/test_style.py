"""Styles remain distinct with colour blindness, and colours blend by responsibility."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gaussmix.plots.style import (
    MARKER_GLYPHS,
    MARKERS,
    blend_colours,
    distinct_colours,
    distinct_styles,
    format_percent,
)

# Machado, Oliveira & Fernandes (IEEE TVCG 15, 2009), severity 1.0, for linear RGB.
SIMULATED = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
}


@pytest.mark.parametrize("matrix", SIMULATED.values(), ids=SIMULATED)
def test_first_eight_colours_differ_for_colour_blind_readers(matrix: list[list[float]]) -> None:
    linear = np.where(
        distinct_colours(8) <= 0.04045, distinct_colours(8) / 12.92, ((distinct_colours(8) + 0.055) / 1.055) ** 2.4
    )
    seen = np.clip(linear @ np.array(matrix).T, 0, 1)
    gaps = np.linalg.norm(seen[:, None] - seen[None], axis=2) + 10 * np.eye(8)
    assert gaps.min() > 0.1


@pytest.mark.parametrize("count", [1, 8, 9, 14, 20, 28])
def test_no_two_looks_are_equal(count: int) -> None:
    looks = distinct_styles(count)
    assert len({look.fill_colour for look in looks}) == count
    assert len({(look.marker, look.line_style) for look in looks}) == count


def test_a_component_keeps_its_look_among_few() -> None:
    assert distinct_styles(3) == distinct_styles(8)[:3]


def test_lines_show_on_white() -> None:
    for look in distinct_styles(20):
        luminance = np.array(look.line_colour) @ [0.2126, 0.7152, 0.0722]
        assert luminance <= 0.56


def test_every_marker_has_a_letter() -> None:
    assert set(MARKER_GLYPHS) == set(MARKERS)
    assert all(len(letter) == 1 for letter in MARKER_GLYPHS.values())


@given(arrays(float, (5, 4), elements=st.floats(1e-3, 1.0)))
def test_blend_is_the_mean_of_the_colours(raw: np.ndarray) -> None:
    soft = raw / raw.sum(axis=1)[:, None]
    assert np.allclose(blend_colours(soft), soft @ distinct_colours(4))
    assert np.allclose(blend_colours(np.eye(4)), distinct_colours(4))


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0%"), (0.0001, "<0.1%"), (0.043, "4.3%"), (0.36, "36%"), (1.0, "100%")]
)
def test_percent(share: float, text: str) -> None:
    assert format_percent(share) == text
