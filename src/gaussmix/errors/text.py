"""Text that several messages need: lists of names, counts with a noun, suggestions for a misspelt name."""

import shlex
from collections.abc import Sequence

TOO_FAR_MESSAGE = (
    "lies so far from the fitted data that its density cannot be represented "
    "(more than about 1e150 standard deviations); check its units"
)

_MAX_NAMES = 12


def join_with_commas(names: Sequence[str], max_names: int | None = _MAX_NAMES) -> str:
    """Return 'a, b, c', or 'a, b, ... (12 in all)' for more than ``max_names`` names; None means no limit."""
    shown = [str(name) for name in names[:max_names]]
    if len(shown) < len(names):
        shown.append(f"... ({len(names)} in all)")
    return ", ".join(shown)


def join_with_and(names: Sequence[str], max_names: int | None = _MAX_NAMES) -> str:
    """Return 'a', 'a and b', 'a, b and c', or 'a, b, ... (12 in all)' for more than ``max_names``; None: no limit."""
    if max_names is not None and len(names) > max_names:
        return join_with_commas(names, max_names)
    return " and ".join([join_with_commas(names[:-1], max_names), names[-1]] if len(names) > 1 else names)


def join_with_or(names: Sequence[str], max_names: int = _MAX_NAMES) -> str:
    """Return 'a', 'a or b', 'a, b or c', or 'a, b, ... (12 in all)' for more than ``max_names``."""
    if len(names) > max_names:
        return join_with_commas(names, max_names)
    return " or ".join([join_with_commas(names[:-1]), names[-1]] if len(names) > 1 else names)


def format_columns(columns: Sequence[int], feature_names: Sequence[str] | None) -> str:
    """Return "column 'a'" or "columns 'a' and 'b'" for some positions; 'column 0' if columns have no names."""
    named = [str(j) if feature_names is None else repr(str(feature_names[j])) for j in columns]
    return f"{pluralize('column', len(named))} {join_with_and(named)}"


def advise_to_drop(column: str) -> str:
    """Return the advice to leave a column out, in Python and on the command line."""
    return f"leave it out, as in X.drop(columns=[{column!r}]) or --drop {shlex.quote(column)}"


def pluralize(noun: str, count: int) -> str:
    """Return the noun for one thing, and its plural for any other count: 'row', 'rows', 'passes'."""
    return noun if count == 1 else f"{noun}{'es' if noun.endswith('s') else 's'}"


def format_count(count: int, noun: str) -> str:
    """Return '1 row', '2 rows' or '2 passes'."""
    return f"{count} {pluralize(noun, count)}"


def format_suggestion(name: str, allowed: Sequence[str]) -> str:
    """Return " (did you mean 'x'?)" for the closest allowed name, or an empty text."""
    import difflib

    close = difflib.get_close_matches(name.casefold(), [other.casefold() for other in allowed], n=1)
    matches = [other for other in allowed if other.casefold() in close]
    return f" (did you mean {matches[0]!r}?)" if matches else ""
