"""The sentence of a row: which columns deviate, by how much, from what, and which other columns say so."""

from typing import NamedTuple

import numpy as np

from gaussmix.anomaly.deviating_columns import DeviatingColumns
from gaussmix.anomaly.deviations import Deviations
from gaussmix.anomaly.measured_rows import MeasuredRows
from gaussmix.anomaly.number_text import format_own_value, format_percent, format_sd, format_value
from gaussmix.anomaly.score_reasons import MIN_CLEAR_Z, ScoreReasons
from gaussmix.errors.text import format_count, join_with_and
from gaussmix.types import ND, IntArray, N

_MAX_CONTEXT_COLUMNS = 3
_MIN_CONTEXT_CORRELATION = 0.3  # partial, of a column that is named beside the deviating one
_MIN_CONTEXT_FRACTION = 0.5  # of the strongest partial correlation
_MAX_NAMED_COLUMNS = 3  # of a row
_MIN_NAMED_Z = 1.0  # smaller deviations do not stand out
SPARSE_REGION = "The row lies where few normal rows are, although no column alone is unusual."


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
    reasons: ScoreReasons
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
        reasons: ScoreReasons,
    ) -> "RowFacts":
        """Return the facts, with expected values in the data's units: for columns of few values the nearest of them."""
        points, deviations_in_frame = measured.points.copy(), np.zeros_like(measured.points)
        rows, positions = np.nonzero(found.columns >= 0)
        columns = found.columns[rows, positions]
        points[rows, columns] = found.expected[rows, positions]
        deviations_in_frame[rows, columns] = found.deviations[rows, positions]
        places, positions = np.nonzero(reasons.columns >= 0)
        rows, columns = reasons.rows[places], reasons.columns[places, positions]
        points[rows, columns] = reasons.targets[places, positions]
        units = deviations.shapes.conditional_deviations[reasons.groups[places, positions], columns]
        deviations_in_frame[rows, columns] = units
        expected, widths = measured.to_data_units(points), measured.half_widths(points, deviations_in_frame)
        for j in np.flatnonzero(measured.grids.has_levels[measured.independent_columns]).tolist():
            expected[:, j] = measured.grids.find_nearest(int(measured.independent_columns[j]), expected[:, j])
            widths[:, j] = 0.0  # a value that occurs is written as it is
        return cls(
            measured, deviations, found, pairs, tails, level, reasons, measured.independent_values, expected, widths
        )


def compose_sentence(facts: RowFacts, row: int) -> str:
    """Return one or two sentences on a row: broken relations first, then the columns that deviate."""
    relations, count = facts.measured.relation_texts[row], int((facts.found.columns[row] >= 0).sum())
    sentences = [f"The row breaks what every training row keeps: {relations}."] if relations else []
    place = int(np.searchsorted(facts.reasons.rows, row))
    if place < len(facts.reasons.rows) and facts.reasons.rows[place] == row:
        sentences.append(_describe_score_reason(facts, row, place))
    elif count:
        sentences.append(_describe_deviation(facts, row, count))
        if facts.tails[row] >= facts.level and row not in facts.reasons.confirmed:
            sentences.append(f"Its distance is ordinary: {_describe_tail(facts, row)}.")
    elif not relations:
        sentences.append(_describe_normal_row(facts, row))
    return " ".join(sentences)


def _describe_normal_row(facts: RowFacts, row: int) -> str:
    """Return the sentence on a row that is no anomaly, whatever its distance is."""
    if facts.tails[row] < facts.level:
        return f"The row is no anomaly, although {_describe_tail(facts, row)}."
    return f"The row is normal: {_describe_tail(facts, row)}."


def _describe_score_reason(facts: RowFacts, row: int, place: int) -> str:
    """Return the sentence on an anomaly that is ordinary in its group: which columns account for its score."""
    reasons, measured = facts.reasons, facts.measured
    if reasons.is_ordinary[place]:
        share = format_percent(float(np.exp(reasons.log_tails[place])))
        ordinary = f"The score of the row is ordinary: {share} of normal rows are at least as unusual."
        is_clear = abs(facts.found.z[row, 0]) >= MIN_CLEAR_Z and facts.found.is_rest_normal[row]
        count = int((facts.found.columns[row] >= 0).sum())
        return f"{ordinary} {_describe_deviation(facts, row, count)}" if is_clear else ordinary
    columns = reasons.columns[place][reasons.columns[place] >= 0]
    if not len(columns):
        return SPARSE_REGION
    names = [measured.independent_names[j] for j in columns]
    values, expected, widths = (array[row, columns].tolist() for array in (facts.values, facts.expected, facts.widths))
    own = [f"{n} ({format_own_value(v, width)})" for n, v, width in zip(names, values, widths, strict=True)]
    about = [format_value(value, width) for value, width in zip(expected, widths, strict=True)]
    if len(columns) == 1:
        has = f"{_say_group_has(facts, int(reasons.groups[place, 0]))} beside its other values (about {about[0]})"
        return f"{own[0]} makes the row unusual: it is {_describe_side(facts.found.z[row, 0])} what {has}."
    if reasons.is_joint[place]:
        return f"{join_with_and(own)} make the row unusual: about {join_with_and(about)} are expected."
    ways = " or ".join(f"{name} of about {value}" for name, value in zip(names, about, strict=True))
    return f"{join_with_and(own)} do not go together: with {ways} the row would be far less unusual."


def describe_group(facts: RowFacts, row: int) -> str:
    """Return 'normal group 2', or 'the normal rows' if there is only one group."""
    return _name_group(facts, int(facts.deviations.groups[row]))


def _name_group(facts: RowFacts, group: int) -> str:
    """Return the name of a group of normal rows."""
    return f"normal group {group}" if len(facts.deviations.shapes.centers) > 1 else "the normal rows"


def _say_group_has(facts: RowFacts, group: int) -> str:
    """Return 'normal group 2 has' or 'the normal rows have'."""
    return f"{_name_group(facts, group)} {'has' if len(facts.deviations.shapes.centers) > 1 else 'have'}"


def _describe_tail(facts: RowFacts, row: int) -> str:
    """Return '41% of normal group 2 lie farther from its center'."""
    center = "its center" if len(facts.deviations.shapes.centers) > 1 else "their center"
    return f"{format_percent(float(facts.tails[row]))} of {describe_group(facts, row)} lie farther from {center}"


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
    group_has = _say_group_has(facts, int(facts.deviations.groups[row]))
    return f"{join_with_and(clauses)} what {group_has}{others} (about {about}){hidden}"


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
    place = f"it lies {distance} from {nearest}, and differs most in {join_with_and(named)}"
    return f"The row matches no normal group: {place}."
