"""The shared library: what it needs from the process, and that the levels of processors agree."""

import ctypes
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gaussmix.errors import CompiledCodeError
from gaussmix.kernels import library
from gaussmix.kernels.codegen import library_building
from gaussmix.kernels.codegen.library_building import find_linker, host_target_name
from gaussmix.kernels.cpu_levels import CPU_LEVELS, level_from_name, levels_of_architecture
from gaussmix.types import AnyArray

# What the C library provides.
ALLOWED_SYMBOLS = {"memset", "memcpy", "memmove", "bzero"}

# The levels that this machine's processor has.
NATIVE_LEVELS = levels_of_architecture(platform.machine())
NATIVE_LEVELS = NATIVE_LEVELS[: 1 + NATIVE_LEVELS.index(library.load_library().level)]

COMPUTE = """
import sys
import numpy as np
from gaussmix.kernels import library
library.library_path = lambda: sys.argv[1]
from gaussmix import GaussianMixture, KMeans
from gaussmix.core.batch import Batch
from gaussmix.core.moments import MomentKind
from gaussmix.core.precision_roots import DensePrecisionRoot, DiagonalPrecisionRoot, SphericalPrecisionRoot
from gaussmix.core.quadratics import Quadratics
from gaussmix.engines.base import AssignmentKind
from gaussmix.engines.compiled import CompiledEngine

assert library.load_library().level.name == sys.argv[2]
results = {}
rng = np.random.default_rng(0)
for n, d, K in ((7, 1, 2), (300, 2, 3), (301, 5, 4), (1000, 8, 60), (200, 19, 3), (150, 70, 2)):
    centers = 4 * rng.normal(size=(K, d))
    rows = centers[rng.integers(K, size=n)] + rng.normal(size=(n, d))
    roots = np.triu(rng.normal(size=(K, d, d)) * 0.2 / d) + np.eye(d)
    for name, root, kind in (
        ("dense", DensePrecisionRoot(roots), MomentKind.FULL),
        ("diagonal", DiagonalPrecisionRoot(rng.uniform(0.5, 2, (K, d))), MomentKind.DIAGONAL),
        ("spherical", SphericalPrecisionRoot(rng.uniform(0.5, 2, K)), MomentKind.TRACE),
    ):
        quadratics = Quadratics(rng.normal(size=K), centers, root)
        engine, key = CompiledEngine(), f"{name} {n} {d} {K}"
        results[f"{key} scores"] = engine.compute_scores(quadratics, Batch(rows))
        for rows_of_type in (rows, rows.astype(np.float32)):
            for assignment in AssignmentKind:
                step = engine.make_e_step(quadratics, kind, assignment)
                found = step.finish(step(Batch(rows_of_type)))
                while not hasattr(found, "statistics"):
                    found = found.finish(found(Batch(rows_of_type)))
                moments = found.statistics.moments
                prefix = f"{key} {rows_of_type.dtype} {assignment}"
                results[f"{prefix} sums"] = np.array([found.log_likelihood, found.entropy])
                results[f"{prefix} moments"] = np.concatenate([moments.mass, *moments.mean, moments.scatter.ravel()])
rows = np.concatenate([rng.normal(size=(80, 3)), rng.normal(size=(70, 3)) * [0.5, 1.0, 2.0] + 3.0])
for name in "EII VII EEI VEI EVI VVI EEE VEE EVE VVE EEV VEV EVV VVV".split():
    fitted = GaussianMixture(2, covariance_type=name, random_state=0, tol=1e-9, max_iter=40).fit(rows)
    results[name] = np.array([fitted.lower_bound_, *fitted.means_.ravel()])
results["k-means"] = KMeans(3, random_state=0).fit(rows).cluster_centers_
np.savez(sys.argv[3], **results)
"""


def undefined_symbols(path: str) -> set[str]:
    """Return the symbols that a library expects from the process, without versions."""
    if sys.platform != "linux" or shutil.which("nm") is None:
        pytest.skip("listing symbols takes nm on Linux")
    listed = subprocess.run(["nm", "-D", "--undefined-only", path], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1].split("@")[0] for line in listed.splitlines()}


def test_the_library_needs_nothing_but_the_c_library() -> None:
    symbols = undefined_symbols(library.library_path())
    assert symbols <= ALLOWED_SYMBOLS


def test_other_symbols_are_seen(tmp_path: Path) -> None:
    (tmp_path / "code.c").write_text("double exp(double); double f(double x) { return exp(x); }")
    path = str(tmp_path / "code.so")
    subprocess.run([*find_linker(host_target_name()), "-fPIC", "-o", path, tmp_path / "code.c"], check=True)
    assert "exp" in undefined_symbols(path) - ALLOWED_SYMBOLS


def test_the_library_was_built_from_these_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    assert library_building.is_current()
    monkeypatch.setattr(library_building, "hash_sources", lambda: "others")
    assert not library_building.is_current()


@pytest.fixture(scope="module")
def library_of_lower_levels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build a library of the levels below that of this machine."""
    pytest.importorskip("numba")
    path = tmp_path_factory.mktemp("levels") / "kernels.so"
    library_building.build_library(host_target_name(), list(NATIVE_LEVELS[:-1]), path, find_linker(host_target_name()))
    return str(path)


def compute(path: str, level: str, target: Path) -> dict[str, AnyArray]:
    """Return results of all kinds of compiled functions of one level, computed in a process of its own."""
    command = [sys.executable, "-W", "error", "-c", COMPUTE, path, level, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(target) as results:
        return dict(results)


@pytest.mark.skipif(len(NATIVE_LEVELS) < 2, reason="this processor has only the lowest level")
def test_levels_agree(library_of_lower_levels: str, tmp_path: Path) -> None:
    native = compute(library.library_path(), NATIVE_LEVELS[-1].name, tmp_path / "native.npz")
    again = compute(library.library_path(), NATIVE_LEVELS[-1].name, tmp_path / "again.npz")
    lower = compute(library_of_lower_levels, NATIVE_LEVELS[-2].name, tmp_path / "lower.npz")
    differences = []
    for name, expected in native.items():
        np.testing.assert_array_equal(again[name], expected, err_msg=name)
        # Turns of shared axes end by a rule that rounding may meet one turn earlier.
        tolerance = (1e-10 if name == "VVE" else 1e-12) * np.abs(expected).max()
        np.testing.assert_allclose(lower[name], expected, rtol=0, atol=tolerance, err_msg=name)
        differences.append(np.abs(lower[name] - expected).max())
    assert max(differences) > 0.0  # else the same code ran twice


def test_a_level_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = library.load_library().handle
    name = NATIVE_LEVELS[-1].name
    assert library._choose_level(handle, name).name == name
    other = next(level for level in CPU_LEVELS if level.architecture != NATIVE_LEVELS[-1].architecture)
    with pytest.raises(CompiledCodeError, match=f"GAUSSMIX_CPU_LEVEL is '{other.name}', .* choose one of .*{name}"):
        library._choose_level(handle, other.name)


def test_an_unknown_architecture_has_no_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(CompiledCodeError, match="no code for riscv64; this processor has the levels: none"):
        library._choose_level(ctypes.CDLL(None), None)


def test_a_library_of_other_sources_lacks_a_function() -> None:
    with pytest.raises(CompiledCodeError, match="lacks draw_conclusions, so it belongs to another version"):
        library.load_library().address_of("draw_conclusions", 0)


@pytest.mark.parametrize("machine", ["x86_64", "AMD64", "aarch64", "arm64"])
def test_levels_rise(machine: str) -> None:
    levels = levels_of_architecture(machine)
    assert [level.simd_width for level in levels] == sorted(level.simd_width for level in levels)
    assert [level_from_name(level.name) for level in levels] == list(levels)


def test_an_unknown_level_raises() -> None:
    with pytest.raises(ValueError, match="no level 'x86-64-v9'; there are x86-64, x86-64-v3"):
        level_from_name("x86-64-v9")
