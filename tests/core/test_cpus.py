"""How many threads a process may keep busy: by affinity, quota, environment, and whoever runs it."""

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
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine of 12 processors whose control groups are a folder of the test's own, and a silent environment."""
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


def test_every_processor_that_it_may_use() -> None:
    assert default_n_threads() == 12


def test_without_an_affinity_every_processor_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_the_environment_asks_for_fewer(
    monkeypatch: pytest.MonkeyPatch, openmp: str | None, numba: str | None, expected: int
) -> None:
    for name, value in (("OMP_NUM_THREADS", openmp), ("NUMBA_NUM_THREADS", numba)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert default_n_threads() == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [("max 100000", 12), ("300000 100000", 3), ("250000 100000", 3), ("50000 100000", 1), ("", 12), ("nonsense", 12)],
)
def test_a_quota_of_version_2(machine: Path, said: str, expected: int) -> None:
    write_group_files(machine, cpu_max=said)
    assert default_n_threads() == expected


def test_a_quota_further_up_counts_too(machine: Path) -> None:
    write_group_files(machine, membership="0::/outer/inner")
    write_group_files(machine / "outer" / "inner", cpu_max="800000 100000")
    write_group_files(machine / "outer", cpu_max="200000 100000")
    assert default_n_threads() == 2


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize(("quota", "expected"), [("-1", 12), ("150000", 2), ("400000", 4)])
def test_a_quota_of_version_1(machine: Path, mount: str, quota: str, expected: int) -> None:
    write_group_files(machine, membership="5:memory:/elsewhere\n3:cpu,cpuacct:/mine\n0::/")
    write_group_files(machine / mount / "mine", cpu_cfs_quota_us=quota, cpu_cfs_period_us="100000")
    assert default_n_threads() == expected


def test_a_container_sees_its_own_group_at_the_top(machine: Path) -> None:
    write_group_files(machine, membership="3:cpu:/a/name/of/the/host")
    write_group_files(machine / "cpu", cpu_cfs_quota_us="300000", cpu_cfs_period_us="100000")
    assert default_n_threads() == 3


WORKERS = """
import json, os
import joblib
from gaussmix.core import cpus

def allowed():
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.pop(name, None)
    cpus._count_processors, cpus._cpu_quota = (lambda: 8), (lambda *_: 8.0)
    return cpus.default_n_threads()

def within(backend):
    return joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(allowed)() for _ in range(2))

if __name__ == "__main__":
    print(json.dumps({"": allowed(), **{name: within(name) for name in ("loky", "multiprocessing", "threading")}}))
"""


def test_one_in_a_worker_of_joblib() -> None:
    pytest.importorskip("joblib")
    command = [sys.executable, "-W", "ignore", "-c", WORKERS]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told == {"": 8, "loky": [1, 1], "multiprocessing": [1, 1], "threading": [1, 1]}


@pytest.mark.parametrize(("is_task", "expected"), [(True, 1), (False, 12)])
def test_one_in_a_worker_of_dask(monkeypatch: pytest.MonkeyPatch, is_task: bool, expected: int) -> None:
    """What ``distributed`` answers: its worker within a task, ValueError elsewhere."""

    def get_worker() -> object:
        if is_task:
            return object()
        raise ValueError("No worker found")

    worker = types.ModuleType("distributed.worker")
    worker.get_worker = get_worker  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "distributed.worker", worker)
    assert default_n_threads() == expected
