"""The sentence of a change: 'Lower total_charge from 8684 to 5210.'"""

from gaussmix.anomaly.measured_rows import MeasuredRows
from gaussmix.anomaly.number_text import format_own_value, format_value, round_onward
from gaussmix.errors.text import format_count, join_with_and
from gaussmix.types import ND, BoolN, D


def describe_changes(
    measured: MeasuredRows, changed: ND, was_normal: BoolN, is_found: BoolN, max_columns: int
) -> tuple[str, ...]:
    """Return the sentence of each row, given the rows (n, D) after the change."""
    most = format_count(max_columns, "column")
    failure = f"No change of {most if max_columns == 1 else f'at most {most}'} makes the row normal."
    sentences = []
    for before, after, was, is_now in zip(measured.values, changed, was_normal, is_found, strict=True):
        if was:
            sentences.append("The row is normal already.")
        elif is_now:
            sentences.append(_describe_change(before, after, measured.names, measured.is_dependent))
        else:
            sentences.append(failure)
    return tuple(sentences)


def _describe_change(before: D, after: D, names: tuple[str, ...], is_dependent: BoolN) -> str:
    """Return what to lower or raise, from which value to which; ``is_dependent`` (D,) columns follow by relations.

    Values after the change are rounded further along, so that a rounded change is no smaller than the exact one.
    """
    changed = [j for j in range(len(before)) if before[j] != after[j]]
    moved = [j for j in changed if not is_dependent[j]]
    following = [j for j in changed if is_dependent[j]]
    text = join_with_and([_describe_step(names[j], float(before[j]), float(after[j])) for j in moved or following])
    sentences = [f"{text[0].upper()}{text[1:]}."]
    if moved and following:
        results = join_with_and([f"{names[j]} {format_own_value(float(after[j]), 0.0)}" for j in following])
        sentences.append(f"By the relations of the columns this makes {results}.")
    return " ".join(sentences)


def _describe_step(name: str, start: float, end: float) -> str:
    """Return 'lower a from 8 to 5'."""
    change = abs(end - start)
    to = format_value(round_onward(start, end), change)
    return f"{'lower' if end < start else 'raise'} {name} from {format_own_value(start, change)} to {to}"
