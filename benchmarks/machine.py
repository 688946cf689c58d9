"""Describe the machine, the commit and the packages of a benchmark."""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

REPOSITORY_ROOT = Path(__file__).resolve().parents[1]
_CPU_FLAGS = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512dq", "avx512vl", "avx512bw", "amx_tile", "asimd", "sve")
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_LIST_PACKAGES_SCRIPT = """
import json, platform
from importlib.metadata import distributions
names = {package.metadata["Name"]: package.version for package in distributions()}
print(json.dumps({"python": platform.python_version(), "packages": dict(sorted(names.items()))}))
"""


def _describe_processor() -> tuple[str, list[str]]:
    """Return the processor's name and its vector instruction sets."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine(), []
    fields: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = set((fields.get("flags") or fields.get("Features") or "").split())
    return fields.get("model name", platform.machine()), [flag for flag in _CPU_FLAGS if flag in flags]


def _memory_gb() -> float | None:
    """Return the main memory in GB."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        return None


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe_machine() -> dict:
    """Return the hardware, the system and the load at the start of the benchmark."""
    name, flags = _describe_processor()
    return {
        "processor": name,
        "instructions": flags,
        "cores": count_cores(),
        "memory_gb": _memory_gb(),
        "system": platform.platform(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "threads": {name: os.environ[name] for name in _THREAD_VARIABLES if name in os.environ},
    }


def commit_hash() -> str:
    """Return the abbreviated hash of the current commit, with '-dirty' if files have changed."""
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    run = subprocess.run(command, cwd=REPOSITORY_ROOT, capture_output=True, text=True, check=False)
    return run.stdout.strip() or "unknown"


def list_packages(interpreter: str) -> dict | None:
    """Return version and packages of a Python or Rscript interpreter, or None if it does not run."""
    is_r = Path(interpreter).name.startswith("Rscript")
    command = (
        [interpreter, str(REPOSITORY_ROOT / "benchmarks/adapters/mclust.R")]
        if is_r
        else [interpreter, "-c", _LIST_PACKAGES_SCRIPT]
    )
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        return json.loads(run.stdout)
    except (OSError, json.JSONDecodeError):
        return None


def build_record_header(command: str, arguments: dict, interpreters: list[str]) -> dict:
    """Return the record of a benchmark without its results: command, date, commit, machine and packages."""
    return {
        "command": command,
        "arguments": arguments,
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": commit_hash(),
        "machine": describe_machine(),
        "interpreters": {path: list_packages(path) for path in dict.fromkeys([sys.executable, *interpreters])},
    }
