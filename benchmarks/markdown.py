"""Format tables and numbers as Markdown."""

import math


def format_table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table with the first column left-aligned and the others right-aligned."""
    lines = [header, [":--", *["--:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def format_milliseconds(seconds: float) -> str:
    """Format seconds as milliseconds with three digits."""
    value = 1e3 * seconds
    if not math.isfinite(value):
        return "-"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def format_ratio(ratio: float) -> str:
    """Format a ratio with three digits."""
    if not math.isfinite(ratio):
        return "-"
    return f"{ratio:.2f}" if abs(ratio) < 10 else f"{ratio:.1f}" if abs(ratio) < 100 else f"{ratio:.0f}"


def format_ratio_range(median_min_max: tuple[float, float, float]) -> str:
    """Format median, minimum and maximum as '4.20 (4.01 - 4.33)'."""
    median, low, high = map(format_ratio, median_min_max)
    return f"{median} ({low} - {high})"
