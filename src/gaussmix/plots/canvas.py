"""Where plots are drawn: figures of our own without any global state, or the axes a caller hands over."""

from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from gaussmix.errors import MissingPackageError

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

LONG = 20
"""Letters beyond which the name of an axis leaves its units a line of their own."""

_LONGEST_NAME = 40


def require_matplotlib() -> None:
    """Raise MissingPackageError where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingPackageError.of("matplotlib", "plotting", "plots") from error


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure in inches, on a canvas of its own; pyplot never hears of it."""
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def on_axes(ax: "Axes | None", width: float = 6.4, height: float = 4.4) -> "Axes":
    """The caller's axes, or new ones in a figure of their own."""
    return new_figure(width, height).add_subplot() if ax is None else ax


def on_figure(figure: "Figure | None", width: float, height: float) -> "Figure":
    """The caller's figure, laid out so that nothing overlaps, or a new one."""
    if figure is None:
        return new_figure(width, height)
    if figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")
    return figure


def shortened(name: str, longest: int = _LONGEST_NAME) -> str:
    """A name on one line, cut where it is too long for an axis."""
    printable = _printable(name)
    return printable if len(printable) <= longest else printable[: longest - 1] + "…"


def told_apart(names: Sequence[str], longest: int) -> list[str]:
    """Names on one line each, short and still distinct: cut in the middle, or before the letter where they part.

    What is equal, or cannot be told apart in so few letters, is numbered.
    """
    whole = [_printable(name) for name in names]
    shown = [_cut_in_the_middle(name, longest) for name in whole]
    for _ in names:
        alike = [[i for i, other in enumerate(shown) if other == text] for text in dict.fromkeys(shown)]
        together = [group for group in alike if len({whole[i] for i in group}) > 1]
        if not together:
            break
        for group in together:
            begin = _n_shared([whole[i] for i in group])
            for i in group:
                rest = whole[i][begin:]
                shown[i] = "…" + (rest if len(rest) < longest else rest[: longest - 2] + "…")
    twice = {text for text in shown if shown.count(text) > 1}
    return [f"{text} ({shown[:i].count(text) + 1})" if text in twice else text for i, text in enumerate(shown)]


def _n_shared(names: Sequence[str]) -> int:
    """With how many equal letters names begin."""
    return len(list(takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))))


def _cut_in_the_middle(name: str, longest: int) -> str:
    head, tail = (longest - 1) // 2, longest - 1 - (longest - 1) // 2
    return name if len(name) <= longest else f"{name[:head]}…{name[-tail:]}"


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in name)


def name_axis(ax: "Axes", x: str | None = None, y: str | None = None) -> None:
    """Write axis names as they are: a '$' in a column's name is a dollar, not mathematics."""
    if x is not None:
        ax.set_xlabel(x, parse_math=False)
    if y is not None:
        ax.set_ylabel(y, parse_math=False)


def number(value: float, digits: int) -> str:
    """A number as text, with thin spaces between thousands and a true minus; huge ones as a power of ten."""
    text = f"{value:,.{digits}f}" if abs(value) < 1e12 else f"{value:.6e}".replace("e+", "e")
    return text.replace(",", "\u202f").replace("-", "\N{MINUS SIGN}")


def counted(count: int, name: str) -> str:
    """'1 row', '2 rows', '1 pass', '2 passes'."""
    text = f"{count:,}".replace(",", "\u202f")
    return f"{text} {name if count == 1 else name + ('es' if name.endswith('s') else 's')}"


def count_along(ax: "Axes") -> None:
    """Whole numbers only along the x axis."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def plain_numbers(ax: "Axes") -> None:
    """Numbers along the y axis as they are, without an offset or a factor above it."""
    ax.ticklabel_format(axis="y", useOffset=False, style="plain")


def tidy(ax: "Axes") -> None:
    """A frame on two sides only."""
    ax.spines[["top", "right"]].set_visible(False)


def legend_on(ax: "Axes", entries: "Sequence[Artist]", own: bool) -> None:
    """A legend beside axes of our ``own``; a caller's axes may have neighbours, so there it stays inside."""
    if own:
        legend_beside(ax, entries)
    elif entries:
        look = _legend_look(entries) | {"fontsize": "x-small", "frameon": True, "framealpha": 0.5}
        close = {"borderpad": 0.3, "labelspacing": 0.25, "handlelength": 1.4, "handletextpad": 0.5}
        _as_written(ax.legend(**look, **close, loc="best"))


def legend_beside(ax: "Axes", entries: "Sequence[Artist]") -> None:
    """A legend to the right of the axes, where it covers no data."""
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
    _as_written(ax.legend(**_legend_look(entries), **place))


def legend_in_figure(figure: "Figure", entries: "Sequence[Artist]", inside: bool) -> None:
    """One legend for all panels: in the upper right corner, or outside, to the right of the panels."""
    place: Any = "upper right" if inside else "outside right upper"
    _as_written(figure.legend(**_legend_look(entries), loc=place))


def n_legend_columns(entries: "Sequence[Artist]") -> int:
    """In how many columns so many entries stand."""
    return 1 if len(entries) <= 24 else 2


def _legend_look(entries: "Sequence[Artist]") -> dict[str, Any]:
    columns = n_legend_columns(entries)
    return {"handles": list(entries), "ncols": columns, "frameon": False, "fontsize": "small", "alignment": "left"}


def _as_written(legend: "Legend") -> None:
    for text in legend.get_texts():
        text.set_parse_math(False)
