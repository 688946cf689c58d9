"""Kernels as parts of the entries that call them: linked in, but neither optimised nor made machine code by themselves.

Numba finishes every function before it copies it into its callers, where it is finished again. Here
nobody else calls a kernel, so each is written down once, and the whole is finished once.
"""

import hashlib

import llvmlite.binding as llvm
from numba import _dynfunc
from numba.core import cgutils
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering

SHARED_KERNELS = {
    "load_rows",
    "load_row_weights",
    "whiten_tile",
    "compute_component_scores",
    "compute_and_write_responsibilities",
    "accumulate_component",
}
"""Kernels that several entries call at great length: the first object file that holds them serves them all."""

_SKIPPED_NUMBA_PASSES = {
    "WithLifting",
    "InlineClosureLikes",
    "RewriteDynamicRaises",
    "MakeFunctionToJitFunction",
    "InlineInlinables",
    "LiteralUnroll",
    "LiteralPropagationSubPipelinePass",
    "InlineOverloads",
    "NopythonRewrites",
    "DumpParforDiagnostics",
}
"""Steps of Numba's for what kernels do not contain: contexts, closures, array expressions, tuples looped over."""


class _UnoptimizedLibrary(JITCodeLibrary):
    """Code that is kept as it was written down, to be linked into other code."""

    def __init__(self, codegen, name):
        super().__init__(codegen, name)
        self.ir_texts, self.symbol, self.shared_name = [], "", ""

    def add_ir_module(self, ir_module):
        self._raise_if_finalized()
        self.ir_texts.append(cgutils.normalize_ir_text(str(ir_module)))

    def add_linking_library(self, library):
        self._linking_libraries.append(library)

    def finalize(self):
        """Left to whoever links this in."""
        self._finalized = True


def collect_modules(library, base_object_file):
    """What a library calls, itself included: modules to link in, and names for parts that other objects share.

    Parts that ``base``, an object file, has under such a name are left out.
    """
    found, shared = {}, {}

    def gather(each):
        if each in found:
            return
        name = getattr(each, "shared_name", "")
        if name:
            shared[each.symbol] = name
            if name.encode() + b"\0" in base_object_file:
                return
        found[each] = None
        for other in each._linking_libraries:
            gather(other)

    gather(library)
    modules = []
    for each in found:
        written = each.ir_texts if isinstance(each, _UnoptimizedLibrary) else [str(each._get_module_for_linking())]
        modules += map(llvm.parse_assembly, written)
    return modules, shared


@register_pass(mutates_CFG=True, analysis_only=False)
class _DeferredLowering(NativeLowering):
    """Numba's own way from typed code to LLVM's, into a library of parts."""

    _name = "part_lowering"

    def run_pass(self, state):
        state.library = _UnoptimizedLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        state.library.symbol = lowered.fndesc.mangled_name
        if lowered.fndesc.qualname in SHARED_KERNELS:
            types = hashlib.sha256(str(lowered.fndesc.argtypes).encode()).hexdigest()[:16]
            state.library.shared_name = f"gaussmix.{lowered.fndesc.qualname}.{types}"
        part = _make_placeholder(lowered.fndesc, lowered.env, state.library)
        state.targetctx.insert_user_function(part, lowered.fndesc, [state.library])
        state["cr"] = lowered._replace(cfunc=part)
        return True


def _make_placeholder(description, environment, library):
    """What Numba's dispatcher wants to hold for every function, here one that has no address to be called at."""
    name = description.qualname.split(".")[-1]
    return _dynfunc.make_function(description.lookup_module(), name, "", 0, environment, (library,))


class KernelCompiler(CompilerBase):
    """Numba's way without the interpreter, but for what kernels do not need, and for the last step."""

    def define_pipelines(self):
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
        steps = [(step, why) for step, why in manager.passes if step.__name__ not in _SKIPPED_NUMBA_PASSES]
        manager.passes = [(_DeferredLowering if step is NativeLowering else step, why) for step, why in steps]
        manager.finalize()
        return [manager]
