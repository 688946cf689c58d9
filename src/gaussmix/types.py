"""Array aliases whose names carry the shape, so that a signature tells which axis is which.

``N`` rows, ``D`` columns, ``K`` components, ``Q`` factors; ``KD`` is an array of shape (K, D).
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike as ArrayLike
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

N: TypeAlias = Array
D: TypeAlias = Array
K: TypeAlias = Array
ND: TypeAlias = Array
NK: TypeAlias = Array
KD: TypeAlias = Array
DD: TypeAlias = Array
KDD: TypeAlias = Array
KQ: TypeAlias = Array
KDQ: TypeAlias = Array
DQ: TypeAlias = Array

IntN: TypeAlias = NDArray[np.int64]
IntD: TypeAlias = NDArray[np.int64]
BoolK: TypeAlias = NDArray[np.bool_]
BoolN: TypeAlias = NDArray[np.bool_]
BoolNK: TypeAlias = NDArray[np.bool_]
IntNC: TypeAlias = NDArray[np.int64]

AnyArray: TypeAlias = NDArray[Any]
