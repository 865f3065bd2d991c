"""What a run may use: seconds, trials, cores, memory."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from meristem.errors import InputError

_SECONDS = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 2**10, "mib": 2**20, "gib": 2**30}
DEFAULT_SECONDS = 60.0


def seconds_from(value: str | float) -> float:
    """Seconds from a number, or text such as `60s`, `1.5m`, `2h`, `90`.

    >>> seconds_from("1.5m")
    90.0
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    else:
        match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([a-z]*)\s*", str(value).lower())
        unit = (match.group(2) or "s") if match else ""
        if match is None or unit not in _SECONDS:
            raise InputError(f"expected a time such as 60s, 5m or 1h, got {value!r}")
        seconds = float(match.group(1)) * _SECONDS[unit]
    if not 0 <= seconds < 1e8:
        raise InputError(f"expected a time between 0 and three years, got {value!r}")
    return seconds


def bytes_from(value: str | float) -> int:
    """Bytes from a number, or text such as `100kB`, `8GB`, `512MiB`.

    >>> bytes_from("100kB")
    100000
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        size = float(value)
    else:
        match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([a-z]*)\s*", str(value).lower())
        unit = (match.group(2) or "b") if match else ""
        if match is None or unit not in _BYTES:
            raise InputError(f"expected a size such as 100kB, 8GB or 512MiB, got {value!r}")
        size = float(match.group(1)) * _BYTES[unit]
    if not 0 < size < 1e18:
        raise InputError(f"expected a size above 0, got {value!r}")
    return int(size)


@dataclass(frozen=True)
class Budget:
    """What a run may use.

    Args:
        seconds: Wall time from the call to the finished model, as a number or text (`"60s"`); None when only
            `trials` counts. With neither, 60 seconds.
        trials: The number of candidates to try. With trials and no seconds the result does not depend on the clock:
            the same machine, versions and seed give the same model.
        cores: Worker processes; 0 runs everything in this process. None takes the machine's, at most 8.
        memory: Bytes for all processes together, as a number or text (`"8GB"`); None takes 80 % of the machine's.
    """

    seconds: float | str | None = None
    trials: int | None = None
    cores: int | None = None
    memory: int | str | None = None

    def __post_init__(self) -> None:
        seconds = self.seconds
        if seconds is None and self.trials is None:
            seconds = DEFAULT_SECONDS
        object.__setattr__(self, "seconds", None if seconds is None else seconds_from(seconds))
        if self.trials is not None and (
            isinstance(self.trials, bool) or not isinstance(self.trials, int) or self.trials < 0
        ):
            raise InputError(f"expected a number of trials, 0 or more, got {self.trials!r}")
        if self.cores is not None and (
            isinstance(self.cores, bool) or not isinstance(self.cores, int) or self.cores < 0
        ):
            raise InputError(f"expected a number of cores, 0 or more, got {self.cores!r}")
        object.__setattr__(self, "memory", None if self.memory is None else bytes_from(self.memory))

    @classmethod
    def of(cls, value: Budget | str | float | None) -> Budget:
        """A budget from itself, seconds, text, or nothing."""
        if isinstance(value, Budget):
            return value
        return cls() if value is None else cls(seconds=value)

    @property
    def workers(self) -> int:
        """Worker processes to start."""
        if self.cores is not None:
            return self.cores
        try:
            available = len(os.sched_getaffinity(0))
        except AttributeError:  # not on every system
            available = os.cpu_count() or 1
        return min(available, 8)

    @property
    def limit(self) -> float:
        """Seconds, infinite when only trials count."""
        return float("inf") if self.seconds is None else float(self.seconds)

    @property
    def memory_bytes(self) -> int:
        """Bytes for all processes together."""
        if self.memory is not None:
            return int(self.memory)
        try:
            return int(0.8 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
        except (AttributeError, ValueError, OSError):
            return 4_000_000_000
