"""Array aliases whose names are shapes.

``N`` rows, ``D`` columns, ``K`` components, ``Q`` factors, ``Y`` classes, ``P`` patterns of missing cells, ``G``
patterns of ``B`` columns; ``KD`` is an array of shape (K, D).
"""

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike as ArrayLike
    from numpy.typing import NDArray
else:
    # help() prints these; the types of NumPy fill several lines for each parameter.

    class ArrayLike:
        """Array, nested sequence or number that NumPy converts to an array."""

        __module__ = "builtins"  # help() shows ArrayLike without the name of a module

    class NDArray:
        """Array of some dtype."""

        def __class_getitem__(cls, dtype: object) -> type:
            """Return the class of arrays, for any dtype."""
            return np.ndarray


Array: TypeAlias = NDArray[np.float64]

N: TypeAlias = Array
D: TypeAlias = Array
K: TypeAlias = Array
ND: TypeAlias = Array
NK: TypeAlias = Array
KD: TypeAlias = Array
KN: TypeAlias = Array
YN: TypeAlias = Array
DD: TypeAlias = Array
KDD: TypeAlias = Array
KQ: TypeAlias = Array
KDQ: TypeAlias = Array
DQ: TypeAlias = Array

IntN: TypeAlias = NDArray[np.int64]
IntD: TypeAlias = NDArray[np.int64]
IntK: TypeAlias = NDArray[np.int64]
BoolK: TypeAlias = NDArray[np.bool_]
BoolN: TypeAlias = NDArray[np.bool_]
BoolGB: TypeAlias = NDArray[np.bool_]
BoolNK: TypeAlias = NDArray[np.bool_]
BoolND: TypeAlias = NDArray[np.bool_]
BoolKD: TypeAlias = NDArray[np.bool_]
BoolPD: TypeAlias = NDArray[np.bool_]
BoolKK: TypeAlias = NDArray[np.bool_]
IntNC: TypeAlias = NDArray[np.int64]

IntArray: TypeAlias = NDArray[np.int64]  # of a shape that the docstring gives
AnyArray: TypeAlias = NDArray[Any]
