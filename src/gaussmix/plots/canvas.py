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

LONG_NAME_LENGTH = 20
"""Letters beyond which the name of an axis leaves its units a line of their own."""

_MAX_NAME_LENGTH = 40


def require_matplotlib() -> None:
    """Raise MissingPackageError where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingPackageError.for_extra("matplotlib", "plotting", "plots") from error


def create_figure(width_inches: float, height_inches: float) -> "Figure":
    """An empty figure in inches, on a canvas of its own; pyplot never hears of it."""
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def get_or_create_axes(ax: "Axes | None", width_inches: float = 6.4, height_inches: float = 4.4) -> "Axes":
    """The caller's axes, or new ones in a figure of their own."""
    return create_figure(width_inches, height_inches).add_subplot() if ax is None else ax


def get_or_create_figure(figure: "Figure | None", width_inches: float, height_inches: float) -> "Figure":
    """The caller's figure, laid out so that nothing overlaps, or a new one."""
    if figure is None:
        return create_figure(width_inches, height_inches)
    if figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")
    return figure


def truncate_name(name: str, max_length: int = _MAX_NAME_LENGTH) -> str:
    """A name on one line, cut where it is too long for an axis."""
    printable = _replace_unprintable(name)
    return printable if len(printable) <= max_length else printable[: max_length - 1] + "…"


def truncate_distinct(names: Sequence[str], max_length: int) -> list[str]:
    """Names on one line each, short and still distinct: cut in the middle, or before the letter where they part.

    What is equal, or cannot be told apart in so few letters, is numbered.
    """
    whole = [_replace_unprintable(name) for name in names]
    shown = [_truncate_middle(name, max_length) for name in whole]
    for _ in names:
        alike = [[i for i, other in enumerate(shown) if other == text] for text in dict.fromkeys(shown)]
        together = [group for group in alike if len({whole[i] for i in group}) > 1]
        if not together:
            break
        for group in together:
            begin = _common_prefix_length([whole[i] for i in group])
            for i in group:
                rest = whole[i][begin:]
                shown[i] = "…" + (rest if len(rest) < max_length else rest[: max_length - 2] + "…")
    twice = {text for text in shown if shown.count(text) > 1}
    return [f"{text} ({shown[:i].count(text) + 1})" if text in twice else text for i, text in enumerate(shown)]


def _common_prefix_length(names: Sequence[str]) -> int:
    """With how many equal letters names begin."""
    return len(list(takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))))


def _truncate_middle(name: str, max_length: int) -> str:
    head, tail = (max_length - 1) // 2, max_length - 1 - (max_length - 1) // 2
    return name if len(name) <= max_length else f"{name[:head]}…{name[-tail:]}"


def _replace_unprintable(name: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in name)


def label_axes(ax: "Axes", x_label: str | None = None, y_label: str | None = None) -> None:
    """Write axis names as they are: a '$' in a column's name is a dollar, not mathematics."""
    if x_label is not None:
        ax.set_xlabel(x_label, parse_math=False)
    if y_label is not None:
        ax.set_ylabel(y_label, parse_math=False)


def format_number(value: float, n_decimals: int) -> str:
    """A number as text, with thin spaces between thousands and a true minus; huge ones as a power of ten."""
    text = f"{value:,.{n_decimals}f}" if abs(value) < 1e12 else f"{value:.6e}".replace("e+", "e")
    return text.replace(",", "\u202f").replace("-", "\N{MINUS SIGN}")


def format_count(count: int, name: str) -> str:
    """'1 row', '2 rows', '1 pass', '2 passes'."""
    text = f"{count:,}".replace(",", "\u202f")
    return f"{text} {name if count == 1 else name + ('es' if name.endswith('s') else 's')}"


def set_integer_x_ticks(ax: "Axes") -> None:
    """Whole numbers only along the x axis."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def set_plain_y_ticks(ax: "Axes") -> None:
    """Numbers along the y axis as they are, without an offset or a factor above it."""
    ax.ticklabel_format(axis="y", useOffset=False, style="plain")


def hide_top_right_spines(ax: "Axes") -> None:
    """A frame on two sides only."""
    ax.spines[["top", "right"]].set_visible(False)


def draw_legend(ax: "Axes", entries: "Sequence[Artist]", is_own_axes: bool) -> None:
    """A legend beside axes of our ``own``; a caller's axes may have neighbours, so there it stays inside."""
    if is_own_axes:
        draw_legend_beside(ax, entries)
    elif entries:
        look = _legend_options(entries) | {"fontsize": "x-small", "frameon": True, "framealpha": 0.5}
        close = {"borderpad": 0.3, "labelspacing": 0.25, "handlelength": 1.4, "handletextpad": 0.5}
        _disable_math_text(ax.legend(**look, **close, loc="best"))


def draw_legend_beside(ax: "Axes", entries: "Sequence[Artist]") -> None:
    """A legend to the right of the axes, where it covers no data."""
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
    _disable_math_text(ax.legend(**_legend_options(entries), **place))


def draw_figure_legend(figure: "Figure", entries: "Sequence[Artist]", is_inside: bool) -> None:
    """One legend for all panels: in the upper right corner, or outside, to the right of the panels."""
    place: Any = "upper right" if is_inside else "outside right upper"
    _disable_math_text(figure.legend(**_legend_options(entries), loc=place))


def n_legend_columns(entries: "Sequence[Artist]") -> int:
    """In how many columns so many entries stand."""
    return 1 if len(entries) <= 24 else 2


def _legend_options(entries: "Sequence[Artist]") -> dict[str, Any]:
    columns = n_legend_columns(entries)
    return {"handles": list(entries), "ncols": columns, "frameon": False, "fontsize": "small", "alignment": "left"}


def _disable_math_text(legend: "Legend") -> None:
    for text in legend.get_texts():
        text.set_parse_math(False)
