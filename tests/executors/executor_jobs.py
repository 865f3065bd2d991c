"""Jobs for the tests of the executors. They live outside of the package and are named to the pool."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np


def double(payload, arrays, context):
    return {"x": payload["x"] * 2}, {name: array * 2 for name, array in arrays.items()}


def echo(payload, arrays, context):
    return payload, arrays


def describe(payload, arrays, context):
    """What a job sees of its arrays."""
    return {
        name: [a.dtype.str, list(a.shape), a.flags.c_contiguous, a.flags.f_contiguous, a.flags.writeable]
        for name, a in arrays.items()
    }, {}


def strided(payload, arrays, context):
    wide = np.arange(24).reshape(4, 6)
    return {}, {"every_other": wide[:, ::2], "fortran": np.asfortranarray(wide), "reversed": wide[::-1]}


def fails(payload, arrays, context):
    raise ValueError(payload["message"])


def leaves(payload, arrays, context):
    sys.exit(payload["status"])


def fails_unprintably(payload, arrays, context):
    class Odd(Exception):
        def __str__(self):
            raise RuntimeError("no words")

    raise Odd


def returns(payload, arrays, context):
    """Something that a job may not return."""
    return {
        "nothing": None,
        "list": ([], {}),
        "objects": ({}, {"a": np.array([object()])}),
        "masked": ({}, {"a": np.ma.masked_array([1, 2], [True, False])}),
        "scalar": ({}, {"a": 1.0}),
        "set": ({"a": {1}}, {}),
    }[payload["what"]]


def numpy_scalars(payload, arrays, context):
    return {
        "int": np.int64(3),
        "bool": np.bool_(True),
        "real": np.float32(0.5),
        "nan": np.nan,
        "inf": -np.inf,
    }, {}


def sleep(payload, arrays, context):
    if "file" in payload:
        Path(payload["file"]).write_text(str(os.getpid()))
    time.sleep(payload["seconds"])
    return {"pid": os.getpid()}, {}


def loop(payload, arrays, context):
    while True:
        pass


def loop_in_c(payload, arrays, context):
    """Hold the interpreter's lock inside of C code for ever."""
    ctypes.PyDLL(None).pause()


def stop_at_deadline(payload, arrays, context):
    while context.seconds_left > 0:
        time.sleep(0.005)
    return {}, {}


def deadline(payload, arrays, context):
    return {"left": None if context.deadline is None else context.deadline - time.monotonic()}, {}


def kill_self(payload, arrays, context):
    print("the last thing it said", flush=True)
    os.kill(os.getpid(), payload["signal"])
    time.sleep(30)


def segfault(payload, arrays, context):
    ctypes.string_at(0)


def exit_now(payload, arrays, context):
    os._exit(payload["status"])


def wait_for_kill_once(payload, arrays, context):
    """The first time wait to be killed, the second time answer."""
    marker = Path(payload["file"])
    if marker.exists():
        return {"first": int(marker.read_text()), "second": os.getpid()}, {}
    marker.with_suffix(".new").write_text(str(os.getpid()))
    marker.with_suffix(".new").rename(marker)
    time.sleep(30)
    return {}, {}


def allocate(payload, arrays, context):
    return {"sum": float(np.ones(payload["bytes"] // 8).sum())}, {}


def allocate_in_steps(payload, arrays, context):
    held = []
    while True:
        held.append(np.ones(1 << 18))


def wrapped_memory_error(payload, arrays, context):
    try:
        bytearray(1 << 45)
    except MemoryError as error:
        raise RuntimeError("the library gave up") from error


def native_memory_error(payload, arrays, context):
    raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")


def abort_like_cpp(payload, arrays, context):
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


def prints(payload, arrays, context):
    print("from Python", flush=True)
    os.write(1, b"MSW1 from C, to the pipe of the protocol\n" * 20_000)
    sys.stderr.write("to the error pipe\n" * 20_000)
    subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
    return {"read": sys.stdin.read()}, {}


def break_protocol(payload, arrays, context):
    """Write into every pipe that can be found."""
    for fd in range(3, 20):
        try:
            os.write(fd, b"this is no frame at all")
        except OSError:
            continue
    time.sleep(30)


def leave_child(payload, arrays, context):
    """Leave a process behind that would live for long."""
    child = subprocess.Popen(["sleep", "60"])
    Path(payload["file"]).write_text(str(child.pid))
    if payload["then"] == "die":
        os._exit(1)
    while True:
        pass


def counts(payload, arrays, context):
    context.cache["n"] = context.cache.get("n", 0) + 1
    return {"n": context.cache["n"], "pid": os.getpid()}, {}


def shared_sum(payload, arrays, context):
    values, data = context.shared(payload["name"])
    again = context.shared(payload["name"])[1]
    assert all(again[name] is array for name, array in data.items())
    return {
        "values": values,
        "sums": {name: float(array.sum()) for name, array in data.items()},
        "shapes": {name: list(array.shape) for name, array in data.items()},
        "types": sorted({type(array).__name__ for array in data.values()}),
        "writeable": any(array.flags.writeable for array in data.values()),
        "fortran": [name for name, a in data.items() if a.flags.f_contiguous and not a.flags.c_contiguous],
    }, {}


def touch_shared(payload, arrays, context):
    context.shared("data")[1]["big"][0] = 1.0


def environment(payload, arrays, context):
    return {
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "order": list({"a", "b", "c", "d", "e", "f", "g", "h"}),
        "modules": sorted(m for m in sys.modules if "." not in m),
        "session": os.getsid(0),
        "pid": os.getpid(),
    }, {}
