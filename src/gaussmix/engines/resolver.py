"""Engines by name: the door through which everything above asks for one."""

from gaussmix.engines.automatic import NUMPY_ENGINE, AutomaticEngine, compiled_or_numpy_engine
from gaussmix.engines.base import AbstractEngine
from gaussmix.errors import ParameterError

ENGINE_NAMES = ("auto", "numpy", "compiled")


def resolve_engine(engine: str | AbstractEngine, n_rows: int) -> AbstractEngine:
    """Return the engine of a name, or the object if it is one; NumPy, with a warning, if compiled code is unavailable.

    Parameters
    ----------
    engine : {'auto', 'numpy', 'compiled'} or AbstractEngine
        'auto' takes compiled kernels, and NumPy for models that they do not support.
    n_rows : int
        Number of rows of the data.

    Raises
    ------
    ParameterError
        If there is no engine of that name, and if it is a class instead of an engine.
    """
    if isinstance(engine, AbstractEngine):
        return engine
    if not isinstance(engine, str) or engine not in ENGINE_NAMES:
        raise ParameterError.unknown_engine(engine, ENGINE_NAMES)
    if engine == "numpy":
        return NUMPY_ENGINE
    return AutomaticEngine(n_rows) if engine == "auto" else compiled_or_numpy_engine()
