"""When this process began: a user's minute starts when the command is typed, not when Python is ready."""

from __future__ import annotations

import os
import time

_LOADED = time.monotonic()
_LONGEST = 600.0  # seconds between start and here beyond which the answer is not believed


def this_moment() -> float:
    """Now, in `time.monotonic()` seconds."""
    return time.monotonic()


def process_start() -> float:
    """When this process began, in `time.monotonic()` seconds; on systems that do not say, when this was loaded."""
    try:
        with open("/proc/self/stat", "rb") as stream:
            # The second field is the program's name in parentheses, and may itself hold blanks and parentheses.
            fields = stream.read().rpartition(b")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # field 22: clock ticks since boot
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, ValueError, IndexError, AttributeError):
        return _LOADED
    now = time.monotonic()
    # A container may have its own idea of when the machine was booted: then the number means nothing.
    return now - age if now - _LOADED <= age + 0.02 and age < _LONGEST + now - _LOADED else _LOADED
