"""Write the answers of a worker process to a stream that output of libraries cannot reach."""

import json
import os
import sys
import warnings
from collections.abc import Callable


def open_answer_stream() -> Callable[[dict], None]:
    """Redirect standard output to null and return a function that writes one answer to the former one."""
    warnings.simplefilter("ignore")
    stream = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - open until the process ends

    def write_answer(values: dict) -> None:
        stream.write(json.dumps(values) + "\n")
        stream.flush()

    return write_answer


def describe_failure(error: BaseException) -> str:
    """Return one short line on the cause of a failure."""
    first_line = (str(error).strip().splitlines() or [""])[0]
    if isinstance(error, ModuleNotFoundError):
        return f"not installed ({first_line})"
    if isinstance(error, TimeoutError):
        return f"left out ({first_line})"
    return f"failed: {type(error).__name__}: {first_line}"[:200]
