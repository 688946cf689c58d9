"""Register widths and block sizes of this machine, shared by the kernels and the code that allocates their arrays."""

from gaussmix.kernels.library import current_level

_LEVEL = current_level()

# Doubles per register.
SIMD_WIDTH: int = _LEVEL.simd_width

# Whether one instruction computes a * b + c with one rounding.
HAS_FMA: bool = _LEVEL.has_fma

# Whether one instruction can move selected lanes to the front of a register.
CAN_COMPRESS_LANES: bool = _LEVEL.can_compress_lanes

# Registers along each side of a square tile of accumulators.
TILE_SIDE = 4

# Groups of rows processed together: as many as accumulators of a tile leave registers for.
GROUPS_PER_CHUNK = 4 if _LEVEL.n_registers == 32 else 2

# Columns whose sums stay in registers together.
COLUMNS_PER_BLOCK = max(TILE_SIDE, SIMD_WIDTH)

# Rows processed together.
ROWS_PER_CHUNK = SIMD_WIDTH * GROUPS_PER_CHUNK

# Largest number of columns for which all sums of a component stay in registers (passes/few_columns.py).
MAX_FEW_COLUMNS = 8

# Groups of rows whose responsibilities a fused run holds at a time.
FUSED_GROUPS_PER_BLOCK = 32

# Rows projected together.
ROWS_PER_PROJECTION = 4

# Registers of components that one row is compared with at a time.
REGISTERS_PER_CELL_STEP = 4
# Components that one row is compared with at a time.
COMPONENTS_PER_CELL_STEP = REGISTERS_PER_CELL_STEP * SIMD_WIDTH

# Rows of a component whose products are accumulated together. Their copies must stay in the L1 cache.
MAX_NARROW_COLUMNS, NARROW_BATCH_ROWS, WIDE_BATCH_ROWS = 64, 32, 64

# exp of a smaller argument is taken as 0. Such terms are negligible, and their products would be subnormal,
# which is slow.
MIN_EXPONENT = -650.0
