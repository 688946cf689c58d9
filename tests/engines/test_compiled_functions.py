"""Compiled functions: arguments arrive, threads share versions, and object files need no foreign symbols."""

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaussmix.engines.kernels import argument_tuples
from gaussmix.engines.kernels.codegen.compiled_functions import CompiledFunction
from gaussmix.engines.kernels.codegen.packed_arguments import PackedArguments, join_packed_arguments, pack_arguments
from gaussmix.errors import CompilationError
from gaussmix.types import AnyArray

LAYOUTS = {
    "RowArrays in doubles": (argument_tuples.RowArrays, "d2 d1 d1 d1 d1 q1 d2"),
    "RowArrays in singles": (argument_tuples.RowArrays, "f2 d1 d1 d1 d1 q1 d2"),
    "ModelArrays": (argument_tuples.ModelArrays, "q d1 d2 d1 d2 d1"),
    "ScreeningBounds": (argument_tuples.ScreeningBounds, "q d1 d1 d1 d1 q1 q1 d1 d1 d1 d1 d d1 d1 d1 d1 d1 d1 d1 d"),
    "ScreeningWorkspace": (argument_tuples.ScreeningWorkspace, "d1 d1 d1 q1 q1 q1 d1 q1 q1 q1 q1 q1"),
    "TileWorkspace": (
        argument_tuples.TileWorkspace,
        "q q d1 d1 d1 d1 d1 q1 b1 d1 d1 d1 d1 q1 q1 q1 d1 d1 q1 q1 q1 q1 d1 q2 q1 q1",
    ),
    "MomentSums": (argument_tuples.MomentSums, "d1 d1 d1 d1"),
    "RowResults": (argument_tuples.RowResults, "q1 d1 d1 d2 d2"),
}
TYPES = {"d": np.float64, "f": np.float32, "q": np.int64, "b": np.bool_}


@pytest.fixture(autouse=True)
def isolated_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is compiled here out of other caches."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))


def example(item: str, rng: np.random.Generator) -> Any:
    """Return a number, or an array with random lengths."""
    number = rng.integers(0, 2, 1) if item[0] == "b" else rng.integers(-(10**6), 10**6, 1)
    if item[1:]:
        shape = tuple(rng.integers(2, 6, int(item[1:])))
        return np.resize(rng.integers(0, 2 if item[0] == "b" else 10**6, 7), shape).astype(TYPES[item[0]])
    return float(number[0]) / 7 if item == "d" else int(number[0])


def make_reader(fields: list[str]) -> Callable[[], Any]:
    """Return a kernel that writes every number, and the lengths and last element of every array."""
    lines = []
    for field in fields:
        name, item = field.split()
        if not item[1:]:
            lines.append(f"out[at] = values.{name}; at += 1")
            continue
        axes = range(int(item[1:]))
        lines += [f"out[at] = values.{name}.shape[{axis}]; at += 1" for axis in axes]
        last = ", ".join(f"values.{name}.shape[{axis}] - 1" for axis in axes)
        lines.append(f"out[at] = 1.0 * values.{name}[{last}]; at += 1")
    code = "def read(values, out):\n    at = 0\n" + "".join(f"    {line}\n" for line in lines) + "    return at\n"

    def import_kernel() -> Any:
        from gaussmix.engines.kernels.codegen.decorators import entry_point

        place: dict[str, Any] = {}
        exec(code, place)
        return entry_point(place["read"])

    return import_kernel


def expected_readout(tuple_: tuple[Any, ...]) -> list[float]:
    """Return what the kernel writes."""
    found: list[float] = []
    for value in tuple_:
        found += [*value.shape, float(value.ravel()[-1])] if isinstance(value, np.ndarray) else [value]
    return found


@pytest.mark.parametrize("name", LAYOUTS)
def test_compiled_code_reads_packed_arguments(name: str) -> None:
    kind, layout = LAYOUTS[name]
    rng = np.random.default_rng(0)
    given = kind(*[example(item, rng) for item in layout.split()])
    words = pack_arguments(given)
    assert words.layout == f"{kind.__name__} {layout}"
    fields = [f"{field} {item}" for field, item in zip(kind._fields, layout.split(), strict=True)]
    out = np.zeros(100)
    count = CompiledFunction("read", make_reader(fields))(words, out)
    np.testing.assert_array_equal(out[:count], expected_readout(given))


def test_joined_parts_equal_the_whole() -> None:
    rng = np.random.default_rng(1)
    given = argument_tuples.RowArrays(*[example(item, rng) for item in LAYOUTS["RowArrays in singles"][1].split()])
    whole, parts = (
        pack_arguments(given),
        join_packed_arguments(
            argument_tuples.RowArrays, pack_arguments(given[:1]), pack_arguments(given[1:4]), pack_arguments(given[4:])
        ),
    )
    assert (parts.packed_bytes, parts.layout) == (whole.packed_bytes, whole.layout)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (np.zeros((4, 4))[:, ::2], ValueError),
        (np.zeros(3, dtype=np.int32), TypeError),
        (np.zeros(3, dtype=">f8"), TypeError),
        ("text", TypeError),
    ],
)
def test_unreadable_arguments_raise(value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="compiled code"):
        pack_arguments((value,))


def test_packed_arguments_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="addresses of this process"):
        pickle.dumps(pack_arguments((np.zeros(3),)))


def make_adder(events: list[str]) -> Callable[[], Any]:
    """Return a kernel of arrays and numbers that records its compilation."""

    def import_kernel() -> Any:
        from gaussmix.engines.kernels.codegen.decorators import entry_point

        events.append("compiled")

        @entry_point
        def add_up(numbers: AnyArray, twice: bool, plus: float, out: AnyArray) -> None:
            for number in numbers:
                out[0] += number * (2.0 if twice else 1.0) + plus

        return add_up

    return import_kernel


def test_threads_compile_the_same_version_once() -> None:
    events: list[str] = []
    function = CompiledFunction("add_up", make_adder(events))

    def sum_repeatedly(number: int) -> float:
        numbers, out = np.full(100, float(number)), np.zeros(1)
        for _ in range(50):
            assert function(numbers, number % 2 == 0, 0.5, out) == 0
        return float(out[0])

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(sum_repeatedly, range(32)))
    assert found == [50 * (100 * number * (2 - number % 2) + 50.0) for number in range(32)]
    assert events == ["compiled"]


def test_each_combination_of_types_has_a_version() -> None:
    events: list[str] = []
    function = CompiledFunction("add_up", make_adder(events))
    for numbers in (np.arange(4.0), np.arange(4), np.arange(4, dtype=np.float32)):
        out = np.zeros(1)
        function(numbers, True, 1.0, out)
        assert out[0] == 16.0
    assert len(events) == 3


def import_random_kernel() -> Any:
    """Return a kernel that needs Numba's own library."""
    from gaussmix.engines.kernels.codegen.decorators import entry_point

    @entry_point
    def draw(out: AnyArray) -> None:
        out[0] = np.random.random()

    return draw


def test_code_with_foreign_symbols_raises() -> None:
    function = CompiledFunction("draw", import_random_kernel)
    for _ in range(2):
        with pytest.raises(CompilationError, match="compiled code needs numba_"):
            function(np.zeros(1))


def test_packed_arguments_keep_their_arrays_alive() -> None:
    def make_arguments() -> PackedArguments:
        return pack_arguments((np.arange(1000.0),))

    words, out = make_arguments(), np.zeros(1)
    CompiledFunction("add_up", make_adder([]))(words, False, 0.0, out)
    assert out[0] == 499_500.0
