"""The default number of threads: affinity, quota of control groups, environment, joblib and Dask workers."""

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from gaussmix.core import cpus
from gaussmix.core.cpus import default_n_threads


@pytest.fixture(autouse=True)
def cgroup_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Simulate 12 processors, no thread variables, and control groups in a temporary folder; return the folder."""
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(12)), raising=False)
    monkeypatch.setattr(cpus, "_CGROUP_MEMBERSHIP_FILE", str(tmp_path / "membership"))
    monkeypatch.setattr(cpus, "_CGROUP_ROOT", str(tmp_path))
    return tmp_path


def write_group_files(folder: Path, **texts: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name.replace("_", ".", 1)).write_text(text + "\n")


def test_default_is_the_number_of_processors_of_the_affinity() -> None:
    assert default_n_threads() == 12


def test_default_without_affinity_is_the_cpu_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert default_n_threads() == 5
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert default_n_threads() == 1


@pytest.mark.parametrize(
    ("openmp", "numba", "expected"),
    [
        ("3", None, 3),
        (None, "4", 4),
        ("3", "2", 2),
        ("64", None, 12),
        ("6,2", None, 6),
        (" 5 ", "", 5),
        ("0", "-1", 12),
        ("many", "2.5", 12),
    ],
)
def test_environment_variables_lower_the_default(
    monkeypatch: pytest.MonkeyPatch, openmp: str | None, numba: str | None, expected: int
) -> None:
    for name, value in (("OMP_NUM_THREADS", openmp), ("NUMBA_NUM_THREADS", numba)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert default_n_threads() == expected


@pytest.mark.parametrize(
    ("cpu_max", "expected"),
    [("max 100000", 12), ("300000 100000", 3), ("250000 100000", 3), ("50000 100000", 1), ("", 12), ("nonsense", 12)],
)
def test_cgroup_version_2_quota_is_rounded_up(cgroup_folder: Path, cpu_max: str, expected: int) -> None:
    write_group_files(cgroup_folder, cpu_max=cpu_max)
    assert default_n_threads() == expected


def test_quota_of_a_parent_group_counts(cgroup_folder: Path) -> None:
    write_group_files(cgroup_folder, membership="0::/outer/inner")
    write_group_files(cgroup_folder / "outer" / "inner", cpu_max="800000 100000")
    write_group_files(cgroup_folder / "outer", cpu_max="200000 100000")
    assert default_n_threads() == 2


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize(("quota", "expected"), [("-1", 12), ("150000", 2), ("400000", 4)])
def test_cgroup_version_1_quota_is_rounded_up(cgroup_folder: Path, mount: str, quota: str, expected: int) -> None:
    write_group_files(cgroup_folder, membership="5:memory:/elsewhere\n3:cpu,cpuacct:/mine\n0::/")
    write_group_files(cgroup_folder / mount / "mine", cpu_cfs_quota_us=quota, cpu_cfs_period_us="100000")
    assert default_n_threads() == expected


def test_quota_at_the_root_counts_if_the_group_path_does_not_exist(cgroup_folder: Path) -> None:
    write_group_files(cgroup_folder, membership="3:cpu:/a/name/of/the/host")
    write_group_files(cgroup_folder / "cpu", cpu_cfs_quota_us="300000", cpu_cfs_period_us="100000")
    assert default_n_threads() == 3


JOBLIB_SCRIPT = """
import json, os
import joblib
from gaussmix.core import cpus

def default_without_environment():
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.pop(name, None)
    cpus._count_processors, cpus._cpu_quota = (lambda: 8), (lambda *_: 8.0)
    return cpus.default_n_threads()

def run_in_workers(backend):
    return joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(default_without_environment)() for _ in range(2))

if __name__ == "__main__":
    backends = ("loky", "multiprocessing", "threading")
    counts = {name: run_in_workers(name) for name in backends}
    print(json.dumps({"": default_without_environment(), **counts}))
"""


def test_default_is_one_in_a_joblib_worker() -> None:
    pytest.importorskip("joblib")
    command = [sys.executable, "-W", "ignore", "-c", JOBLIB_SCRIPT]
    completed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert completed.returncode == 0, completed.stderr
    n_threads = json.loads(completed.stdout)
    assert n_threads == {"": 8, "loky": [1, 1], "multiprocessing": [1, 1], "threading": [1, 1]}


@pytest.mark.parametrize(("is_task", "expected"), [(True, 1), (False, 12)])
def test_default_is_one_in_a_dask_task(monkeypatch: pytest.MonkeyPatch, is_task: bool, expected: int) -> None:
    """``distributed.worker.get_worker`` returns the worker within a task and raises ValueError elsewhere."""

    def get_worker() -> object:
        if is_task:
            return object()
        raise ValueError("No worker found")

    worker = types.ModuleType("distributed.worker")
    worker.get_worker = get_worker  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "distributed.worker", worker)
    assert default_n_threads() == expected
