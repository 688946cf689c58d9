"""What callers of searches and tests ask for, checked once: whole numbers, levels, structures, and who is told."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from gaussmix.core.input_arrays import column_names, parse_rows, parse_weights
from gaussmix.covariance.structure import MCLUST_NAMES, Structure
from gaussmix.errors import DataError, ParameterError
from gaussmix.selection.progress import ProgressCallback, progress_bar
from gaussmix.types import AnyArray, ArrayLike, N

_ONE_COLUMN_STRUCTURES = ("EII", "VII")  # the others coincide with these


def require_nonempty_rows(rows: AnyArray) -> None:
    """DataError where there are no rows, or no columns."""
    if not len(rows):
        raise DataError.no_rows()
    if not rows.shape[1]:
        raise DataError.no_columns()


def parse_rows_and_weights(X: ArrayLike, sample_weight: ArrayLike | None) -> tuple[AnyArray, N | None]:
    """Rows (n, D) and their weights (n,), without the rows of weight zero."""
    rows = parse_rows(X, feature_names=column_names(X), keep_float32=True)
    require_nonempty_rows(rows)
    weights = parse_weights(sample_weight, len(rows))
    if weights is None:
        return rows, None
    return rows[weights > 0], weights[weights > 0]


def make_generator(random_state: object) -> np.random.Generator:
    """A generator; ParameterError for what seeds none."""
    try:
        return np.random.default_rng(random_state)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        allowed = "a whole number of at least 0, a numpy Generator or None"
        raise ParameterError.invalid_value("random_state", random_state, allowed) from None


def is_integer(value: object, minimum: int) -> bool:
    """Whether a value is a whole number, and no bool, of at least ``least``."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= minimum


def parse_integer(name: str, value: object, minimum: int) -> int:
    """The value; ParameterError unless it is a whole number of at least ``least``."""
    if not is_integer(value, minimum):
        raise ParameterError.invalid_value(name, value, f"a whole number of at least {minimum}")
    return int(value)  # type: ignore[call-overload, no-any-return]


def parse_fraction(name: str, value: object) -> float:
    """The value; ParameterError unless it is a number between 0 and 1, without these."""
    real = isinstance(value, int | float | np.floating) and not isinstance(value, bool)
    if not real or not 0.0 < float(value) < 1.0:  # type: ignore[arg-type]
        raise ParameterError.invalid_value(name, value, "a number between 0 and 1, without these")
    return float(value)  # type: ignore[arg-type]


def parse_component_counts(n_components: int | Iterable[int]) -> list[int]:
    """Numbers of components, each once and in order."""
    allowed = "one or more whole numbers of at least 1"
    try:
        found = list(n_components) if isinstance(n_components, Iterable) else [n_components]
    except TypeError:
        found = []
    if not found or not all(is_integer(count, 1) for count in found):
        raise ParameterError.invalid_value("n_components", n_components, allowed)
    return sorted({int(count) for count in found})


def parse_structures(
    structures: str | Sequence[str],
    n_features: int,
    parameter_name: str = "structures",
    allowed_text: str = "'all', the name of a structure, or several names",
) -> list[Structure]:
    """Structures by name, each once; 'all' of one column are the two that the others coincide with.

    ``parameter`` is what an error calls an unknown one, ``allowed`` what it says where there is none.
    """
    if isinstance(structures, str) and structures == "all":
        names: Sequence[str] = _ONE_COLUMN_STRUCTURES if n_features == 1 else MCLUST_NAMES
    else:
        names = [structures] if isinstance(structures, str) else structures
    found = list(dict.fromkeys(Structure.from_name(name, parameter_name) for name in names))
    if not found:
        raise ParameterError.invalid_value("structures", structures, allowed_text)
    return found


def _ignore_progress(n_done: int, n_total: int, step_name: str) -> None:
    """Tells nobody."""


def make_progress_callback(
    progress: bool | Callable[[int, int, str], None] | None, title: str
) -> AbstractContextManager[ProgressCallback]:
    """Who is told: a bar, the caller, or nobody."""
    if progress is True:
        return progress_bar(title)
    return nullcontext(progress if callable(progress) else _ignore_progress)
