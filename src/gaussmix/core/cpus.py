"""The default number of threads: processors, CPU quota of control groups, and environment variables."""

import math
import os
import sys
from functools import cache

_THREAD_COUNT_VARIABLES = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
_UNLIMITED_CPUS = float(1 << 30)
_CGROUP_MEMBERSHIP_FILE, _CGROUP_ROOT = "/proc/self/cgroup", "/sys/fs/cgroup"


def default_n_threads() -> int:
    """Return the minimum of the available processors, the CPU quota, and the thread counts in the environment.

    Processors are those of the affinity. The quota is that of the control groups (version 1 or 2), rounded up. The
    environment variables are OMP_NUM_THREADS and NUMBA_NUM_THREADS, if set to a number. In a worker of joblib or Dask
    it is 1, since these already distribute the processors among their workers.
    """
    if _is_joblib_worker() or _is_dask_worker():
        return 1
    allowed = [
        _count_processors(),
        math.ceil(_cpu_quota(_CGROUP_MEMBERSHIP_FILE, _CGROUP_ROOT)),
        *_thread_counts_from_environment(),
    ]
    return max(1, min(allowed))


def _count_processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _thread_counts_from_environment() -> list[int]:
    """Return the thread counts in the environment; of a list (one per nesting level) the first."""
    values = (os.environ.get(name, "").split(",")[0].strip() for name in _THREAD_COUNT_VARIABLES)
    return [int(value) for value in values if value.isdecimal() and int(value) > 0]


def _is_joblib_worker() -> bool:
    """Return whether joblib runs this thread or process as a worker, without importing joblib."""
    active = getattr(sys.modules.get("joblib.parallel"), "get_active_backend", None)
    return active is not None and (active()[0].nesting_level or 0) > 0


def _is_dask_worker() -> bool:
    """Return whether a Dask worker runs this thread, without importing Dask."""
    worker = getattr(sys.modules.get("distributed.worker"), "get_worker", None)
    if worker is None:
        return False
    try:
        worker()
    except ValueError:  # what it raises outside a task
        return False
    return True


@cache
def _cpu_quota(membership_file: str, cgroup_root: str) -> float:
    """Return the CPU quota of the control groups of this process, in processors (a fraction), at least 1."""
    folders = [cgroup_root, f"{cgroup_root}/cpu", f"{cgroup_root}/cpu,cpuacct"]
    for line in _read_text_or_empty(membership_file).splitlines():
        _, controllers, group = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            mounts = [cgroup_root] if not controllers else [f"{cgroup_root}/cpu", f"{cgroup_root}/{controllers}"]
            folders += [mount + level for mount in mounts for level in _paths_of_group_and_parents(group)]
    return max(min(map(_cpu_quota_of_folder, folders)), 1.0)


def _paths_of_group_and_parents(group: str) -> list[str]:
    """Return the paths of a control group and its parents, without the root: '/a/b', '/a'."""
    names = [name for name in group.split("/") if name]
    return ["/" + "/".join(names[:depth]) for depth in range(len(names), 0, -1)]


def _cpu_quota_of_folder(folder: str) -> float:
    """Return quota / period of one group; ``_UNLIMITED_CPUS`` if it has no limit ('max', -1) or does not exist."""
    version_1_names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    text = _read_text_or_empty(f"{folder}/cpu.max") or "".join(
        _read_text_or_empty(f"{folder}/{name}") for name in version_1_names
    )
    try:
        quota, period = (float(number) for number in text.split())
    except ValueError:
        return _UNLIMITED_CPUS
    return quota / period if quota > 0 and period > 0 else _UNLIMITED_CPUS


def _read_text_or_empty(path: str) -> str:
    """Return the content of a file, or an empty text if it cannot be read."""
    try:
        with open(path, encoding="ascii") as source:
            return source.read()
    except (OSError, UnicodeDecodeError):
        return ""
