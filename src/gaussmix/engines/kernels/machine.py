"""What kernels and those who fill their arrays have to agree on: register widths and sizes, for the machine at hand."""

import llvmlite.binding as llvm

_FEATURES = llvm.get_host_cpu_features()
WIDTH: int = 8 if _FEATURES.get("avx512f") else 4 if _FEATURES.get("avx") else 2
"""Doubles in one register of this machine."""

CAN_COMPRESS = bool(_FEATURES.get("avx512f"))
"""Whether lanes can be moved together in one instruction."""

TILE = 4
"""Registers along each side of a square tile of accumulators."""

VECTORS = 2 if WIDTH == 4 else 4
"""Groups of rows handled together: AVX2 has 16 registers, AVX-512 and NEON have 32."""

BLOCK = max(TILE, WIDTH)
"""Columns whose sums are kept in registers together."""

CHUNK = WIDTH * VECTORS
"""Rows handled together."""

SMALL = 8
"""Columns up to which everything stays in registers (see ``compiled/small.py``)."""

ABREAST = 4
"""Rows that are projected together."""

FOUR = 4
CELL_UNIT = FOUR * WIDTH
"""Components that a single row is compared with at a time."""

NARROW, BATCH, WIDE_BATCH = 64, 32, 64
"""Rows of a component whose products are added up together: their copies stay in the nearest cache."""

SMALLEST = -650.0
"""Smaller powers of e are taken for 0: they count for nothing, and their products would be subnormal, which is slow."""
