"""Create figures outside pyplot, and format axes, legends and names the same way in every plot."""

import re
from collections.abc import Sequence
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from gaussmix.errors import MissingPackageError
from gaussmix.errors.text import pluralize

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.ticker import ScalarFormatter

LONG_NAME_LENGTH = 20  # characters beyond which an axis label puts the units on a second line
_MAX_NAME_LENGTH = 40
_PLAIN_NUMBER = re.compile(r"([-\N{MINUS SIGN}]?)(\d+)((?:\.\d*)?)")


def require_matplotlib() -> None:
    """Raise MissingPackageError if matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingPackageError.for_extra("matplotlib", "plotting", "plots") from error


def create_figure(width_inches: float, height_inches: float) -> "Figure":
    """Return an empty figure with constrained layout that pyplot does not manage."""
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_inches, height_inches), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def get_or_create_axes(ax: "Axes | None", width_inches: float = 6.4, height_inches: float = 4.4) -> "Axes":
    """Return the caller's axes, or the axes of a new figure."""
    return create_figure(width_inches, height_inches).add_subplot() if ax is None else ax


def get_or_create_figure(figure: "Figure | None", width_inches: float, height_inches: float) -> "Figure":
    """Return the caller's figure, with a constrained layout unless it has another, or a new figure."""
    if figure is None:
        return create_figure(width_inches, height_inches)
    if figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")
    return figure


def truncate_name(name: str, max_length: int = _MAX_NAME_LENGTH) -> str:
    """Return a name on one line, its middle replaced by an ellipsis if it has more than ``max_length`` characters."""
    return _truncate_middle(_replace_control_characters_by_spaces(name), max_length)


def truncate_names_distinctly(names: Sequence[str], max_length: int) -> list[str]:
    """Return names shortened to one line of ``max_length`` characters each, such that they remain distinct.

    A name is cut in the middle, or before the first character in which it differs from similar names. Equal names,
    and names that remain equal after the cut, get a number, which may exceed the length.
    """
    full_names = [_replace_control_characters_by_spaces(name) for name in names]
    texts = [_truncate_middle(name, max_length) for name in full_names]
    for _ in names:
        groups = [[i for i, other in enumerate(texts) if other == text] for text in dict.fromkeys(texts)]
        ambiguous = [group for group in groups if len({full_names[i] for i in group}) > 1]
        if not ambiguous:
            break
        for group in ambiguous:
            prefix_length = _common_prefix_length([full_names[i] for i in group])
            for i in group:
                end = full_names[i][prefix_length:]
                texts[i] = "…" + (end if len(end) < max_length else end[: max_length - 2] + "…")
    repeated = {text for text in texts if texts.count(text) > 1}
    return [f"{text} ({texts[:i].count(text) + 1})" if text in repeated else text for i, text in enumerate(texts)]


def _common_prefix_length(names: Sequence[str]) -> int:
    """Return the number of first characters that all names share."""
    return len(list(takewhile(lambda characters: len(set(characters)) == 1, zip(*names, strict=False))))


def _truncate_middle(name: str, max_length: int) -> str:
    """Return a name with its middle replaced by an ellipsis if it has more than ``max_length`` characters."""
    head, tail = (max_length - 1) // 2, max_length - 1 - (max_length - 1) // 2
    return name if len(name) <= max_length else f"{name[:head]}…{name[-tail:]}"


def _replace_control_characters_by_spaces(name: str) -> str:
    """Return a name with control characters, such as line breaks, replaced by spaces."""
    return "".join(character if character.isprintable() else " " for character in name)


def label_axes(ax: "Axes", x_label: str | None = None, y_label: str | None = None) -> None:
    """Set the labels that are given as literal text, and write the numbers of both axes as in tables.

    A '$' in a column's name does not start mathematics.
    """
    _format_ticks_as_in_tables(ax)
    if x_label is not None:
        ax.set_xlabel(x_label, parse_math=False)
    if y_label is not None:
        ax.set_ylabel(y_label, parse_math=False)


def _format_ticks_as_in_tables(ax: "Axes") -> None:
    """Give axes with matplotlib's plain numbers thin spaces between thousands."""
    from matplotlib.ticker import ScalarFormatter

    for axis in (ax.xaxis, ax.yaxis):
        if type(axis.get_major_formatter()) is ScalarFormatter:
            axis.set_major_formatter(_number_formatter_class()())


@cache
def _number_formatter_class() -> "type[ScalarFormatter]":
    """Return the class of tick labels with thin spaces between thousands; matplotlib is loaded late."""
    from matplotlib.ticker import ScalarFormatter

    class NumberFormatter(ScalarFormatter):
        """Tick labels such as '12\u202f000'."""

        def __call__(self, x: float, pos: int | None = None) -> str:
            return separate_thousands(super().__call__(x, pos))

    return NumberFormatter


def separate_thousands(text: str) -> str:
    """Return the text of a number with thin spaces between thousands, '12\u202f000.5'; other texts as they are."""
    match = _PLAIN_NUMBER.fullmatch(text)
    if match is None:
        return text
    sign, digits, decimals = match.groups()
    return f"{sign}{int(digits):,}{decimals}".replace(",", "\u202f")


def format_number(value: float, n_decimals: int) -> str:
    """Format a number with thin spaces between thousands and a minus sign, or as a power of ten from 1e12."""
    text = f"{value:,.{n_decimals}f}" if abs(value) < 1e12 else f"{value:.6e}".replace("e+", "e")
    return text.replace(",", "\u202f").replace("-", "\N{MINUS SIGN}")


def format_count(count: int, singular_noun: str) -> str:
    """Format a count with its noun in singular or plural: '1 row', '2 rows', '1 pass', '2 passes'."""
    text = f"{count:,}".replace(",", "\u202f")
    return f"{text} {pluralize(singular_noun, count)}"


def set_integer_x_ticks(ax: "Axes") -> None:
    """Restrict the ticks of the x axis to integers."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def set_plain_y_ticks(ax: "Axes") -> None:
    """Write the tick labels of the y axis without an offset or a factor."""
    ax.ticklabel_format(axis="y", useOffset=False, style="plain")


def hide_top_right_spines(ax: "Axes") -> None:
    """Hide the upper and the right edge of the axes' frame."""
    ax.spines[["top", "right"]].set_visible(False)


def draw_legend(ax: "Axes", entries: "Sequence[Artist]", is_beside: bool) -> None:
    """Draw a legend to the right of the axes if ``is_beside``, else a compact one inside them, or none without entries.

    Axes of the caller may have neighbours, so their legends lie inside.
    """
    if is_beside:
        draw_legend_beside(ax, entries)
    elif entries:
        options = _legend_options(entries) | {"fontsize": "x-small", "frameon": True, "framealpha": 0.5}
        spacing = {"borderpad": 0.3, "labelspacing": 0.25, "handlelength": 1.4, "handletextpad": 0.5}
        _disable_math_text_in_place(ax.legend(**options, **spacing, loc="best"))


def draw_legend_beside(ax: "Axes", entries: "Sequence[Artist]") -> None:
    """Draw a legend to the right of the axes."""
    position: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
    _disable_math_text_in_place(ax.legend(**_legend_options(entries), **position))


def draw_figure_legend(figure: "Figure", entries: "Sequence[Artist]", is_inside: bool) -> None:
    """Draw one legend for all panels: in the upper right corner, or to the right of the panels."""
    position: Any = "upper right" if is_inside else "outside right upper"
    _disable_math_text_in_place(figure.legend(**_legend_options(entries), loc=position))


def count_legend_columns(entries: "Sequence[Artist]") -> int:
    """Return the number of columns of a legend of these entries: 1, or 2 for more than 24."""
    return 1 if len(entries) <= 24 else 2


def _legend_options(entries: "Sequence[Artist]") -> dict[str, Any]:
    """Return the keyword arguments of ``legend`` that all legends share, with the entries as handles."""
    columns = count_legend_columns(entries)
    return {"handles": list(entries), "ncols": columns, "frameon": False, "fontsize": "small", "alignment": "left"}


def _disable_math_text_in_place(legend: "Legend") -> None:
    """Make a legend show its texts literally, in place: a '$' is a dollar sign."""
    for text in legend.get_texts():
        text.set_parse_math(False)
