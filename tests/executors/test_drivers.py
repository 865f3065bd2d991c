"""Whole programs that use a pool: how they end, and that nothing survives them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from executor_helpers import alive, eventually

from meristem.executors import Pool
from meristem.executors._shared import PREFIX

HERE = Path(__file__).parent

BEGIN = """
import sys
sys.path.insert(0, {here!r})
import numpy as np
from meristem.executors import Pool
pool = Pool(2, modules=("executor_jobs",))
pool.share("data", {{}}, {{"a": np.ones(100_000)}})
"""

BUSY = (
    BEGIN
    + """
for job in ("loop", "loop_in_c", "loop"):  # the second hears nothing but signals
    pool.submit("executor_jobs:" + job, {{}})
number = pool.submit("executor_jobs:double", {{"x": 1}})
while not pool._engine._processes or not all(pool._engine._processes.values()):
    pool.wait(0.01)
print(*[process.pid for process in pool._engine._processes], flush=True)
"""
)


def program(tmp_path: Path, text: str) -> list[str]:
    script = tmp_path / "script.py"
    script.write_text(text.format(here=str(HERE)))
    return [sys.executable, str(script)]


def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(tmp_path)}


def start(tmp_path: Path, text: str) -> tuple[subprocess.Popen, list[int]]:
    """Start a program, and return it with the ids of its workers once they are at work."""
    driver = subprocess.Popen(
        program(tmp_path, text),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
        start_new_session=True,
    )
    pids = [int(pid) for pid in driver.stdout.readline().split()]
    if len(pids) != 2 or not all(map(alive, pids)):
        driver.kill()
        pytest.fail(driver.communicate()[1])
    return driver, pids


def test_a_script_needs_no_main_guard(tmp_path):
    text = (
        BEGIN
        + """
number = pool.submit("executor_jobs:shared_sum", {{"name": "data"}})
print([ended.payload["sums"]["a"] for ended in pool.wait(20)])
"""
    )
    done = subprocess.run(
        program(tmp_path, text), capture_output=True, text=True, env=environment(tmp_path), timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[100000.0]\n", "")
    assert not list(tmp_path.glob(f"{PREFIX}*"))  # although nobody closed the pool


def test_a_script_from_the_standard_input_works(tmp_path):
    (tmp_path / "executor_jobs_here.py").write_text("def job(p, a, c):\n    return {'x': 5}, {}\n")
    (tmp_path / "json.py").write_text("raise ImportError('not the one')\n")  # may not hide the real one
    text = """
import sys
here = sys.path.pop(0)
import json, numpy
sys.path.insert(0, here)
from meristem.executors import Pool
with Pool(1, modules=("executor_jobs_here",)) as pool:
    pool.submit("executor_jobs_here:job", {})
    print(pool.wait(20)[0])
"""
    text = text.replace("sys.path.insert(0, here)", "sys.path.append(here)")
    done = subprocess.run(
        [sys.executable],
        input=text,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path),
        timeout=60,
    )
    assert done.stderr == ""
    assert "outcome='done', payload={'x': 5}" in done.stdout


def test_ctrl_c_reaches_the_driver_only_and_it_goes_on(tmp_path):
    text = (
        BUSY
        + """
try:
    while True:
        pool.wait(None)
except KeyboardInterrupt:
    print("interrupted", pool.outstanding, flush=True)
for busy in range(3):
    pool.cancel(busy)
outcomes = []
while pool.outstanding:
    outcomes += [ended.outcome for ended in pool.wait(20)]
print(sorted(outcomes))
pool.close()
"""
    )
    driver, pids = start(tmp_path, text)
    time.sleep(0.1)
    os.killpg(driver.pid, signal.SIGINT)  # as a terminal does
    out, errors = driver.communicate(timeout=30)
    assert errors == ""
    assert out == "interrupted 4\n['cancelled', 'cancelled', 'cancelled', 'done']\n"
    assert driver.returncode == 0
    assert not any(map(alive, pids))
    assert not list(tmp_path.glob(f"{PREFIX}*"))


def test_ctrl_c_that_nobody_catches_ends_everything(tmp_path):
    driver, pids = start(tmp_path, BUSY + "\nwhile True: pool.wait(None)\n")
    time.sleep(0.1)
    os.killpg(driver.pid, signal.SIGINT)
    _, errors = driver.communicate(timeout=30)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert driver.returncode == -signal.SIGINT
    assert not any(map(alive, pids))
    assert not list(tmp_path.glob(f"{PREFIX}*"))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_survives_a_driver_that_is_killed(tmp_path, how, monkeypatch):
    driver, pids = start(tmp_path, BUSY + "\nwhile True: pool.wait(None)\n")
    driver.send_signal(how)
    driver.communicate(timeout=30)
    assert driver.returncode == -how
    assert eventually(lambda: not any(map(alive, pids)))
    # Its shared data stays behind, until another pool finds it, old enough and without an owner.
    (left,) = tmp_path.glob(f"{PREFIX}*")
    young = tmp_path / f"{PREFIX}young"
    young.mkdir()
    (young / "lock").touch()
    strange = tmp_path / f"{PREFIX}strange"
    strange.symlink_to(HERE)
    os.utime(left, (0, 0))
    with Pool(1) as pool, Pool(1) as other:
        pool.share("a", {}, {})
        os.utime(pool._engine.folder.path, (0, 0))  # old, but not without an owner
        other.share("a", {}, {})
        assert pool._engine.folder.path.exists()
        assert not left.exists()
        assert young.exists()
        assert strange.exists()
    (young / "lock").unlink()
    young.rmdir()
    strange.unlink()


def test_exit_in_the_middle_of_the_work_ends_everything(tmp_path):
    driver, pids = start(tmp_path, BUSY + "\nsys.stdin.readline()\nsys.exit(3)\n")
    out, errors = driver.communicate("go\n", timeout=30)
    assert (driver.returncode, out, errors) == (3, "", "")
    assert not any(map(alive, pids))
    assert not list(tmp_path.glob(f"{PREFIX}*"))


def test_importing_the_package_loads_nothing_of_it():
    code = "import sys, meristem.executors; print('numpy' in sys.modules, 'subprocess' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False False\n"
