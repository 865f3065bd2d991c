"""Requests to worker processes, a few at a time, and their replies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)

Request = dict[str, Any]
Reply = dict[str, Any]


def ask(script: str, request: Request) -> Reply:
    """One request to a script of this folder: JSON in, JSON out. A worker that dies is a reply that says so."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(HERE / script)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        env={**os.environ, **_ONE_THREAD},
    )
    if done.returncode:
        out_of_time = done.returncode == -signal.SIGPROF
        words = done.stderr.strip().splitlines()[-1:] or ["without a word"]
        return {
            "program": None,
            "answers": [],
            "why": "the time is used up"
            if out_of_time
            else f"crashed: exit code {done.returncode}, {words[0]}",
            "code": done.returncode,
            "seconds": request["seconds"],
            "memory": 0,
            "wall": time.monotonic() - began,
        }
    reply: Reply = json.loads(done.stdout)
    reply["wall"] = time.monotonic() - began
    return reply


def ask_all(
    requests: Iterable[tuple[str, Request]],
    workers: int,
    tell: Callable[[Request, Reply], None] = lambda request, reply: None,
) -> list[Reply]:
    """The replies to requests (script, request), in their order; `tell` hears of each as it comes."""

    def one(each: tuple[str, Request]) -> Reply:
        reply = ask(*each)
        tell(each[1], reply)
        return reply

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(one, requests))


def quantile(values: Iterable[float], share: float) -> float:
    """The least of the values that at least this share of them does not pass; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table as text: the first column to the left, the others to the right."""
    widths = [max(len(line[k]) for line in [head, *rows]) for k in range(len(head))]

    def shown(line: list[str]) -> str:
        first, *rest = (
            text.ljust(w) if k == 0 else text.rjust(w)
            for k, (text, w) in enumerate(zip(line, widths, strict=True))
        )
        return "  ".join([first, *rest]).rstrip()

    return "\n".join(map(shown, [head, *rows]))


__all__ = ["HERE", "Reply", "Request", "ask", "ask_all", "quantile", "table"]
