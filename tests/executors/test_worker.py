"""A worker on its own, spoken to by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from executor_helpers import alive

from meristem.executors._wire import pack, unpack

HELLO = {
    "memory": None,
    "modules": ["executor_jobs"],
    "preload": [],
    "path": [str(Path(__file__).parent), *sys.path],
}


@pytest.fixture
def worker():
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "meristem.executors.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    with process:
        yield process
        process.kill()


def tell(worker, header, payload=b"{}"):
    worker.stdin.write(b"".join(pack({"limit": None, "shared": {}, **header}, payload)))


def hear(worker):
    reader = unpack()
    try:
        while True:
            view = next(reader)
            while len(view):
                count = worker.stdout.readinto(view)
                assert count, worker.stderr.read().decode()
                view = view[count:]
    except StopIteration as stop:
        return stop.value


def begin(worker, job, payload=b"{}"):
    worker.stdin.write(json.dumps(HELLO).encode() + b"\n")
    assert hear(worker).header == {"kind": "ready"}
    tell(worker, {"number": 5, "job": f"executor_jobs:{job}"}, payload)
    assert hear(worker).header == {"kind": "started", "number": 5}


def test_a_worker_runs_a_job(worker):
    begin(worker, "double", b'{"x": 4}')
    frame = hear(worker)
    assert (frame.header["kind"], frame.header["number"], frame.header["outcome"]) == ("ended", 5, "done")
    assert frame.payload == {"x": 8}


def test_a_worker_takes_no_job_from_elsewhere(worker):
    begin(worker, "double", b'{"x": 4}')
    hear(worker)
    tell(worker, {"number": 6, "job": "os:abort"})
    hear(worker)
    frame = hear(worker)
    assert frame.header["outcome"] == "failed"
    assert "inside the meristem package" in frame.header["reason"]


@pytest.mark.parametrize("when", ["before the first message", "while idle", "in the middle of a job"])
def test_a_worker_ends_with_its_pipe(worker, when):
    if when == "in the middle of a job":
        begin(worker, "loop")
    elif when == "while idle":
        worker.stdin.write(json.dumps(HELLO).encode() + b"\n")
        hear(worker)
    worker.stdin.close()
    assert worker.wait(10) == 0


def test_a_worker_refuses_bytes_that_are_no_frame(worker):
    worker.stdin.write(json.dumps(HELLO).encode() + b"\n")
    hear(worker)
    worker.stdin.write(b"GET / HTTP/1.1\r\nHost: here\r\n")
    assert worker.wait(10) == 70
    assert b"FileFormatError" in worker.stderr.read()


def test_ctrl_c_does_not_end_a_worker(worker):
    begin(worker, "loop")
    os.kill(worker.pid, 2)
    tell(worker, {"number": 6, "job": "executor_jobs:double"}, b'{"x": 1}')
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(0.2)
    assert alive(worker.pid)
