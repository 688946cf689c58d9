"""Kernels as parts of the entries that call them: linked in, but neither optimised nor made machine code by themselves.

Numba finishes every function before it copies it into its callers, where it is finished again. Here
nobody else calls a kernel, so the whole is finished once: a quarter of all compiling saved, and
what comes out is as fast.
"""

from typing import Any

from numba import _dynfunc
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering


class _PartLibrary(JITCodeLibrary):  # type: ignore[misc]
    """Code that is kept as it was written down, to be linked into other code."""

    def _optimize_final_module(self) -> None:
        """Left to whoever links this in."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _PartLowering(NativeLowering):  # type: ignore[misc]
    """Numba's own way from typed code to LLVM's, into a library of parts."""

    _name = "part_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        part = _placeholder(lowered.fndesc, lowered.env, state.library)
        state.targetctx.insert_user_function(part, lowered.fndesc, [state.library])
        state["cr"] = lowered._replace(cfunc=part)
        return True


def _placeholder(description: Any, environment: Any, library: Any) -> Any:
    """What Numba's dispatcher wants to hold for every function, here one that has no address to be called at."""
    name = description.qualname.split(".")[-1]
    return _dynfunc.make_function(description.lookup_module(), name, "", 0, environment, (library,))


class PartCompiler(CompilerBase):  # type: ignore[misc]
    """Numba's compiler of functions without the interpreter, but for the last step."""

    def define_pipelines(self) -> list[Any]:
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
        manager.passes = [(_PartLowering if step is NativeLowering else step, why) for step, why in manager.passes]
        manager.finalize()
        return [manager]
