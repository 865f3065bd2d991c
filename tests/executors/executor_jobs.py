"""Jobs for the tests of the executors: they live outside of the package and are named to the pool."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np


def double(payload, arrays, context):
    return {"x": payload["x"] * 2}, {name: array * 2 for name, array in arrays.items()}


def echo(payload, arrays, context):
    return payload, arrays


def describe(payload, arrays, context):
    return {
        name: [a.dtype.str, list(a.shape), a.flags.c_contiguous, a.flags.f_contiguous, a.flags.writeable]
        for name, a in arrays.items()
    }, {}


def raises(payload, arrays, context):
    raise ValueError(payload["message"])


def sleep(payload, arrays, context):
    time.sleep(payload["seconds"])
    return {"pid": os.getpid()}, {}


def loop(payload, arrays, context):
    Path(payload["file"]).write_text(str(os.getpid())) if "file" in payload else None
    while True:
        pass


def die(payload, arrays, context):
    print("about to die", flush=True)
    os.kill(os.getpid(), payload["signal"])
    time.sleep(10)


def leave(payload, arrays, context):
    os._exit(payload["status"])


def die_once(payload, arrays, context):
    marker = Path(payload["file"])
    if not marker.exists():
        marker.write_text(str(os.getpid()))
        time.sleep(30)
    return {"first": int(marker.read_text()), "second": os.getpid()}, {}


def allocate(payload, arrays, context):
    return {"sum": float(np.ones(payload["bytes"] // 8).sum())}, {}
