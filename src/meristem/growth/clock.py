"""Time and interruption of a run."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

_AFTER_STOP = 1.0  # seconds that all that comes after the search may take once the user has said stop
_GRACE = 0.15  # seconds kept back for what comes after the last measured step


@dataclass
class Clock:
    """When a run began and when its parts must end. All times are `time.monotonic()` seconds.

    Args:
        limit: Seconds of the whole run, infinite when only trials count.
        began: When it began.
        stopped_at: When the user said stop; None where nobody did.
    """

    limit: float
    began: float = field(default_factory=time.monotonic)
    stopped_at: float | None = None

    @property
    def stopped(self) -> bool:
        """Whether the user said stop."""
        return self.stopped_at is not None

    def stop(self) -> None:
        """End the search now, and the rest within a second."""
        self.stopped_at = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began

    @property
    def end(self) -> float:
        """When the whole run must have ended."""
        end = self.began + max(self.limit - _GRACE, 0.0)
        return end if self.stopped_at is None else min(end, self.stopped_at + _AFTER_STOP)

    @property
    def search_end(self) -> float:
        """When the search must have ended: the rest is for putting the model together and explaining it."""
        if self.stopped_at is not None:
            return min(self.stopped_at, self.end)
        return self.end - min(max(0.08 * self.limit, 0.25), 6.0) if self.limit < float("inf") else self.end

    @property
    def left(self) -> float:
        """Seconds left for the search."""
        return self.search_end - time.monotonic()


@contextmanager
def one_interrupt(clock: Clock) -> Iterator[None]:
    """Make the first Ctrl-C set `clock.stopped`; a second one raises KeyboardInterrupt.

    Works in the main thread; in others Python delivers no signals, and nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def handle(number: int, frame: FrameType | None) -> None:
        if clock.stopped:
            raise KeyboardInterrupt
        clock.stop()

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
