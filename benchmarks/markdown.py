"""Tables in Markdown, and numbers as people read them."""

import math


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table with its first column to the left and the others to the right."""
    lines = [head, [":--", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def milliseconds(seconds: float) -> str:
    """Three digits of a time, in ms."""
    value = 1e3 * seconds
    if not math.isfinite(value):
        return "-"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def factor(value: float) -> str:
    """A ratio with two or three digits."""
    if not math.isfinite(value):
        return "-"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def ranged(spread: tuple[float, float, float]) -> str:
    """'4.20 (4.01 - 4.33)'."""
    middle, low, high = map(factor, spread)
    return f"{middle} ({low} - {high})"
