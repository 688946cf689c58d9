"""Objects that appear beside objects that are there already, such as a missile beside the aircraft that fires it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.parameter_arrays import parse_covariances, parse_finite_numbers
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import ParameterError
from gaussmix.model.validation import require_instance
from gaussmix.tracking.components import Components
from gaussmix.types import DD, Array, ArrayLike, D

_RELATIVE_ROUNDING = 1e-12  # a negative eigenvalue of this part of the largest one is a rounding error


@dataclass(frozen=True, eq=False)
class Spawn:
    """New objects beside each object: w N(x; F s + d, Q), where s is the state of the object at the last scan.

    Source: Vo & Ma, "The Gaussian mixture probability hypothesis density filter", IEEE Trans. Signal Processing 54,
    2006, equations 18 and 26.

    Parameters
    ----------
    weight : float
        Expected number of new objects that one object spawns per unit of time.
    covariance : array-like of shape (D, D)
        Q, positive semidefinite, in the units of the state.
    matrix : array-like of shape (D, D), optional
        F; by default the identity, so that new objects appear where the object was.
    offset : array-like of shape (D,), optional
        d; by default 0.

    Raises
    ------
    ParameterError
        If the weight is negative, or an array has another shape or no finite numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix.tracking import Spawn
    >>> Spawn(weight=0.05, covariance=np.diag([100.0, 400.0, 100.0, 400.0])).n_states
    4
    """

    weight: float
    covariance: ArrayLike
    matrix: ArrayLike | None = None
    offset: ArrayLike | None = None
    _arrays: tuple[DD, DD, D] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not is_number_in(self.weight, 0.0, np.inf, includes_low=True):
            raise ParameterError.invalid_value("weight", self.weight, "a finite number of at least 0")
        covariance = _parse_square_matrix("covariance", self.covariance)
        _require_positive_semidefinite(covariance)
        n_states = len(covariance)
        matrix = np.eye(n_states) if self.matrix is None else _parse_square_matrix("matrix", self.matrix, n_states)
        offset = np.zeros(n_states) if self.offset is None else parse_finite_numbers("offset", self.offset, (n_states,))
        object.__setattr__(self, "_arrays", (covariance, matrix, offset))

    @property
    def n_states(self) -> int:
        """Number of columns D of a state."""
        return len(self._arrays[0])

    def make_components(self, parents: Components, dt: float) -> Components:
        """Return what each component spawns over a time ``dt``, in group 0: objects without a label."""
        covariance, matrix, offset = self._arrays
        covariances = matrix @ parents.covariances @ matrix.T + covariance
        return Components(
            np.zeros_like(parents.groups),
            self.weight * dt * parents.weights,
            parents.means @ matrix.T + offset,
            0.5 * (covariances + np.swapaxes(covariances, 1, 2)),
            parents.modes,
        )


def parse_spawns(spawn: Spawn | Sequence[Spawn], n_states: int) -> tuple[Spawn, ...]:
    """Return all spawns; raise ParameterError if one is of another type or has another number of columns."""
    spawns = (spawn,) if isinstance(spawn, Spawn) else tuple(spawn)
    for value in spawns:
        require_instance("spawn", value, Spawn, "a Spawn, or a sequence of them")
        if value.n_states != n_states:
            raise ParameterError.wrong_n_features("the spawn", value.n_states, n_states)
    return spawns


def _parse_square_matrix(name: str, values: object, size: int | None = None) -> Array:
    """Return a square matrix of finite numbers, of a size if one is given; covariances are symmetric, too."""
    parsed = parse_covariances(values, name) if name == "covariance" else parse_finite_numbers(name, values)
    n_rows = size or (len(parsed) if parsed.ndim else 1)
    if parsed.shape != (n_rows, n_rows) or not n_rows:
        raise ParameterError.wrong_shape(name, parsed.shape, (n_rows, n_rows))
    return parsed


def _require_positive_semidefinite(covariance: DD) -> None:
    """Raise ParameterError if a covariance has an eigenvalue below 0."""
    eigenvalues = linalg.eigh_descending(covariance[None]).values[0]
    if eigenvalues[-1] < -_RELATIVE_ROUNDING * max(eigenvalues[0], 0.0):
        raise ParameterError.invalid_value("covariance", covariance.tolist(), "a positive semidefinite matrix")
