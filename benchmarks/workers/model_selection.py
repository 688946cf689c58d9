"""Time searches of gaussmix among all structures and 1 to 9 components; each line of input requests one.

Argument: a CSV file without a header.
"""

import sys
import time

import numpy as np

from benchmarks.workers.answer_stream import describe_failure, open_answer_stream


def main() -> None:
    """Answer lines of input until the input ends."""
    answer = open_answer_stream()
    try:
        from gaussmix import select

        rows = np.loadtxt(sys.argv[1], delimiter=",", ndmin=2)
        select(rows)
    except Exception as error:  # any failure of a library becomes a line of the table
        return answer({"reason": describe_failure(error)})
    answer({"ready": True})
    for _ in sys.stdin:
        start_time = time.perf_counter()
        selection = select(rows)
        seconds = time.perf_counter() - start_time
        answer({"seconds": seconds, "bic": selection.best.criteria["bic"], "best": selection.best.name})
    return None


if __name__ == "__main__":
    main()
