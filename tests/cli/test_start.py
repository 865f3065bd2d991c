"""How a call begins: what it imports, and since when its time counts."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from conftest import Run


def python(code: str, *, before: str = "") -> str:
    done = subprocess.run([sys.executable, "-c", before + code], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["grow", "--help"], ["--version"], []])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    out = python(
        "import sys\n"
        "from meristem.cli import main\n"
        f"code = main({arguments!r})\n"
        "heavy = {'numpy', 'pyarrow', 'pandas', 'scipy', 'sklearn', 'lightgbm', 'torch', 'rich', 'optuna'}\n"
        "print('code', code, sorted(heavy & set(sys.modules)))\n"
    )
    assert out.endswith("code 0 []\n")


def test_time_counts_from_the_start_of_the_process() -> None:
    began = time.monotonic()
    code = (
        "import time; time.sleep(0.4)\n"
        "from meristem.cli.start import process_start\n"
        "print(process_start(), time.monotonic())\n"
    )
    start, now = map(float, python(code).split())
    assert began - 0.02 <= start <= now - 0.4  # the system counts in hundredths of a second


def test_where_the_system_does_not_say_it_counts_from_the_import(monkeypatch: pytest.MonkeyPatch) -> None:
    from meristem.cli import start as module

    monkeypatch.setattr(module.os, "sysconf", lambda name: (_ for _ in ()).throw(ValueError))
    assert module.process_start() == module._LOADED


def test_an_age_that_cannot_be_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    from meristem.cli import start as module

    monkeypatch.setattr(module.time, "clock_gettime", lambda clock: 0.0)
    assert module.process_start() == module._LOADED
    monkeypatch.setattr(module.time, "clock_gettime", lambda clock: 1e12)
    assert module.process_start() == module._LOADED


def test_help_names_every_command_and_exit_code(run: Run) -> None:
    result = run("--help")
    assert result.code == 0
    assert all(name in result.out for name in ("grow", "predict", "score", "show", "130 interrupted"))
    assert run().out == result.out


def test_version(run: Run) -> None:
    from meristem import __version__

    assert run("--version").out == f"meristem {__version__}\n"


def test_the_process_ends_with_its_output_written_and_its_last_wishes_heard() -> None:
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('last wish'))\n"
        "sys.argv = ['meristem', '--version']\n"
        "from meristem.cli import main\n"
        "main()\n"
        "print('never')\n"
    )
    assert python(code).splitlines()[1:] == ["last wish"]
    failing = (
        "import sys; sys.argv = ['meristem', 'show', 'nowhere.mst']; from meristem.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", failing], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot read 'nowhere.mst'")
