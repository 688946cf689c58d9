"""Link kernels into the functions that call them, and optimize each function once as a whole.

Numba optimizes every function before it copies it into its callers, where it is optimized again. Kernels
are called by nothing else, so they are kept as unoptimized LLVM code here.
"""

import llvmlite.binding as llvm
from numba import _dynfunc
from numba.core import cgutils
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering

# Passes of Numba for features that kernels do not use: contexts, closures, array expressions, loops over tuples.
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


class _UnoptimizedLibrary(JITCodeLibrary):
    """A code library that keeps its LLVM code unoptimized, to be linked into other code."""

    def __init__(self, codegen, name):
        super().__init__(codegen, name)
        self.ir_texts = []

    def add_ir_module(self, ir_module):
        """Keep the LLVM code of a module."""
        self._raise_if_finalized()
        self.ir_texts.append(cgutils.normalize_ir_text(str(ir_module)))

    def add_linking_library(self, library):
        """Record a library that this one calls."""
        self._linking_libraries.append(library)

    def finalize(self):
        """Mark the library as complete; the caller that links it in optimizes it."""
        self._finalized = True


def collect_modules(libraries):
    """Return the LLVM modules of code libraries and of all libraries that they call, each once."""
    found = {}

    def add_library(library):
        if library not in found:
            found[library] = None
            for callee in library._linking_libraries:
                add_library(callee)

    for library in libraries:
        add_library(library)
    return [llvm.parse_assembly(text) for library in found for text in _texts_of(library)]


def _texts_of(library):
    """Return the LLVM code of a library's modules."""
    return library.ir_texts if isinstance(library, _UnoptimizedLibrary) else [str(library._get_module_for_linking())]


@register_pass(mutates_CFG=True, analysis_only=False)
class _DeferredLowering(NativeLowering):
    """Numba's translation to LLVM, into an unoptimized library."""

    _name = "part_lowering"

    def run_pass(self, state):
        """Translate a typed function and register it for its callers."""
        state.library = _UnoptimizedLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        placeholder = _make_placeholder(lowered.fndesc, lowered.env, state.library)
        state.targetctx.insert_user_function(placeholder, lowered.fndesc, [state.library])
        state["cr"] = lowered._replace(cfunc=placeholder)
        return True


def _make_placeholder(description, environment, library):
    """Return the function object that Numba's dispatcher requires; it has no address."""
    name = description.qualname.split(".")[-1]
    return _dynfunc.make_function(description.lookup_module(), name, "", 0, environment, (library,))


class KernelCompiler(CompilerBase):
    """Numba's compiler without interpreter fallback, unneeded passes and final code generation."""

    def define_pipelines(self):
        """Return Numba's pipeline with the deferred lowering."""
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes = [
            (numba_pass, description)
            for numba_pass, description in manager.passes
            if numba_pass.__name__ not in _SKIPPED_NUMBA_PASSES
        ]
        manager.passes = [
            (_DeferredLowering if numba_pass is NativeLowering else numba_pass, description)
            for numba_pass, description in passes
        ]
        manager.finalize()
        return [manager]
