"""Running chunks over processes or a cluster, the most important first, and telling how long it will take."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.truth.breaks import breaking
from benchmarks.truth.cells import Cell
from benchmarks.truth.replicate import Row, replicate
from benchmarks.truth.store import Chunk, Store

ROOT = Path(__file__).parents[2]
Answer = Callable[[Cell, int], list[Row]]
ROUNDS = (50, 400, 1000)  # replicates that every cell has before any cell goes on


def run_chunk(chunk: Chunk, broken: str = "", answer: Answer | None = None) -> tuple[Chunk, list[Row], float]:
    """Run a chunk in this process; with `broken`, on a method broken on purpose. Also the processor's seconds."""
    from threadpoolctl import threadpool_limits

    start = time.process_time()
    with threadpool_limits(limits=1), breaking(broken):
        rows = [row for number in range(chunk.start, chunk.stop) for row in (answer or replicate)(chunk.cell, number)]
    return chunk, rows, time.process_time() - start


def in_order(chunks: Sequence[Chunk]) -> list[Chunk]:
    """Sort chunks so that every cell has its first replicates before any has its last; named cells come first."""

    def place(chunk: Chunk) -> int:
        reached = 4 * chunk.start if chunk.predicts else chunk.start - chunk.cell.forest_replicates
        return sum(reached >= edge for edge in ROUNDS)

    return sorted(chunks, key=place)


def run_campaign(
    chunks: Sequence[Chunk],
    store: Store,
    *,
    backend: str,
    jobs: int,
    broken: str = "",
    scheduler: str = "",
    answer: Answer | None = None,
) -> None:
    """Run the chunks that the store lacks, and write each as it is finished; `answer` stands in for `replicate`."""
    from joblib import Parallel, delayed

    waiting = in_order([chunk for chunk in chunks if not store.has(chunk)])
    total, done, spent, start = sum(chunk.weight for chunk in waiting), 0.0, 0.0, time.monotonic()
    code = version_of_code()
    sys.stderr.write(f"{len(waiting)} of {len(chunks)} chunks to run, about {total / 3600:.1f} processor hours\n")
    with joblib_backend(backend, jobs, scheduler):
        parallel = Parallel(n_jobs=jobs, return_as="generator_unordered", pre_dispatch="2*n_jobs")
        for chunk, rows, seconds in parallel(delayed(run_chunk)(chunk, broken, answer) for chunk in waiting):
            store.write(chunk, rows, code=code)
            done, spent = done + chunk.weight, spent + seconds
            passed = time.monotonic() - start
            left = passed * (total / done - 1)
            sys.stderr.write(
                f"{done / total:6.1%}  {chunk.cell.name} {chunk.start}-{chunk.stop}  "
                f"{seconds / (chunk.stop - chunk.start):.2f} s each  {left / 60:.0f} min left\n"
            )


@contextmanager
def joblib_backend(backend: str, jobs: int, scheduler: str) -> Iterator[None]:
    """Use joblib's own processes, or a Dask cluster: the one at `scheduler`, or a local one of `jobs` workers."""
    from joblib import parallel_config

    if backend != "dask":
        with parallel_config(backend=backend):
            yield
        return
    from dask.distributed import Client, LocalCluster

    if scheduler:
        with Client(scheduler), parallel_config(backend="dask"):
            yield
        return
    with (
        LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        parallel_config(backend="dask"),
    ):
        yield


def version_of_code() -> str:
    """Return the commit that is checked out, short; "" outside a repository."""
    told = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return told.stdout.strip()
