"""How a component looks: its colour, its marker and its line, so that colour is never the only cue.

The first eight colours are those of Okabe & Ito ("Color Universal Design", 2008), which readers
with any common form of colour blindness tell apart; further ones come from a perceptually uniform
map. Soft membership blends the colours of the components.
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.selection import verdict
from gaussmix.types import ND, NK, AnyArray, Array

OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", "*", ">", "h", "d", "H")
GLYPHS = dict(zip(MARKERS, "●■▲◆▼✚✖⬟◀★▶⬢♦⬣", strict=True))
"""The markers as letters."""
LINES = ("-", "--", "-.", ":")
INK, GREY, PALE = "#222222", "#777777", "#D9D9D9"

_DARKEST_LINE = 0.55  # relative luminance above which a colour is too pale for a thin line on white


@dataclass(frozen=True)
class Style:
    """Fill and line colour (RGB in 0..1), marker and line style of one component or structure."""

    fill: tuple[float, float, float]
    line: tuple[float, float, float]
    marker: str
    dash: str


def styles(count: int) -> list[Style]:
    """``count`` looks, told apart by colour, by marker and, beyond eight, by line style."""
    fills = palette(count)
    return [
        Style(_rgb(fill), _rgb(_for_lines(fill)), MARKERS[k % len(MARKERS)], LINES[k // len(OKABE_ITO) % len(LINES)])
        for k, fill in enumerate(fills)
    ]


def palette(count: int) -> ND:
    """Colours (count, 3) in 0..1."""
    first = [[int(name[i : i + 2], 16) / 255 for i in (1, 3, 5)] for name in OKABE_ITO[:count]]
    if count <= len(OKABE_ITO):
        return np.array(first)
    import matplotlib

    rest = matplotlib.colormaps["plasma"](np.linspace(0.05, 0.9, count - len(OKABE_ITO)))
    return np.vstack([first, rest[:, :3]])


NOISE = Style(fill=(0.6, 0.6, 0.6), line=(0.47, 0.47, 0.47), marker=".", dash=":")
"""How noise looks: grey, a dot."""


def looks(count: int, noise: bool) -> list[Style]:
    """The looks of components, ``count`` with that of the noise at the end if there is any."""
    return [*styles(count - 1), NOISE] if noise else styles(count)


def colours(count: int, noise: bool) -> ND:
    """The colours (count, 3) of components, that of the noise at the end if there is any."""
    return np.array([*palette(count - 1), NOISE.fill]) if noise else palette(count)


def blend(soft: NK, noise: bool = False) -> ND:
    """The colour of each row (n, 3): those of the components, mixed in proportion to its membership."""
    return np.clip(soft @ colours(soft.shape[1], noise), 0.0, 1.0)


def _for_lines(fill: Array) -> Array:
    """A pale colour darkened until a thin line of it shows on white."""
    luminance = float(fill @ [0.2126, 0.7152, 0.0722])
    return np.asarray(fill * min(1.0, _DARKEST_LINE / max(luminance, 1e-9)))


def _rgb(colour: AnyArray) -> tuple[float, float, float]:
    red, green, blue = (float(part) for part in colour)
    return red, green, blue


def percent(share: float) -> str:
    """A share in per cent, written as in the words of a comparison: '36%', '0.4%', '<0.1%'."""
    return verdict.share(share, 1.0)
