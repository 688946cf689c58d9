"""The cache of object files: code is compiled once, found by the next process, and never causes a failure."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gaussmix.engines.kernels.codegen import object_cache
from gaussmix.engines.kernels.codegen.object_cache import hash_sources

TINY = """
import tempfile
import numpy as np
from gaussmix.engines.kernels.codegen.compiled_functions import CompiledFunction

def import_kernel():
    from gaussmix.engines.kernels.codegen.decorators import entry_point, kernel
    print("compiled")

    @kernel
    def twice(x):
        return 2.0 * x

    @entry_point
    def add_twice(values):
        total = 0.0
        for value in values:
            total += twice(value)
        return int(total)

    return add_twice

{setup}
add_twice = CompiledFunction("add_twice", import_kernel)
assert add_twice(np.arange(4.0)) == 12
assert add_twice(np.arange(5.0)) == 20
"""
LARGE_FIT = """
import sys, warnings
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from gaussmix import GaussianMixture
from gaussmix.engines import NumpyEngine, automatic
from gaussmix.engines.kernels import CompiledEngine

warnings.simplefilter("ignore", ConvergenceWarning)
{setup}
rng = np.random.default_rng(0)
center = 20.0 * rng.normal(size=(150, 4))
rows = center[rng.integers(150, size=5000)] + rng.normal(size=(5000, 4))
automatic.MIN_NANOSECONDS_FOR_COMPILED = 0
lower_bounds = []
for engine_class in (CompiledEngine, NumpyEngine):
    automatic.compiled_or_numpy_engine = engine_class
    fitted = GaussianMixture(150, means_init=center, max_iter=3, tol=0.0).fit(rows)
    lower_bounds.append(fitted.lower_bound_)
assert abs(lower_bounds[0] / lower_bounds[1] - 1) < 1e-10
print("compiled" if sys.modules.get("numba") else "")
"""
COMPILED_FUNCTIONS = ["fill_candidate_lists", "mark_open_pairs", "run_full_pass", "run_screened_pass"]
HIT, MISS = "", "compiled"


def start_process(code: str = TINY, setup: str = "", **environment: str) -> subprocess.Popen[str]:
    """Start a fresh interpreter that prints whether it compiled."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code.replace("{setup}", setup)],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_output(running: subprocess.Popen[str]) -> str:
    output, errors = running.communicate(timeout=120)
    assert running.returncode == 0, errors
    return output.strip()


def run_process(code: str = TINY, setup: str = "", **environment: str) -> str:
    return read_output(start_process(code, setup, **environment))


def list_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_code_is_compiled_once_and_a_damaged_file_is_compiled_again(tmp_path: Path) -> None:
    assert run_process(NUMBA_CACHE_DIR=str(tmp_path)) == MISS
    assert run_process(NUMBA_CACHE_DIR=str(tmp_path)) == HIT
    (file,) = list_files(tmp_path)
    whole = file.read_bytes()
    for damaged in (b"", whole[:-1] + b"?"):
        file.write_bytes(damaged)
        assert run_process(NUMBA_CACHE_DIR=str(tmp_path)) == MISS
        assert list_files(tmp_path) == [file]
    assert run_process(NUMBA_CACHE_DIR=str(tmp_path)) == HIT


def test_two_processes_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    running = [start_process(NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2)]
    assert {read_output(each) for each in running} <= {MISS, HIT}
    assert len(list_files(tmp_path)) == 1
    assert run_process(NUMBA_CACHE_DIR=str(tmp_path)) == HIT


def test_a_large_fit_finds_its_code_without_the_compiler_and_passes_share_kernels(tmp_path: Path) -> None:
    """A fit of very many components uses all functions of passes; their code needs neither Numba nor Python."""
    assert run_process(LARGE_FIT, NUMBA_CACHE_DIR=str(tmp_path)) == MISS
    files = list_files(tmp_path)
    assert [file.name.split(".")[0] for file in files] == COMPILED_FUNCTIONS
    for file in files:
        code = object_cache._read_verified(os.fspath(file))
        for foreign_name in (b"\0NRT_", b"\0numba_", b"\0Py", b"\0_Py"):
            assert foreign_name not in code, f"{file.name} refers to {foreign_name.decode()[1:]}..."
    assert run_process(LARGE_FIT, setup="sys.modules['numba'] = None", NUMBA_CACHE_DIR=str(tmp_path)) == HIT
    files[COMPILED_FUNCTIONS.index("run_full_pass")].unlink()
    assert run_process(LARGE_FIT, NUMBA_CACHE_DIR=str(tmp_path)) == MISS
    assert list_files(tmp_path) == files


def test_fits_work_without_any_writable_folder(tmp_path: Path) -> None:
    nowhere = str(unwritable_folder(tmp_path))
    setup = f"tempfile.tempdir = {nowhere!r}"
    settings = {"NUMBA_CACHE_DIR": nowhere, "XDG_CACHE_HOME": nowhere, "PYTHONDONTWRITEBYTECODE": "1"}
    settings |= {"HOME": nowhere, "LOCALAPPDATA": nowhere}
    assert run_process(setup=setup, **settings) == MISS
    assert run_process(setup=setup, **settings) == MISS


def unwritable_folder(folder: Path) -> Path:
    """Return a path below a file, where not even an administrator can write."""
    (folder / "file").touch()
    return folder / "file" / "folder"


@pytest.fixture
def searched_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Return a function that lists the searched folders by name if some of all places cannot be written to."""

    def search(*broken: str) -> list[str]:
        place = {
            name: str(unwritable_folder(tmp_path) if name in broken else tmp_path / name)
            for name in ("variable", "bytecode", "user", "temporary")
        }
        monkeypatch.setenv("NUMBA_CACHE_DIR", place["variable"])
        monkeypatch.setattr(object_cache.sys, "dont_write_bytecode", False)
        monkeypatch.setattr(
            object_cache.importlib.util, "cache_from_source", lambda source: f"{place['bytecode']}/x.pyc"
        )
        monkeypatch.setattr(object_cache, "_user_cache_folder", lambda: place["user"])
        monkeypatch.setattr(object_cache.tempfile, "gettempdir", lambda: place["temporary"])
        if "temporary" not in broken:
            os.makedirs(place["temporary"], exist_ok=True)
        seen = list(object_cache._iterate_cache_folders())
        return [next((n for n, p in place.items() if n not in broken and f.startswith(p)), "broken") for f in seen]

    return search


def test_the_search_ends_at_the_first_writable_folder(
    searched_folders: Callable[..., list[str]],
) -> None:
    assert searched_folders() == ["variable"]
    assert searched_folders("variable") == ["broken", "bytecode"]
    assert searched_folders("variable", "bytecode") == ["broken", "broken", "user"]
    assert searched_folders("variable", "bytecode", "user") == ["broken", "broken", "broken", "temporary"]
    assert searched_folders("variable", "bytecode", "user", "temporary") == ["broken"] * 3


def test_unset_folders_are_not_searched(
    searched_folders: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    searched_folders()
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    assert "variable" not in next(object_cache._iterate_cache_folders())
    monkeypatch.setattr(object_cache.sys, "dont_write_bytecode", True)
    assert "user" in next(object_cache._iterate_cache_folders())
    without_home = "~/.cache"  # expanduser leaves the path of a user without a home as it is
    monkeypatch.setattr(object_cache, "_user_cache_folder", lambda: without_home)
    assert "temporary" in next(object_cache._iterate_cache_folders())


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs users as POSIX knows them")
def test_a_public_temporary_folder_is_not_used(tmp_path: Path) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir(mode=0o700)
    link.symlink_to(folder)
    assert object_cache._is_private_folder(str(folder))
    assert not object_cache._is_private_folder(str(link))
    folder.chmod(0o777)
    assert not object_cache._is_private_folder(str(folder))


def test_the_hash_changes_with_any_source(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    first, second = tmp_path / "one.py", tmp_path / "deep" / "two.py"

    def stamp() -> str | None:
        hash_sources.cache_clear()
        return hash_sources(str(tmp_path))

    found = [stamp()]
    assert found == [None]
    for file, text in [(first, "a = 1"), (second, ""), (second, "b = 1"), (first, "a = 2")]:
        file.write_text(text)
        found.append(stamp())
    second.rename(tmp_path / "two.py")
    found.append(stamp())
    assert len(set(found)) == len(found)
    (tmp_path / "notes.txt").write_text("not a source")
    assert stamp() == found[-1]
    hash_sources.cache_clear()


def test_new_code_replaces_code_of_older_sources(tmp_path: Path) -> None:
    kept = ["f.new.1.obj", "f.new.2.obj", "g.old.1.obj", "f.old.pyc"]
    for name in [*kept, "f.old.1.obj", "f.older.1.obj"]:
        (tmp_path / name).touch()
    object_cache._remove_outdated_objects(str(tmp_path), "f.new.1.obj")
    assert sorted(os.listdir(tmp_path)) == sorted(kept)
