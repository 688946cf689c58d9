"""Products of parameters: a small covering part runs by default, the other cases carry the marker `exhaustive`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from itertools import combinations, product
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet

Row = tuple[int, ...]


def parametrize_product(
    parameters: Mapping[str, Iterable[Any]],
    strength: int = 1,
    together: Sequence[tuple[str, ...]] = (),
    also: Sequence[tuple[Any, ...]] = (),
) -> pytest.MarkDecorator:
    """Parametrise a test by the product of all values.

    The default run covers every value of every parameter (strength 1) or every pair of values (strength 2), and every
    combination of the parameters that a tuple of `together` names, and the cases in `also`. The other cases run only
    with ``-m "exhaustive or not exhaustive"``. A key may name several arguments ("scale, offset"), as in pytest. A
    mapping stands for its keys.
    """
    names, values = list(parameters), [list(each) for each in parameters.values()]
    groups = list(combinations(range(len(names)), strength))
    groups += [tuple(names.index(name) for name in group) for group in together]
    chosen = set(_covering_rows([len(each) for each in values], groups))
    chosen |= {tuple(each.index(value) for each, value in zip(values, case, strict=True)) for case in also}
    cases = []
    for row in product(*(range(len(each)) for each in values)):
        parts = [_named_values(names[p], values[p][index], index) for p, index in enumerate(row)]
        cases.append(
            pytest.param(
                *(value for part, _ in parts for value in part),
                id="-".join(name for _, name in parts),
                marks=() if row in chosen else pytest.mark.exhaustive,
            )
        )
    return pytest.mark.parametrize(",".join(names).replace(" ", ""), cases)


def interleave(values: Sequence[Any], n_parts: int) -> list[Any]:
    """Split values into parts of every `n_parts`-th one, so that each part holds early and late ones."""
    return [pytest.param(values[first::n_parts], id=f"from {values[first]} by {n_parts}") for first in range(n_parts)]


def keep_first(values: Iterable[Any], n_kept: int) -> list[Any]:
    """Mark all values but the first ones `exhaustive`."""
    return [
        pytest.param(value, marks=() if index < n_kept else pytest.mark.exhaustive)
        for index, value in enumerate(values)
    ]


def _covering_rows(sizes: Sequence[int], groups: Sequence[tuple[int, ...]]) -> Iterator[Row]:
    """Choose rows greedily until every combination within each group occurs.

    Of rows that bring equally many, one with most new pairs is chosen, and of these one whose values were used least.
    """
    missing = {(group, row) for group in groups for row in product(*(range(sizes[p]) for p in group))}
    pairs = list(combinations(range(len(sizes)), 2))
    seen: set[tuple[tuple[int, ...], Row]] = set()
    uses: Counter[tuple[int, int]] = Counter()

    def score(row: Row) -> tuple[int, int, int]:
        new = sum((group, tuple(row[p] for p in group)) in missing for group in groups)
        new_pairs = sum((pair, (row[pair[0]], row[pair[1]])) not in seen for pair in pairs)
        return new, new_pairs, -sum(uses[value] for value in enumerate(row))

    while missing:
        best = max(product(*map(range, sizes)), key=score)
        missing -= {(group, tuple(best[p] for p in group)) for group in groups}
        seen |= {(pair, (best[pair[0]], best[pair[1]])) for pair in pairs}
        uses.update(enumerate(best))
        yield best


def _named_values(name: str, value: Any, index: int) -> tuple[tuple[Any, ...], str]:
    """Return the arguments of one value and the name of the case, as pytest names it."""
    if isinstance(value, ParameterSet):
        return value.values, str(value.id)
    arguments = tuple(value) if "," in name else (value,)
    return arguments, "-".join(_case_name(name, each, index) for each in arguments)


def _case_name(name: str, value: Any, index: int) -> str:
    if value is None or isinstance(value, str | int | float | complex | bool | Enum):
        return str(value)
    return getattr(value, "__name__", None) or f"{name}{index}"
