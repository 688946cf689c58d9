"""Compiled functions: arguments arrive, each combination of types has a version, and no foreign symbol is needed."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import numpy as np
import pytest

from gaussmix.kernels import argument_tuples
from gaussmix.kernels.codegen import simd
from gaussmix.kernels.compiled_functions import CompiledFunction
from gaussmix.kernels.field_types import Doubles1
from gaussmix.kernels.packed_arguments import PackedArguments, join_packed_arguments, pack_arguments
from tests.kernels.conftest import CompileFunction

LAYOUTS = {
    "RowArrays": (argument_tuples.RowArrays, "d2 b d1 d1 d1 d1 q1 d2"),
    "ModelArrays": (argument_tuples.ModelArrays, "q d1 d2 d1 d2 d1"),
    "ScreeningBounds": (
        argument_tuples.ScreeningBounds,
        "q d1 d1 d1 d1 q1 q1 d1 d1 d1 d1 d d1 d1 d1 d1 q1 d1 d1 d1 d1 d d1 d1",
    ),
    "ScreeningWorkspace": (argument_tuples.ScreeningWorkspace, "d1 d1 d1 d1 d1 q1 q1 q1 d1 q1 q1 q1 q1 q1"),
    "TileWorkspace": (
        argument_tuples.TileWorkspace,
        "q q d1 d1 d1 d1 d1 q1 b1 d1 d1 d1 d1 q1 q1 q1 d1 d1 q1 q1 q1 q1 d1 q2 q1 q1",
    ),
    "MomentSums": (argument_tuples.MomentSums, "d1 d1 d1 d1"),
    "RowResults": (argument_tuples.RowResults, "q1 d1 d1 d2 d2"),
}
TYPES = {"d": np.float64, "f": np.float32, "q": np.int64, "b": np.bool_}


def example(item: str, rng: np.random.Generator) -> Any:
    """Return a number, or an array with random lengths."""
    number = rng.integers(0, 2, 1) if item[0] == "b" else rng.integers(-(10**6), 10**6, 1)
    if item[1:]:
        shape = tuple(rng.integers(2, 6, int(item[1:])))
        return np.resize(rng.integers(0, 2 if item[0] == "b" else 10**6, 7), shape).astype(TYPES[item[0]])
    return {"d": float(number[0]) / 7, "q": int(number[0]), "b": bool(number[0])}[item]


def make_reader(fields: list[str]) -> Any:
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
    place: dict[str, Any] = {}
    exec(code, place)
    return place["read"]


def expected_readout(tuple_: tuple[Any, ...]) -> list[float]:
    """Return what the kernel writes."""
    found: list[float] = []
    for value in tuple_:
        found += [*value.shape, float(value.ravel()[-1])] if isinstance(value, np.ndarray) else [value]
    return found


@pytest.mark.parametrize("name", LAYOUTS)
def test_compiled_code_reads_packed_arguments(name: str, compile_function: CompileFunction) -> None:
    kind, layout = LAYOUTS[name]
    rng = np.random.default_rng(0)
    given = kind(*[example(item, rng) for item in layout.split()])
    words = pack_arguments(given)
    assert words.layout == f"{kind.__name__} {layout}"
    fields = [f"{field} {item}" for field, item in zip(kind._fields, layout.split(), strict=True)]
    out = np.zeros(100)
    count = compile_function(make_reader(fields), kind, Doubles1)(words, out)
    np.testing.assert_array_equal(out[:count], expected_readout(given))


def test_joined_parts_equal_the_whole() -> None:
    rng = np.random.default_rng(1)
    given = argument_tuples.RowArrays(*[example(item, rng) for item in LAYOUTS["RowArrays"][1].split()])
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


def add_up(numbers: Any, twice: bool, plus: float, out: Any) -> None:
    """Add up, as a kernel."""
    for number in numbers:
        out[0] += number * (2.0 if twice else 1.0) + plus


AnyNumbers = Annotated[Any, "d1", "f1", "q1"]


@pytest.fixture(scope="module")
def adder(compile_function: CompileFunction) -> CompiledFunction:
    return compile_function(add_up, AnyNumbers, bool, float, Doubles1)


def test_threads_share_a_version(adder: CompiledFunction) -> None:
    def sum_repeatedly(number: int) -> float:
        numbers, out = np.full(100, float(number)), np.zeros(1)
        for _ in range(50):
            assert adder(numbers, number % 2 == 0, 0.5, out) == 0
        return float(out[0])

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(sum_repeatedly, range(32)))
    assert found == [50 * (100 * number * (2 - number % 2) + 50.0) for number in range(32)]


def test_each_combination_of_types_has_a_version(adder: CompiledFunction) -> None:
    assert adder.layouts == [(f"{letter}1", "b", "d", "d1") for letter in "dfq"]
    for numbers in (np.arange(4.0), np.arange(4), np.arange(4, dtype=np.float32)):
        out = np.zeros(1)
        adder(numbers, True, 1.0, out)
        assert out[0] == 16.0


@pytest.mark.parametrize(
    "arguments", [(np.zeros((2, 2)), True, 1.0, np.zeros(1)), (np.zeros(2), 1, 1.0, np.zeros(1)), (np.zeros(2), True)]
)
def test_other_types_raise(adder: CompiledFunction, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match="compiled code has no add_up for"):
        adder(*arguments)


def draw(out: Any) -> None:
    """Draw a random number, as a kernel that needs Numba's own library."""
    out[0] = np.random.random()


def test_code_with_foreign_symbols_is_not_built(compile_function: CompileFunction) -> None:
    with pytest.raises(RuntimeError, match="compiled code needs numba_"):
        compile_function(draw, Doubles1)


def test_packed_arguments_keep_their_arrays_alive(adder: CompiledFunction) -> None:
    def make_arguments() -> PackedArguments:
        return pack_arguments((np.arange(1000.0),))

    words, out = make_arguments(), np.zeros(1)
    adder(words, False, 0.0, out)
    assert out[0] == 499_500.0


def log_and_exp(numbers: Any, logs: Any, exponentials: Any) -> None:
    """Write logarithms and exponentials, as a kernel."""
    for i in range(numbers.shape[0]):
        logs[i] = simd.scalar_log(numbers[i])
        exponentials[i] = simd.scalar_exp(numbers[i])


def test_logarithm_and_exponential_of_any_number(compile_function: CompileFunction) -> None:
    rng = np.random.default_rng(0)
    special = [0.0, -0.0, -1.0, 1.0, np.inf, -np.inf, np.nan, 5e-324, 2.0**-1022, 1.7e308, 709.7, -745.0, -746.0, 710.0]
    numbers = np.concatenate([special, rng.normal(size=200) * 300, np.exp(rng.uniform(-740, 700, 200))])
    logs, exponentials = np.empty(len(numbers)), np.empty(len(numbers))
    compile_function(log_and_exp, Doubles1, Doubles1, Doubles1)(numbers, logs, exponentials)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(logs, np.log(numbers), rtol=4e-16, atol=4e-16)
        # A square of a root loses the last bits of results that are subnormal.
        np.testing.assert_allclose(exponentials, np.exp(numbers), rtol=2e-15, atol=1e-322)
