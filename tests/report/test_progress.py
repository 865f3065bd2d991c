from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import threading
import time

import pytest

from meristem import events
from meristem.report.progress import Progress, progress

TEXT = "boost(join(numbers(row), categories(row)))\x1b[31m"


def play(hub: events.Hub, pause: float = 0.0) -> None:
    """A short run."""
    hub.send(events.Started(0.0, "penguins.csv", 10.0, None, 2, "log_loss"))
    hub.send(events.Baseline(0.1, 1.05))
    hub.send(events.Warned(0.1, "the column 'id' was left out\x1b[2J"))
    hub.send(events.Phase(0.1, "searching"))
    for k in range(6):
        hub.send(events.CandidateStarted(0.2, k, "first", TEXT))
        time.sleep(pause)
        outcome = "timeout" if k == 3 else "scored"
        hub.send(events.CandidateEnded(0.3, k, "first", TEXT, outcome, None if k == 3 else 0.5, 0.1))
        if k in (0, 4):
            hub.send(events.Improved(0.3, 0.5 / (k + 1), TEXT))
    hub.send(events.Phase(0.4, "putting together"))
    hub.send(events.Phase(0.5, "done"))


def test_plain_lines_where_there_is_no_terminal() -> None:
    stream, hub = io.StringIO(), events.Hub()
    with progress(hub, stream=stream):
        play(hub)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "growing a model for penguins.csv: 10 s, 2 workers"
    assert lines[1] == "log-loss: baseline 1.05"
    assert lines[2].startswith("note: the column 'id' was left out")
    assert any("log-loss 0.5 (baseline 1.05)" in line for line in lines)
    assert any("log-loss 0.1 (baseline 1.05)" in line for line in lines)  # the best one is always told
    assert lines[-1].endswith("5 candidates scored, 1 ran out of time")
    assert len(lines) < 10
    assert "\x1b" not in stream.getvalue()
    assert hub.errors == []
    assert hub.listeners == []


def test_quiet_shows_nothing_but_listens() -> None:
    stream, hub = io.StringIO(), events.Hub()
    with progress(hub, quiet=True, stream=stream) as state:
        play(hub)
    assert stream.getvalue() == ""
    assert state.done == 6
    assert state.best == 0.1


def test_scores_of_which_more_is_better_are_shown_as_such() -> None:
    for started in (
        events.Started(0.0, "t", None, 20, 1, "accuracy"),
        events.Started(0.0, "t", None, 20, 1, "profit", greater=True),
    ):
        state = Progress()
        state(started)
        state(events.Baseline(0.0, -0.5))
        state(events.Improved(0.0, -0.75, "x"))
        assert state.score_line() == f"{started.metric} 0.75 (baseline 0.5)"


def test_the_share_of_the_budget() -> None:
    state = Progress()
    assert state.share is None
    state(events.Started(0.0, "t", None, 4, 1, "rmse"))
    state(events.CandidateEnded(0.0, 0, "o", "t", "scored", 1.0, 0.1))
    assert state.share == 0.25
    for _ in range(9):
        state(events.CandidateEnded(0.0, 0, "o", "t", "failed", None, 0.1))
    assert state.share == 1.0
    assert "9 failed" in state.tried_line()


class Broken(io.StringIO):
    def __init__(self, error: Exception, terminal: bool) -> None:
        super().__init__()
        self.failure, self.terminal = error, terminal

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        raise self.failure


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize(
    "error", [BrokenPipeError(), OSError(5, "gone"), ValueError("I/O operation on closed file")]
)
def test_a_closed_pipe_never_stops_the_work(error: Exception, terminal: bool) -> None:
    hub = events.Hub()
    with progress(hub, stream=Broken(error, terminal)) as state:
        play(hub, 0.05 if terminal else 0.0)
    assert state.done == 6
    assert hub.errors == []
    assert not [t for t in threading.enumerate() if t.name == "meristem-progress"]


def test_a_closed_stream_and_one_that_can_not_show_everything() -> None:
    closed, hub = io.StringIO(), events.Hub()
    closed.close()
    with progress(hub, stream=closed):
        play(hub)
    raw = io.BytesIO()
    narrow = io.TextIOWrapper(raw, encoding="ascii")
    with progress(hub, stream=narrow):
        hub.send(events.Started(0.0, "données…", 10.0, None, 2, "r2"))
        hub.send(events.Baseline(0.0, -0.5))
    assert b"donn?es?" in raw.getvalue()
    assert hub.errors == []


def test_the_block_goes_and_errors_pass_through() -> None:
    hub = events.Hub()
    with pytest.raises(KeyError), progress(hub, stream=io.StringIO()):
        raise KeyError("mine")
    assert hub.listeners == []


SCRIPT = """
import sys; sys.path.insert(0, {folder!r})
from test_progress import play
from meristem import events
from meristem.report.progress import progress
hub = events.Hub()
with progress(hub): play(hub, 0.1)
assert hub.errors == [], hub.errors
"""


def in_terminal(columns: int, rows: int, **environment: str) -> str:
    """What a terminal of this size gets."""
    import fcntl
    import struct
    import termios

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES", "FORCE_COLOR")}
    env.update({"TERM": "xterm-256color", **environment})
    code = SCRIPT.format(folder=os.path.dirname(__file__))
    process = subprocess.Popen([sys.executable, "-c", code], stderr=follower, stdout=follower, env=env)
    os.close(follower)
    shown = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other side was closed
            break
        if not part:
            break
        shown += part
    os.close(leader)
    assert process.wait(20) == 0, shown
    return shown.decode("utf-8", "replace")


def test_a_live_block_in_a_terminal() -> None:
    shown = in_terminal(100, 30)
    for words in (
        "penguins.csv",
        "log-loss 0.1 (baseline 1.05)",
        "trying 1 candidate",
        "note: the column 'id'",
        "Ctrl-C",
    ):
        assert words in shown
    end = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown[shown.rindex("penguins.csv") :])
    assert "5 candidates scored, 1 ran out of time" in end
    assert "Ctrl-C" not in end
    assert "\x1b[31m\x1b" not in shown
    assert "\x1b[2J" not in shown  # of the warning's text
    assert shown.count("penguins.csv") < 12  # some four repaints a second
    assert "\x1b[?25h" in shown  # the cursor is back


@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (20, 3)])
def test_tiny_terminals(columns: int, rows: int) -> None:
    assert "\x1b[?25h" in in_terminal(columns, rows)


def test_no_color_and_dumb_terminals() -> None:
    plain = in_terminal(80, 24, NO_COLOR="1")
    assert not re.search(r"\x1b\[(?:3[0-9]|38;)", plain)
    dumb = in_terminal(80, 24, TERM="dumb")
    assert "\x1b" not in dumb
    assert "growing a model for penguins.csv" in dumb
