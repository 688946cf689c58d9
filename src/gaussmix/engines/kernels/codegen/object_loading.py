"""Load object files into the process with LLVM's loader.

Numba is not imported: that would take half a second and more memory than a fit.
"""

from contextlib import suppress
from typing import Any

import llvmlite.binding as llvm

# Owners of the loaded code, which may be called until the process ends.
_loaded_engines: list[Any] = []


def load_object_files(object_files: list[bytes], symbol: str) -> int:
    """Load object files, link them with one another, and return the address of ``symbol``."""
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
    """Initialize LLVM for this machine; further calls do nothing."""
    with suppress(RuntimeError):  # newer releases initialize themselves and raise here
        llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
