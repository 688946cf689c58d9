"""One home for each kind of act: whoever looks for it knows the file."""

import re
from collections.abc import Iterator

import pytest

from tests.architecture.rooms import MODULES, Module

FACTORISE = r"(np|numpy|scipy)\.linalg\.(?!LinAlgError|norm).*"
READ_A_CLOCK = r"time\.(time|perf_counter|monotonic|process_time)(_ns)?"
DRAW = r"(np|numpy)\.random\.\w+|random\.\w+|check_random_state"
PRINT = r"print"

HOMES = {
    "factorise a matrix": (FACTORISE, {"core/linalg.py"}),
    # The loop owns the clock of passes; the others time one whole call for the record of a fit.
    "read a clock": (
        READ_A_CLOCK,
        {
            "solvers/run_monitor.py",
            "selection/search.py",
            "estimators/_verbose.py",
        },
    ),
    "make a random generator": (
        DRAW,
        {
            "core/random_numbers.py",
            "solvers/initialization/",
            "selection/",
            "comparison/metrics.py",
            "estimators/_validation.py",
            "plots/plot_data.py",  # which rows of many are drawn
        },
    ),
    "print": (PRINT, {"cli/", "estimators/_verbose.py"}),
}


def _is_at_home(module: Module, homes: set[str]) -> bool:
    return any(module.name.startswith(home) if home.endswith("/") else module.name == home for home in homes)


def _acts(module: Module, pattern: str) -> Iterator[str]:
    for name, line in module.calls():
        if re.fullmatch(pattern, name):
            yield f"{name} in line {line}"


@pytest.mark.parametrize("act", HOMES)
def test_act_stays_at_home(act: str) -> None:
    pattern, homes = HOMES[act]
    away = [module for module in MODULES if not _is_at_home(module, homes)]
    found = [f"{module.name}: {call}" for module in away for call in _acts(module, pattern)]
    assert not found, f"{', '.join(found)}; to {act} is for {sorted(homes)}"


def test_a_clock_is_not_handed_on() -> None:
    homes = HOMES["read a clock"][1]
    for module in MODULES:
        named = [line for name, line in module.mentions() if re.fullmatch(READ_A_CLOCK, name)]
        assert not named or _is_at_home(module, homes), f"{module.name} names a clock in line {named}"


def test_factorising_is_not_imported_by_another_name() -> None:
    for module in MODULES:
        lines = [line for name, line in module.imports() if name.endswith("linalg") and not name.startswith("gaussmix")]
        assert not lines or module.name == "core/linalg.py", f"{module.name} imports a linalg in line {lines}"


def test_every_home_exists() -> None:
    names = [module.name for module in MODULES]
    for _, homes in HOMES.values():
        for home in homes:
            assert any(name.startswith(home) for name in names), f"no file {home}: the table of homes is stale"
