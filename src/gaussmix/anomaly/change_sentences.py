"""The sentence of a change: 'Lower total_charge from 8684 to 5210; about 2000 is expected.'"""

import numpy as np

from gaussmix.anomaly.deviations import GroupShapes
from gaussmix.anomaly.measured_rows import MeasuredRows
from gaussmix.anomaly.number_text import format_own_value, format_value, round_onward
from gaussmix.errors.text import format_count, join_with_and
from gaussmix.types import ND, BoolN, D


def describe_changes(
    measured: MeasuredRows,
    changed: ND,
    expected: ND,
    was_normal: BoolN,
    is_found: BoolN,
    max_columns: int,
) -> tuple[str, ...]:
    """Return the sentence of each row, given the rows (n, D) after the change and what the other columns let expect."""
    most = format_count(max_columns, "column")
    failure = f"No change of {most if max_columns == 1 else f'at most {most}'} makes the row normal."
    if measured.grids.has_levels.any():
        failure = f"{failure} Columns of few values may change only to values of normal rows."
    widths = _column_widths(measured)
    sentences = []
    for i, (was, is_now) in enumerate(zip(was_normal.tolist(), is_found.tolist(), strict=True)):
        if was:
            sentences.append("The row is normal already.")
        elif is_now:
            sentences.append(_describe_change(measured, measured.values[i], changed[i], expected[i], widths))
        else:
            sentences.append(failure)
    return tuple(sentences)


def _column_widths(measured: MeasuredRows) -> D:
    """Return the standard deviations (D,) of the columns in the whole mixture; 0 for dependent columns."""
    shapes, widths = GroupShapes.from_mixture(measured.mixture), np.zeros(len(measured.names))
    weights = measured.mixture.weights
    center = (weights @ shapes.centers / weights.sum())[None]
    widths[measured.independent_columns] = measured.half_widths(center, shapes.overall_deviations(weights)[None])[0]
    return widths


def _describe_change(measured: MeasuredRows, before: D, after: D, expected: D, widths: D) -> str:
    """Return what to lower or raise, from which value to which, and what the other columns let expect.

    Values after the change are rounded further along, so that a rounded change is no smaller than the exact one.
    A column that a relation gives follows its predictors, unless these stay as they are.
    """
    names, levels, is_changed = measured.names, measured.grids.levels, before != after
    following = {
        relation.column: is_changed[relation.column] and bool(is_changed[relation.predictors].any())
        for relation in measured.relations
    }
    moved = [int(j) for j in np.flatnonzero(is_changed) if not following.get(int(j), False)]
    steps = [_describe_step(names[j], before[j], after[j], widths[j], len(levels[j]) > 0) for j in moved]
    text = join_with_and(steps)
    about = [
        (names[j], format_value(expected[j], widths[j]))
        for j in moved
        if not len(levels[j]) and expected[j] != after[j] and widths[j] > 0
    ]
    if len(about) == 1:
        of = f" in {about[0][0]}" if len(moved) > 1 else ""
        text = f"{text}; about {about[0][1]} is expected{of}"
    elif about:
        text = f"{text}; about {join_with_and([value for _, value in about])} are expected"
    sentences = [f"{text[0].upper()}{text[1:]}."]
    results = [f"{names[j]} {format_own_value(float(after[j]), 0.0)}" for j, follows in following.items() if follows]
    if results:
        sentences.append(f"By the relations of the columns this makes {join_with_and(results)}.")
    return " ".join(sentences)


def _describe_step(name: str, start: float, end: float, width: float, has_levels: bool) -> str:
    """Return 'lower a from 8 to 5', or 'change a from 1 to 0' for a column of few values."""
    change = abs(end - start)
    scale = min(change, width) if width > 0 else change
    verb = "change" if has_levels else "lower" if end < start else "raise"
    to = format_own_value(end, 0.0) if has_levels else format_value(round_onward(start, end, scale), scale)
    return f"{verb} {name} from {format_own_value(start, change)} to {to}"
