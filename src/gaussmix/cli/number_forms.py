"""Ways in which people write numbers: decimal commas, separated thousands, and one unit for a whole column.

All tests of a column's cells are Arrow's; only its first cell is parsed in Python, to find the unit.
"""

import re
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

_SIGN = "[+\\-\u2212]"
_SPACES = " \u00a0\u2009\u202f"
_APOSTROPHES = "'\u2019"
_CURRENCIES = "$€£¥₹"
_UNIT_LETTERS = f"A-Za-z%°µμΩ²³{_CURRENCIES}"
_PREFIX = rf"[A-Z]{{0,3}}[{_CURRENCIES}]|USD|EUR|GBP|CHF"
_SUFFIX = rf"[{_UNIT_LETTERS}](?:[ ]?[{_UNIT_LETTERS}/*^·.]){{0,15}}[23]?"
_FIRST_CELL = re.compile(
    rf"^\s*(?:\(|{_SIGN})?\s*(?P<prefix>{_PREFIX})?\s*{_SIGN}?"
    rf"(?P<number>\.?\d(?:[\d.,{_APOSTROPHES}{_SPACES}]*\d)?\.?(?:[eE][+-]?\d+)?)"
    rf"(?P<gap>\s*)(?P<suffix>{_SUFFIX})?\)?\s*$"
)


class NumberForm(NamedTuple):
    """A way to write a number without its sign and unit; what is to be replaced in it, and what a user is told."""

    pattern: str
    replacements: tuple[tuple[str, str], ...] = ()
    removed: str = ""
    has_decimal_comma: bool = False


_PLAIN = NumberForm(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_THOUSANDS_COMMAS = NumberForm(
    r"[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+", ((",", ""),), "thousands commas"
)
_DECIMAL_COMMA = NumberForm(r"(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?", ((",", "."),), has_decimal_comma=True)
_THOUSANDS_POINTS = NumberForm(
    r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?|\d+(?:,\d*)?|,\d+",
    ((r"\.", ""), (",", ".")),
    "thousands points",
    has_decimal_comma=True,
)
_THOUSANDS_SPACES = NumberForm(
    rf"[1-9]\d{{0,2}}(?:[{_SPACES}]\d{{3}})+(?:\.\d*)?|\d+(?:\.\d*)?", ((f"[{_SPACES}]", ""),), "thousands spaces"
)
_THOUSANDS_SPACES_DECIMAL_COMMA = NumberForm(
    rf"[1-9]\d{{0,2}}(?:[{_SPACES}]\d{{3}})+(?:,\d*)?|\d+(?:,\d*)?",
    ((f"[{_SPACES}]", ""), (",", ".")),
    "thousands spaces",
    has_decimal_comma=True,
)
_THOUSANDS_APOSTROPHES = NumberForm(
    rf"[1-9]\d{{0,2}}(?:[{_APOSTROPHES}]\d{{3}})+(?:\.\d*)?|\d+(?:\.\d*)?",
    ((f"[{_APOSTROPHES}]", ""),),
    "thousands apostrophes",
)
# The first form that all cells of a column have is the form of the column.
_FORMS_WITH_POINT = (
    _PLAIN,
    _THOUSANDS_COMMAS,
    _DECIMAL_COMMA,
    _THOUSANDS_POINTS,
    _THOUSANDS_SPACES,
    _THOUSANDS_SPACES_DECIMAL_COMMA,
    _THOUSANDS_APOSTROPHES,
)
_FORMS_WITH_COMMA = (_DECIMAL_COMMA, _THOUSANDS_POINTS, _THOUSANDS_SPACES_DECIMAL_COMMA, _PLAIN)

_DECIMAL_COMMA_CELL = re.compile(rf"^\s*{_SIGN}?\d+,\d+\s*$")
_THOUSANDS_COMMA_CELL = re.compile(rf"^\s*{_SIGN}?[1-9]\d{{0,2}}(,\d{{3}})+\s*$")
_DECIMAL_POINT_CELL = re.compile(rf"^\s*{_SIGN}?(\d*\.\d{{1,2}}|\d*\.\d{{4,}}|0\.\d+|\d{{4,}}\.\d+)\s*$")


class WrittenNumbers(NamedTuple):
    """The form that most cells (n,) of a column have.

    Attributes
    ----------
    is_number : Arrow array of Booleans of shape (n,)
        Whether a cell has that form; null if it is missing.
    texts : Arrow array of text of shape (n,) or None
        Numbers that Arrow can convert; None unless all cells have the form.
    note : str
        What was removed or replaced, as 'thousands commas are removed'; '' if nothing was.
    """

    is_number: pa.ChunkedArray
    texts: pa.ChunkedArray | None
    note: str


def parse_written_numbers(texts: pa.ChunkedArray, has_decimal_comma: bool) -> WrittenNumbers:
    """Find the form of the numbers of a column of texts (n,), not all of which are missing."""
    n_present, best, best_count = len(texts) - texts.null_count, None, -1
    for prefix, suffix in dict.fromkeys((_find_unit(texts), ("", ""))):  # the first cell may be the one of another form
        for form in _FORMS_WITH_COMMA if has_decimal_comma else _FORMS_WITH_POINT:
            is_number = pc.match_substring_regex(texts, _cell_pattern(form, prefix, suffix))
            count = pc.sum(is_number).as_py() or 0
            if count == n_present:
                numbers = _rewrite(texts, form, prefix, suffix)
                is_decimal_sign_known = form.has_decimal_comma <= has_decimal_comma
                return WrittenNumbers(
                    is_number, numbers, _describe(texts, numbers, form, (prefix, suffix), is_decimal_sign_known)
                )
            if count > best_count:
                best, best_count = is_number, count
    return WrittenNumbers(best, None, "")


def has_decimal_commas(cells: list[str], delimiter: str) -> bool:
    """Return whether some cells of a file have decimal commas, and none has a decimal point.

    Commas before three digits may separate thousands: they are decimal commas in files with semicolons only.
    """
    if delimiter == "," or any(_DECIMAL_POINT_CELL.match(cell) for cell in cells):
        return False
    with_comma = [cell for cell in cells if _DECIMAL_COMMA_CELL.match(cell)]
    return any(delimiter == ";" or not _THOUSANDS_COMMA_CELL.match(cell) for cell in with_comma)


def _find_unit(texts: pa.ChunkedArray) -> tuple[str, str]:
    """Return what stands before and behind the number in the first cell that is not missing; '' where nothing does.

    A single capital letter directly behind a number belongs to a code, such as 12B, and is no unit.
    """
    match = _FIRST_CELL.match(pc.drop_null(texts)[0].as_py())
    if match is None:
        return "", ""
    prefix, suffix = match["prefix"] or "", match["suffix"] or ""
    is_code = len(suffix) == 1 and suffix.isascii() and suffix.isupper() and not match["gap"]
    return prefix, "" if is_code else suffix.rstrip()


def _cell_pattern(form: NumberForm, prefix: str, suffix: str) -> str:
    """Return the pattern of a cell with a number; one in parentheses is negative."""
    before, behind = re.escape(prefix), re.escape(suffix)
    number = rf"{before}\s*{_SIGN}?(?:{form.pattern})\s*{behind}"
    return rf"^\s*(?:{_SIGN}?\s*{number}|\({number}\))\s*$"


def _rewrite(texts: pa.ChunkedArray, form: NumberForm, prefix: str, suffix: str) -> pa.ChunkedArray:
    """Return numbers as Arrow converts them: without unit and plus signs, and with decimal points."""
    before, behind = re.escape(prefix), re.escape(suffix)
    parts = rf"^\s*(\(|{_SIGN})?\s*{before}\s*({_SIGN})?({form.pattern})\s*{behind}\s*\)?\s*$"
    numbers = pc.replace_substring_regex(texts, parts, r"\1\2\3")
    for pattern, replacement in ((r"\+", ""), ("[(\u2212]", "-"), *form.replacements):
        numbers = pc.replace_substring_regex(numbers, pattern, replacement)
    return numbers


def _describe(
    texts: pa.ChunkedArray,
    numbers: pa.ChunkedArray,
    form: NumberForm,
    units: tuple[str, str],
    is_decimal_sign_known: bool,
) -> str:
    """Return what was removed or replaced in a column, with its first cell as an example; '' if nothing was."""
    removed = [repr(unit) for unit in units if unit] + ([form.removed] if form.removed else [])
    is_single_unit = len(removed) == 1 and not form.removed
    parts = [f"{' and '.join(removed)} {'is' if is_single_unit else 'are'} removed"] if removed else []
    if not is_decimal_sign_known:
        parts.append("decimal commas are read as points")
    before, after = (pc.drop_null(values)[0].as_py() for values in (texts, numbers))
    return f"{', and '.join(parts)}, so that {before.strip()!r} is {float(after):.10g}" if parts else ""
