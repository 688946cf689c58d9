"""Tables as text, for results that are printed: columns of numbers that end below each other."""

from collections.abc import Sequence


def format_text_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return lines of cells under their heads, each column as wide as its widest cell and aligned to the right."""
    lines = [heads, *rows]
    widths = [max(len(line[j]) for line in lines) for j in range(len(heads))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
