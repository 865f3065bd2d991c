"""One thread for linear algebra in this process, as the workers have it.

Small products on two threads of a busy machine take up to fifty times as long as on one: the threads wait
for each other, spinning. Worker processes get this from their environment; a process that runs already
cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold the linear algebra libraries that are loaded by now to one thread, until the end of the block."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:  # it comes with scikit-learn; without it everything works, slower on busy machines
        yield
        return
    with threadpool_limits(limits=1):
        yield
