"""The sentence of a row: which columns deviate, by how much, from what, and which other columns say so."""

from typing import NamedTuple

import numpy as np

from gaussmix.anomaly.deviating_columns import DeviatingColumns
from gaussmix.anomaly.deviations import Deviations
from gaussmix.anomaly.measured_rows import MeasuredRows
from gaussmix.anomaly.number_text import format_own_value, format_percent, format_sd, format_value
from gaussmix.errors.text import format_count, join_with_and
from gaussmix.types import ND, IntArray, N

_MAX_CONTEXT_COLUMNS = 3
_MIN_CONTEXT_CORRELATION = 0.3  # partial, of a column that is named beside the deviating one
_MIN_CONTEXT_FRACTION = 0.5  # of the strongest partial correlation
_MAX_NAMED_COLUMNS = 3  # of a row
_MIN_NAMED_Z = 1.0  # smaller deviations do not stand out


class RowFacts(NamedTuple):
    """What the sentences of n rows need.

    ``values``, ``expected`` and ``widths`` (n, d) are those of the deviating columns in the data's units, given the
    columns that do not deviate; ``widths`` are standard deviations.
    """

    measured: MeasuredRows
    deviations: Deviations
    found: DeviatingColumns
    pairs: IntArray
    tails: N
    level: float
    values: ND
    expected: ND
    widths: ND

    @classmethod
    def collect(
        cls,
        measured: MeasuredRows,
        deviations: Deviations,
        found: DeviatingColumns,
        pairs: IntArray,
        tails: N,
        level: float,
    ) -> "RowFacts":
        """Return the facts, with expected values in the data's units."""
        points, deviations_in_frame = measured.points.copy(), np.zeros_like(measured.points)
        rows, positions = np.nonzero(found.columns >= 0)
        columns, shifts = found.columns[rows, positions], found.shifts[rows, positions]
        points[rows, columns] -= shifts
        is_moved = found.z[rows, positions] != 0
        deviations_in_frame[rows[is_moved], columns[is_moved]] = (
            shifts / np.where(is_moved, found.z[rows, positions], 1.0)
        )[is_moved]
        expected, widths = measured.to_data_units(points), measured.half_widths(points, deviations_in_frame)
        return cls(measured, deviations, found, pairs, tails, level, measured.independent_values, expected, widths)


def compose_sentence(facts: RowFacts, row: int) -> str:
    """Return one or two sentences on a row: broken relations first, then the columns that deviate."""
    relations, count = facts.measured.relation_texts[row], int((facts.found.columns[row] >= 0).sum())
    sentences = [f"The row breaks what every training row keeps: {relations}."] if relations else []
    if count:
        sentences.append(_describe_deviation(facts, row, count))
        if facts.tails[row] >= facts.level:
            sentences.append(f"Its distance is ordinary: {_describe_tail(facts, row)}.")
    elif not relations:
        sentences.append(f"The row is normal: {_describe_tail(facts, row)}.")
    return " ".join(sentences)


def describe_group(facts: RowFacts, row: int) -> str:
    """Return 'group 2', or 'the group' if there is only one."""
    n_groups = len(facts.deviations.shapes.centers)
    return f"group {facts.deviations.groups[row]}" if n_groups > 1 else "the group"


def _describe_tail(facts: RowFacts, row: int) -> str:
    """Return '41% of group 2 lie farther from its center'."""
    return f"{format_percent(float(facts.tails[row]))} of {describe_group(facts, row)} lie farther from its center"


def _describe_deviation(facts: RowFacts, row: int, count: int) -> str:
    """Return the sentence on the columns that deviate; its form depends on whether they are a pair, few, or many."""
    if not facts.found.is_rest_normal[row]:
        return _describe_row_without_group(facts, row)
    if abs(facts.found.z[row, 0]) < _MIN_NAMED_Z:
        return f"No column of the row stands out from {describe_group(facts, row)}."
    if facts.pairs[row, 0] < 0:
        return f"{_compare_with_context(facts, row, count, _context_columns(facts, row))}."
    first, partner = (facts.measured.independent_names[j] for j in facts.pairs[row])
    has_both = count > 1
    context = [] if has_both else [int(facts.pairs[row, 1])]
    return f"{partner} and {first} do not go together: {_compare_with_context(facts, row, count, context)}."


def _compare_with_context(facts: RowFacts, row: int, count: int, context: list[int]) -> str:
    """Return 'a (9) is 4.1 sd above what group 2 has at this b and c (about 5)'."""
    n_named = min(count, _MAX_NAMED_COLUMNS)
    columns, z = facts.found.columns[row, :n_named], facts.found.z[row, :n_named]
    names = facts.measured.independent_names
    values, expected, widths = (array[row, columns].tolist() for array in (facts.values, facts.expected, facts.widths))
    clauses = [
        f"{names[j]} ({format_own_value(value, width)}) {'is ' if i == 0 else ''}{_describe_side(z[i])}"
        for i, (j, value, width) in enumerate(zip(columns, values, widths, strict=True))
    ]
    about = join_with_and([format_value(value, width) for value, width in zip(expected, widths, strict=True)])
    others = f" at this {join_with_and([names[j] for j in context])}" if context else ""
    n_hidden = count - n_named
    verb = "deviates" if n_hidden == 1 else "deviate"
    hidden = f"; {format_count(n_hidden, 'other column')} {verb} less" if n_hidden else ""
    return f"{join_with_and(clauses)} what {describe_group(facts, row)} has{others} (about {about}){hidden}"


def _describe_side(z: float) -> str:
    """Return '4.1 sd above' or '4.1 sd below'."""
    return f"{format_sd(z)} {'above' if z > 0 else 'below'}"


def _context_columns(facts: RowFacts, row: int) -> list[int]:
    """Return up to three columns on which the expectation of the deviating columns depends most."""
    sizes = np.abs(facts.found.partial_correlations[row])
    order = np.argsort(-sizes, kind="stable")[:_MAX_CONTEXT_COLUMNS]
    threshold = max(_MIN_CONTEXT_CORRELATION, _MIN_CONTEXT_FRACTION * float(sizes.max()))
    return [int(j) for j in order if sizes[j] >= threshold]


def _describe_row_without_group(facts: RowFacts, row: int) -> str:
    """Return the sentence on a row of which too many columns deviate: its distance, and the largest deviations."""
    z = facts.deviations.marginal_z[row]
    columns = np.argsort(-np.abs(z), kind="stable")[:_MAX_NAMED_COLUMNS]
    named = [f"{facts.measured.independent_names[j]} ({_describe_side(z[j])})" for j in columns]
    distance = format_sd(float(np.sqrt(facts.deviations.squared_distances[row])))
    group = describe_group(facts, row)
    nearest = f"{group}, the nearest one" if len(facts.deviations.shapes.centers) > 1 else group
    return f"The row matches no group: it lies {distance} from {nearest}, and differs most in {join_with_and(named)}."
