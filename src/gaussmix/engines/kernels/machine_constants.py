"""What kernels and those who fill their arrays have to agree on: register widths and sizes, for the machine at hand."""

import llvmlite.binding as llvm

_CPU_FEATURES = llvm.get_host_cpu_features()
SIMD_WIDTH: int = 8 if _CPU_FEATURES.get("avx512f") else 4 if _CPU_FEATURES.get("avx") else 2
"""Doubles in one register of this machine."""

CAN_COMPRESS_LANES = bool(_CPU_FEATURES.get("avx512f"))
"""Whether lanes can be moved together in one instruction."""

TILE_SIDE = 4
"""Registers along each side of a square tile of accumulators."""

GROUPS_PER_CHUNK = 2 if SIMD_WIDTH == 4 else 4
"""Groups of rows handled together: AVX2 has 16 registers, AVX-512 and NEON have 32."""

COLUMNS_PER_BLOCK = max(TILE_SIDE, SIMD_WIDTH)
"""Columns whose sums are kept in registers together."""

ROWS_PER_CHUNK = SIMD_WIDTH * GROUPS_PER_CHUNK
"""Rows handled together."""

MAX_FEW_COLUMNS = 8
"""Columns up to which everything stays in registers (see ``compiled/small.py``)."""

ROWS_PER_PROJECTION = 4
"""Rows that are projected together."""

REGISTERS_PER_CELL_STEP = 4
COMPONENTS_PER_CELL_STEP = REGISTERS_PER_CELL_STEP * SIMD_WIDTH
"""Components that a single row is compared with at a time."""

MAX_NARROW_COLUMNS, NARROW_BATCH_ROWS, WIDE_BATCH_ROWS = 64, 32, 64
"""Rows of a component whose products are added up together: their copies stay in the nearest cache."""

MIN_EXPONENT = -650.0
"""Smaller powers of e are taken for 0: they count for nothing, and their products would be subnormal, which is slow."""
