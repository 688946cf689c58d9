"""A row of X is reached from `GaussianMixture.fit` through few functions of our own."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gaussmix
from gaussmix import GaussianMixture
from gaussmix.core.threads import threads
from gaussmix.engines import numpy_engine

MAX_FRAMES = 8
ROOT = str(Path(gaussmix.__file__).parent)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_row_is_at_most_eight_frames_below_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """From `fit` to the function that turns the rows of a tile into moments, in an iteration of EM."""
    chains: set[tuple[str, ...]] = set()
    accumulate = numpy_engine._accumulate_tile

    def record_and_accumulate(*arguments: Any) -> Any:
        frame, chain = sys._getframe(1), ["_accumulate_tile"]
        while frame is not None:
            if frame.f_code.co_filename.startswith(ROOT):
                chain.append(frame.f_code.co_name)
            frame = frame.f_back  # type: ignore[assignment]
        chains.add(tuple(reversed(chain)))
        return accumulate(*arguments)

    monkeypatch.setattr(numpy_engine, "_accumulate_tile", record_and_accumulate)
    rows = np.random.default_rng(0).normal(size=(300, 2))
    with threads(1):
        options = {"init_params": "random_from_data", "engine": "numpy", "max_iter": 3, "tol": 0.0}
        GaussianMixture(3, random_state=0, **options).fit(rows)
    iterations = [chain for chain in chains if "run_solver" in chain and "e_step" in chain]
    assert iterations
    assert max(map(len, iterations)) <= MAX_FRAMES, iterations
