"""Machine code brought into the process: object files as a compiler leaves them, by LLVM's loader alone.

Numba is not needed for that, and not imported: it would take half a second and more memory than a fit.
"""

from contextlib import suppress
from typing import Any

import llvmlite.binding as llvm

_loaded_engines: list[Any] = []
"""They own the code, which is called till the process ends."""


def load_object_files(object_files: list[bytes], symbol: str) -> int:
    """The address of a function in object files that have been loaded and linked with one another."""
    _initialize_llvm()
    llvm.check_jit_execution()
    machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(codemodel="jitdefault", jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    for code in object_files:
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address: int = engine.get_function_address(symbol)
    if not address:
        raise RuntimeError(f"no function {symbol} in its object file")
    _loaded_engines.append(engine)
    return address


def _initialize_llvm() -> None:
    """What LLVM wants to be told before it is used; saying it again does nothing."""
    with suppress(RuntimeError):  # later releases do that themselves and refuse to be asked
        llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
