"""The line that a measured process answers on: libraries that print cannot reach it."""

import json
import os
import sys
import warnings
from collections.abc import Callable


def open_answer_stream() -> Callable[[dict], None]:
    """Silence everything else, and return the function that writes one answer."""
    warnings.simplefilter("ignore")
    line = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - it lives as long as the process

    def answer(values: dict) -> None:
        line.write(json.dumps(values) + "\n")
        line.flush()

    return answer


def describe_failure(error: BaseException) -> str:
    """What went wrong, on one short line."""
    first = (str(error).strip().splitlines() or [""])[0]
    if isinstance(error, ModuleNotFoundError):
        return f"not installed ({first})"
    if isinstance(error, TimeoutError):
        return f"left out ({first})"
    return f"failed: {type(error).__name__}: {first}"[:200]
