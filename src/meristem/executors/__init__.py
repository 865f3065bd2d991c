"""Where work runs: in worker processes (`Pool`) or in this one (`Inline`), behind one interface (`Executor`).

Names load on first use: a worker imports this package too, and starts faster without the driver's part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meristem.executors.inline import Inline
    from meristem.executors.jobs import Ended, Executor, JobContext, Outcome
    from meristem.executors.pool import Pool, open_executor

_HOMES = {
    "Ended": "meristem.executors.jobs",
    "Executor": "meristem.executors.jobs",
    "Inline": "meristem.executors.inline",
    "JobContext": "meristem.executors.jobs",
    "Outcome": "meristem.executors.jobs",
    "Pool": "meristem.executors.pool",
    "open_executor": "meristem.executors.pool",
}

__all__ = ["Ended", "Executor", "Inline", "JobContext", "Outcome", "Pool", "open_executor"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'meristem.executors' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
