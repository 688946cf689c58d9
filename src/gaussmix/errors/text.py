"""Lists, counts and suggestions, as the sentences need them."""

from collections.abc import Sequence

TOO_FAR_MESSAGE = (
    "lies so far from the fitted data that its density cannot be represented "
    "(more than about 1e150 standard deviations); check its units"
)


def join_with_commas(names: Sequence[str]) -> str:
    """Names with commas, the first twelve of many."""
    shown = [str(name) for name in names[:12]]
    if len(names) > 12:
        shown.append(f"... ({len(names)} in all)")
    return ", ".join(shown)


def join_with_and(names: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return names[0] if len(names) == 1 else f"{join_with_commas(names[:-1])} and {names[-1]}"


def format_count(count: int, noun: str) -> str:
    """'1 row', '2 rows', '2 passes'."""
    return f"{count} {noun}{'' if count == 1 else 'es' if noun.endswith('s') else 's'}"


def format_suggestion(name: str, allowed: Sequence[str]) -> str:
    """The closest of the names there are, as a question in brackets, or nothing."""
    import difflib

    close = difflib.get_close_matches(name.casefold(), [other.casefold() for other in allowed], n=1)
    found = [other for other in allowed if other.casefold() in close]
    return f" (did you mean {found[0]!r}?)" if found else ""
