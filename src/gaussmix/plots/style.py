"""Colours, markers and line styles of components.

Components differ in marker and line style too, so that no plot relies on colour alone. The first eight colours are
those of Okabe & Ito ("Color Universal Design", 2008), which remain distinct with any common form of colour blindness.
Further colours come from a perceptually uniform map.
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.comparison.assignment_summary import format_percent as format_part_percent
from gaussmix.types import ND, NK, AnyArray, Array

OKABE_ITO_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
NOISE_MARKER = "."
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", "*", ">", "h", "d", "H")
MARKER_GLYPHS = dict(zip((*MARKERS, NOISE_MARKER), "●■▲◆▼✚✖⬟◀★▶⬢♦⬣•", strict=True))  # the markers as characters
LINE_STYLES = ("-", "--", "-.", ":")
INK, GREY, PALE = "#222222", "#777777", "#D9D9D9"

_MAX_LINE_LUMINANCE = 0.55  # relative luminance above which a thin line on white is hard to see


@dataclass(frozen=True)
class Style:
    """Fill and line colour (RGB in 0..1), marker and line style of a component, structure or solver."""

    fill_colour: tuple[float, float, float]
    line_colour: tuple[float, float, float]
    marker: str
    line_style: str


def distinct_styles(n_styles: int) -> list[Style]:
    """Return ``n_styles`` styles that differ in colour, marker and, beyond eight, line style."""
    fills = distinct_colours(n_styles)
    return [
        Style(
            _to_rgb_tuple(fill),
            _to_rgb_tuple(_darken_for_line(fill)),
            MARKERS[k % len(MARKERS)],
            LINE_STYLES[k // len(OKABE_ITO_COLOURS) % len(LINE_STYLES)],
        )
        for k, fill in enumerate(fills)
    ]


def distinct_colours(n_colours: int) -> ND:
    """Return ``n_colours`` distinct RGB colours (n_colours, 3) in 0..1."""
    colours = [hex_to_rgb(name) for name in OKABE_ITO_COLOURS[:n_colours]]
    if n_colours <= len(OKABE_ITO_COLOURS):
        return np.array(colours)
    import matplotlib

    further = matplotlib.colormaps["plasma"](np.linspace(0.05, 0.9, n_colours - len(OKABE_ITO_COLOURS)))
    return np.vstack([colours, further[:, :3]])


def hex_to_rgb(name: str) -> tuple[float, float, float]:
    """Return the colour '#rrggbb' as red, green and blue in 0..1."""
    red, green, blue = (int(name[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


# The uniform noise component is grey and has a dot as marker.
NOISE_STYLE = Style(fill_colour=(0.6, 0.6, 0.6), line_colour=(0.47, 0.47, 0.47), marker=NOISE_MARKER, line_style=":")


def component_styles(n_components_and_noise: int, has_noise: bool) -> list[Style]:
    """Return one style per component; the last one is that of the noise if ``has_noise``."""
    if not has_noise:
        return distinct_styles(n_components_and_noise)
    return [*distinct_styles(n_components_and_noise - 1), NOISE_STYLE]


def component_colours(n_components_and_noise: int, has_noise: bool) -> ND:
    """Return one RGB colour per component, (K, 3); the last one is that of the noise if ``has_noise``."""
    if not has_noise:
        return distinct_colours(n_components_and_noise)
    return np.array([*distinct_colours(n_components_and_noise - 1), NOISE_STYLE.fill_colour])


def blend_colours(responsibilities: NK, has_noise: bool = False) -> ND:
    """Return an RGB colour per row, (n, 3): the mean of the component colours, weighted by responsibility."""
    return np.clip(responsibilities @ component_colours(responsibilities.shape[1], has_noise), 0.0, 1.0)


def _darken_for_line(colour: Array) -> Array:
    """Return an RGB colour darkened, if it is pale, until a thin line of it is visible on white."""
    luminance = float(colour @ [0.2126, 0.7152, 0.0722])
    return np.asarray(colour * min(1.0, _MAX_LINE_LUMINANCE / max(luminance, 1e-9)))


def _to_rgb_tuple(rgb: AnyArray) -> tuple[float, float, float]:
    """Return an RGB colour (3,) as a tuple of floats."""
    red, green, blue = (float(part) for part in rgb)
    return red, green, blue


def format_percent(fraction: float) -> str:
    """Return a fraction as a percentage, as in the summary of a comparison: '36%', '0.4%', '<0.1%'."""
    return format_part_percent(fraction, 1.0)
