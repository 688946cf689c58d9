"""Which column of a state means what: its name, and the columns of positions, velocities and extents."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.errors import ParameterError
from gaussmix.types import IntD

_AXES = "xyz"


@dataclass(frozen=True)
class StateLayout:
    """The columns of a state.

    Sensors find positions through the layout, so that one sensor serves every motion model.

    Parameters
    ----------
    names : tuple of str
        Name of each column; equal names in two layouts are the same quantity.
    positions : tuple of int
        Columns of the coordinates in space, axis by axis; empty for a state of sizes alone.
    velocities : tuple of int, default=()
        Columns of their rates, in the same order; empty if the state has none.
    extents : tuple of int, default=()
        Columns of sizes, such as width and height of a box.

    Raises
    ------
    ParameterError
        If names repeat, or a column does not exist.
    """

    names: tuple[str, ...]
    positions: tuple[int, ...]
    velocities: tuple[int, ...] = ()
    extents: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.names)) < len(self.names):
            raise ParameterError.invalid_value("names", self.names, "different names")
        columns = (*self.positions, *self.velocities, *self.extents)
        if not columns or any(not 0 <= column < len(self.names) for column in columns):
            raise ParameterError.invalid_value(
                "columns", columns, f"at least one position or extent, each of 0 to {len(self.names) - 1}"
            )
        if self.velocities and len(self.velocities) != len(self.positions):
            raise ParameterError.invalid_value("velocities", self.velocities, "one column for each position, or none")

    @property
    def n_states(self) -> int:
        """Number of columns D of a state."""
        return len(self.names)

    @property
    def observable_columns(self) -> IntD:
        """Columns of positions, then of extents: what a detector of points or boxes can see."""
        return np.array((*self.positions, *self.extents), dtype=np.int64)

    @classmethod
    def from_derivatives(cls, n_axes: int, n_derivatives: int) -> "StateLayout":
        """Return the layout (x, vx, ax, y, vy, ay, ...) of ``n_axes`` axes with that many derivatives each."""
        prefixes = ("", "v", "a")[: n_derivatives + 1]
        names = [prefix + axis for axis in _AXES[:n_axes] for prefix in prefixes]
        step = n_derivatives + 1
        positions = tuple(range(0, n_axes * step, step))
        return cls(tuple(names), positions, tuple(column + 1 for column in positions) if n_derivatives else ())


def join_layouts(layouts: Sequence[StateLayout]) -> StateLayout:
    """Return the layout of states side by side: columns of the first layout, then of the second, and so on."""
    names: tuple[str, ...] = ()
    parts: dict[str, tuple[int, ...]] = {"positions": (), "velocities": (), "extents": ()}
    for layout in layouts:
        for part in parts:
            parts[part] += tuple(column + len(names) for column in getattr(layout, part))
        names += layout.names
    return StateLayout(names, **parts)


def merge_layouts(layouts: Sequence[StateLayout]) -> StateLayout:
    """Return the layout with all columns of some layouts; columns of the same name are the same quantity.

    Columns stand in the order in which they appear first.
    """
    names = tuple(dict.fromkeys(name for layout in layouts for name in layout.names))

    def find_columns(part: str) -> tuple[int, ...]:
        found = [layout.names[column] for layout in layouts for column in getattr(layout, part)]
        return tuple(names.index(name) for name in dict.fromkeys(found))

    return StateLayout(names, find_columns("positions"), find_columns("velocities"), find_columns("extents"))
