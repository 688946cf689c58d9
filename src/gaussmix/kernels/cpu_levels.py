"""The levels of processors that compiled code exists for, and what their registers hold.

A level is a set of instructions that all processors of the level have. Code for a level gives the same bits on
all of them.
"""

from dataclasses import dataclass

# The environment variable that forces a level, for tests and for comparisons.
LEVEL_VARIABLE = "GAUSSMIX_CPU_LEVEL"


@dataclass(frozen=True)
class CpuLevel:
    """What compiled code of one level may use.

    Attributes
    ----------
    name : str
        The name in `GAUSSMIX_CPU_LEVEL`, and that of the processor in LLVM's terms where there is one.
    architecture : str
        'x86_64' or 'aarch64'.
    llvm_cpu : str
        The processor that LLVM generates code for.
    simd_width : int
        Doubles per register.
    n_registers : int
        Registers of this width.
    has_fma : bool
        Whether one instruction computes a * b + c with one rounding.
    can_compress_lanes : bool
        Whether one instruction moves selected lanes to the front of a register.
    """

    name: str
    architecture: str
    llvm_cpu: str
    simd_width: int
    n_registers: int
    has_fma: bool = True
    can_compress_lanes: bool = False


# From the fewest instructions to the most, within each architecture.
CPU_LEVELS = (
    CpuLevel("x86-64", "x86_64", "x86-64", simd_width=2, n_registers=16, has_fma=False),
    CpuLevel("x86-64-v3", "x86_64", "x86-64-v3", simd_width=4, n_registers=16),
    CpuLevel("x86-64-v4", "x86_64", "x86-64-v4", simd_width=8, n_registers=32, can_compress_lanes=True),
    CpuLevel("aarch64", "aarch64", "generic", simd_width=2, n_registers=32),
)

_NAMES_OF_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def levels_of_architecture(machine: str) -> tuple[CpuLevel, ...]:
    """Return the levels of an architecture as `platform.machine` names it; none if there is no code for it."""
    architecture = _NAMES_OF_ARCHITECTURES.get(machine.lower())
    return tuple(level for level in CPU_LEVELS if level.architecture == architecture)


def level_from_name(name: str) -> CpuLevel:
    """Return the level of a name; raise ValueError if there is none."""
    for level in CPU_LEVELS:
        if level.name == name:
            return level
    raise ValueError(f"no level {name!r}; there are {', '.join(level.name for level in CPU_LEVELS)}")
