"""How every kernel is compiled: without the interpreter's lock, without reference counts, with IEEE arithmetic.

Kernels allocate nothing, so that they need no reference counts; those would cost more than the
arithmetic of a small tile.
"""

from numba import njit

kernel = njit(nogil=True, error_model="numpy", _nrt=False)
