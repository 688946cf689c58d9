"""How a component looks: its colour, its marker and its line, so that colour is never the only cue.

The first eight colours are those of Okabe & Ito ("Color Universal Design", 2008), which readers
with any common form of colour blindness tell apart; further ones come from a perceptually uniform
map. Soft membership blends the colours of the components.
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.comparison import summary
from gaussmix.types import ND, NK, AnyArray, Array

OKABE_ITO_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", "*", ">", "h", "d", "H")
MARKER_GLYPHS = dict(zip(MARKERS, "●■▲◆▼✚✖⬟◀★▶⬢♦⬣", strict=True))
"""The markers as letters."""
LINE_STYLES = ("-", "--", "-.", ":")
INK, GREY, PALE = "#222222", "#777777", "#D9D9D9"

_MAX_LINE_LUMINANCE = 0.55  # relative luminance above which a colour is too pale for a thin line on white


@dataclass(frozen=True)
class Style:
    """Fill and line colour (RGB in 0..1), marker and line style of one component or structure."""

    fill_colour: tuple[float, float, float]
    line_colour: tuple[float, float, float]
    marker: str
    line_style: str


def distinct_styles(n_styles: int) -> list[Style]:
    """``count`` looks, told apart by colour, by marker and, beyond eight, by line style."""
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
    """Colours (count, 3) in 0..1."""
    first = [[int(name[i : i + 2], 16) / 255 for i in (1, 3, 5)] for name in OKABE_ITO_COLOURS[:n_colours]]
    if n_colours <= len(OKABE_ITO_COLOURS):
        return np.array(first)
    import matplotlib

    rest = matplotlib.colormaps["plasma"](np.linspace(0.05, 0.9, n_colours - len(OKABE_ITO_COLOURS)))
    return np.vstack([first, rest[:, :3]])


NOISE_STYLE = Style(fill_colour=(0.6, 0.6, 0.6), line_colour=(0.47, 0.47, 0.47), marker=".", line_style=":")
"""How noise looks: grey, a dot."""


def component_styles(n_styles: int, has_noise: bool) -> list[Style]:
    """The looks of components, ``count`` with that of the noise at the end if there is any."""
    return [*distinct_styles(n_styles - 1), NOISE_STYLE] if has_noise else distinct_styles(n_styles)


def component_colours(n_colours: int, has_noise: bool) -> ND:
    """The colours (count, 3) of components, that of the noise at the end if there is any."""
    return (
        np.array([*distinct_colours(n_colours - 1), NOISE_STYLE.fill_colour])
        if has_noise
        else distinct_colours(n_colours)
    )


def blend_colours(responsibilities: NK, has_noise: bool = False) -> ND:
    """The colour of each row (n, 3): those of the components, mixed in proportion to its membership."""
    return np.clip(responsibilities @ component_colours(responsibilities.shape[1], has_noise), 0.0, 1.0)


def _darken_for_line(colour: Array) -> Array:
    """A pale colour darkened until a thin line of it shows on white."""
    luminance = float(colour @ [0.2126, 0.7152, 0.0722])
    return np.asarray(colour * min(1.0, _MAX_LINE_LUMINANCE / max(luminance, 1e-9)))


def _to_rgb_tuple(colour: AnyArray) -> tuple[float, float, float]:
    red, green, blue = (float(part) for part in colour)
    return red, green, blue


def format_percent(fraction: float) -> str:
    """A share in per cent, written as in the words of a comparison: '36%', '0.4%', '<0.1%'."""
    return summary.format_percent(fraction, 1.0)
