"""gaussmix's choice among all structures and 1 to 9 components: every line of input asks for one, timed whole.

Argument: a CSV file without a header.
"""

import sys
import time

import numpy as np

from benchmarks.workers.answer_stream import describe_failure, open_answer_stream


def main() -> None:
    """Answer until the input ends."""
    answer = open_answer_stream()
    try:
        from gaussmix import select

        rows = np.loadtxt(sys.argv[1], delimiter=",", ndmin=2)
        select(rows)
    except Exception as error:  # whatever a library raises becomes a line of the table
        return answer({"reason": describe_failure(error)})
    answer({"ready": True})
    for _ in sys.stdin:
        began = time.perf_counter()
        found = select(rows)
        seconds = time.perf_counter() - began
        answer({"seconds": seconds, "bic": found.best.criteria["bic"], "best": found.best.name})
    return None


if __name__ == "__main__":
    main()
