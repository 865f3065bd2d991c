"""When this process began, and its quick end: a user's minute is from the command to the next prompt."""

from __future__ import annotations

import atexit
import os
import sys
import time
from typing import NoReturn

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


def leave(code: int) -> NoReturn:
    """End the process now. What was registered for the end runs; taking apart what was imported is left out.

    After growing, that takes 0.1 s of processor time, half a second on a busy machine, and frees what the system
    frees anyway. All files are written and closed by now, all workers gone.
    """
    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
