"""Find columns that are the target in disguise: they determine the class of every row, far beyond chance."""

import numpy as np
from scipy.special import gammaln

from gaussmix.classification.table.category_cells import CategoryCells
from gaussmix.classification.table.column_kinds import ClassifiedColumns
from gaussmix.errors import TargetLeakError
from gaussmix.types import BoolN, IntD, IntN, N

_MIN_LOG_ODDS = 20.0  # minus the log probability of what was found, if labels were random
_MIN_ROWS_OF_CUT = 200  # a cut between measured numbers may separate classes of small tables
_MIN_CLASS_ROWS = 20


def require_no_target_leaks(columns: ClassifiedColumns, target_codes: IntN, has_names: bool) -> None:
    """Raise TargetLeakError for the first column from which the class follows.

    A column leaks if each of its levels occurs in one class only, if it is present in rows of one class only, or if a
    number separates the classes by cuts. Presence counts for columns that are left out, too, such as dates: users who
    convert them to numbers would bring the leak back. Cuts count in tables with names of at least 200 rows: they can be
    measured, and a table of numbers without names is taken as it is.

    Parameters
    ----------
    columns : ClassifiedColumns
    target_codes : ndarray of int64 of shape (n,)
        Classes of the rows, from 0.
    has_names : bool
        Whether the columns of the table have names.
    """
    n_classes = int(target_codes.max()) + 1
    if len(np.unique(target_codes)) < 2:
        return
    for name, is_present in columns.presence.items():
        _require_no_leak_of_presence(name, is_present, target_codes, n_classes)
    for name, cells in columns.categories.items():
        _require_impure_levels(name, cells, target_codes, n_classes)
    if has_names:
        for name, numbers in columns.numbers.items():
            _require_no_cuts(name, numbers, target_codes, n_classes)


def _require_no_leak_of_presence(name: str, is_present: BoolN, target_codes: IntN, n_classes: int) -> None:
    """Raise TargetLeakError if a column with gaps is present in rows of one class only, beyond chance."""
    counts = np.bincount(target_codes[is_present], minlength=n_classes)
    if np.count_nonzero(counts) != 1 or is_present.all():
        return
    code = int(counts.argmax())
    n_rows, n_of_class = len(target_codes), int(np.count_nonzero(target_codes == code))
    log_odds = _log_binomial(n_rows, int(counts[code])) - _log_binomial(n_of_class, int(counts[code]))
    if log_odds >= _MIN_LOG_ODDS:
        raise TargetLeakError.present_in_one_class(name, int(counts[code]))


def _require_impure_levels(name: str, cells: CategoryCells, target_codes: IntN, n_classes: int) -> None:
    """Raise TargetLeakError if each level of a column occurs in one class only, beyond chance.

    Of all ways to distribute the labels over the rows, at most C^k leave k levels pure.
    """
    is_present = cells.codes >= 0
    counts = np.zeros((len(cells.values), n_classes))
    np.add.at(counts, (cells.codes[is_present], target_codes[is_present]), 1.0)
    if ((counts > 0).sum(axis=1) > 1).any():
        return
    class_counts = counts.sum(axis=0)
    log_odds = _log_multinomial(class_counts.astype(np.int64)) - len(cells.values) * np.log(n_classes)
    if log_odds >= _MIN_LOG_ODDS:
        raise TargetLeakError.determines_class(name)


def _require_no_cuts(name: str, numbers: N, target_codes: IntN, n_classes: int) -> None:
    """Raise TargetLeakError if the classes are intervals of a numeric column."""
    is_present = ~np.isnan(numbers)
    codes = target_codes[is_present]
    counts = np.bincount(codes, minlength=n_classes)
    counts = counts[counts > 0]
    if len(counts) < 2 or len(codes) < _MIN_ROWS_OF_CUT or counts.min() < _MIN_CLASS_ROWS:
        return
    order = np.lexsort((codes, numbers[is_present]))
    values, codes = numbers[is_present][order], codes[order]
    is_change = codes[1:] != codes[:-1]
    is_tied = bool((values[1:] == values[:-1])[is_change].any())
    if np.count_nonzero(is_change) == len(counts) - 1 and not is_tied:
        raise TargetLeakError.separates_classes(name, float(values[1:][is_change][0]))


def _log_binomial(n: int, k: int) -> float:
    """Return the log of the number of ways to choose k of n."""
    return float(gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0))


def _log_multinomial(counts: IntD) -> float:
    """Return the log of the number of ways to distribute labels with such counts over the rows."""
    return float(gammaln(counts.sum() + 1.0) - gammaln(counts + 1.0).sum())
