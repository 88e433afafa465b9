"""Sharing work out over threads; kernels release Python's lock, so threads are enough."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def count_threads(n_jobs: int | None) -> int:
    """Threads for ``n_jobs`` as scikit-learn means it: None is 1, -1 all that this process may use.

    What a process may use is what the system gives it, and no more than
    NUMBA_NUM_THREADS where that is set, as joblib does for its workers.
    """
    if n_jobs is None:
        return 1
    if n_jobs < 0:
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        limit = int(os.environ.get("NUMBA_NUM_THREADS") or available)
        return max(1, min(available, limit) + 1 + n_jobs)
    return max(1, n_jobs)


def over_threads(work: Callable[[Item], Result], items: Sequence[Item], n_threads: int) -> Iterator[Result]:
    """Yield what the work makes of each item, in their order; without a thread where one would do it all."""
    if n_threads == 1 or len(items) < 2:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(max_workers=min(n_threads, len(items))) as pool:
        yield from pool.map(work, items)
