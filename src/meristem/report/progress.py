"""Live progress of long work: one block in a terminal, a few plain lines anywhere else.

It listens to `meristem.events` and never disturbs the work it shows: a closed pipe, a tiny window or a
terminal that cannot show a character end or dim the display, nothing else. Rich is imported only where there
is a terminal.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from meristem import events
from meristem.model.sentences import metric_name, outcome_name
from meristem.model.words import clean, count, duration, number

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_INTERVAL = 0.25  # seconds between repaints; each costs some 2 ms of processor time
_LINE_EVERY = 5.0  # seconds between plain lines about a better score


class Progress:
    """What a run looks like at this moment: a listener of `meristem.events`.

    Cheap, and safe to read from another thread.
    """

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.task = ""
        self.metric = "loss"
        self.greater = False
        self.seconds: float | None = None
        self.trials: int | None = None
        self.workers = 1
        self.baseline: float | None = None
        self.best: float | None = None
        self.best_text = ""
        self.best_at = 0.0
        self.phase = "starting"
        self.ends: dict[str, int] = {}
        self.running: dict[int, str] = {}
        self.warnings: list[str] = []

    def __call__(self, event: events.Event) -> None:
        """Take note of an event."""
        if isinstance(event, events.CandidateStarted):
            self.running[event.number] = clean(event.text, 200)
        elif isinstance(event, events.CandidateEnded):
            self.running.pop(event.number, None)
            self.ends[event.outcome] = self.ends.get(event.outcome, 0) + 1
        elif isinstance(event, events.Improved):
            self.best, self.best_text, self.best_at = event.loss, clean(event.text, 200), event.at
        elif isinstance(event, events.Baseline):
            self.baseline = event.loss
        elif isinstance(event, events.Phase):
            self.phase = clean(event.name, 40)
            if self.phase != "searching":
                self.running.clear()
        elif isinstance(event, events.Warned):
            self.warnings.append(clean(event.text, 300))
        elif isinstance(event, events.Started):
            self.began = time.monotonic() - event.at
            self.task, self.seconds, self.trials = clean(event.task, 60), event.seconds, event.trials
            self.workers, self.metric, self.greater = event.workers, event.metric, event.greater
            if not event.greater:
                from meristem.task.objective import METRICS

                self.greater = event.metric in METRICS and METRICS[event.metric].greater

    @property
    def elapsed(self) -> float:
        """Seconds since the work began."""
        return time.monotonic() - self.began

    @property
    def done(self) -> int:
        """How many candidates have ended."""
        return sum(list(self.ends.values()))

    @property
    def share(self) -> float | None:
        """How much of the budget is used, 0 to 1; None where nothing is limited."""
        shares = []
        if self.seconds:
            shares.append(self.elapsed / self.seconds)
        if self.trials:
            shares.append(self.done / self.trials)
        return min(max(shares), 1.0) if shares else None

    def shown(self, loss: float | None) -> str:
        """A loss as the user knows it."""
        return number(None if loss is None else -loss if self.greater else loss)

    def time_line(self) -> str:
        """Time used, of what."""
        parts = [_clock(self.elapsed)]
        if self.seconds is not None:
            parts[0] += f" of {duration(self.seconds)}"
        if self.trials is not None:
            parts.append(f"{self.done} of {count(self.trials, 'trial')}")
        return ", ".join(parts)

    def score_line(self) -> str:
        """The best score so far against the baseline."""
        name = metric_name(self.metric)
        base = f"baseline {self.shown(self.baseline)}" if self.baseline is not None else ""
        if self.best is None:
            return base and f"{name}: {base}"
        return f"{name} {self.shown(self.best)}" + (f" ({base})" if base else "")

    def since_line(self) -> str:
        """When the best score came."""
        if self.best is None:
            return ""
        ago = max(self.elapsed - self.best_at, 0.0)
        return "better just now" if ago < 1 else f"last better {duration(ago)} ago"

    def tried_line(self) -> str:
        """How many candidates ended, and how those without a score did."""
        lost = {end: n for end, n in dict(self.ends).items() if end not in ("scored", "stopped")}
        text = f"{count(self.ends.get('scored', 0), 'candidate')} scored"
        for end in sorted(lost, key=lambda e: (-lost[e], e)):
            text += f", {lost[end]} {outcome_name(end)}"
        return text

    def now_line(self) -> str:
        """What is going on."""
        if self.phase == "searching":
            return f"trying {count(len(self.running), 'candidate')}" if self.running else "searching"
        return self.phase


class _Display(Protocol):
    """Something that shows a `Progress`."""

    def notice(self, event: events.Event) -> None:
        """Called after each event, in the thread that works."""

    def close(self) -> None:
        """Show the end."""


@contextmanager
def progress(hub: events.Hub, quiet: bool = False, stream: TextIO | None = None) -> Iterator[Progress]:
    """Show what a hub tells while the block runs.

    Args:
        hub: Its events are listened to from here to the end of the block.
        quiet: Listen, but show nothing.
        stream: Where to; the standard error where left out. A terminal gets a live block (without colours
            where NO_COLOR is set), everything else a few plain lines.
    """
    state = Progress()
    target = sys.stderr if stream is None else stream
    display: _Display | None = None
    if not quiet and target is not None:  # under pythonw there is no standard error
        display = _Live(state, target) if _is_terminal(target) else _Lines(state, target)

    def listen(event: events.Event) -> None:
        state(event)
        if display is not None:
            display.notice(event)

    hub.listeners.append(listen)
    try:
        yield state
    finally:
        if listen in hub.listeners:
            hub.listeners.remove(listen)
        if display is not None:
            display.close()


def _clock(seconds: float) -> str:
    """A moment of the run."""
    return f"{seconds:.1f} s" if seconds < 9.95 else duration(seconds)


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")
    except (AttributeError, ValueError, OSError):  # a closed file, or an object that only writes
        return False


class _Lines:
    """A few plain lines: the start, what is better, warnings, the end."""

    def __init__(self, state: Progress, stream: TextIO) -> None:
        self.state, self.stream = state, stream
        self.last = -_LINE_EVERY
        self.told: float | None = None

    def notice(self, event: events.Event) -> None:
        state = self.state
        if isinstance(event, events.Started):
            limits = [duration(event.seconds)] if event.seconds is not None else []
            if event.trials is not None:
                limits.append(count(event.trials, "trial"))
            self.write(
                f"growing a model for {state.task}: {' or '.join(limits) or 'no limit'}, "
                f"{count(event.workers, 'worker')}"
            )
        elif isinstance(event, events.Baseline):
            self.write(state.score_line())
        elif isinstance(event, events.Warned):
            self.write(f"note: {state.warnings[-1]}")
        elif isinstance(event, events.Improved) and state.elapsed - self.last >= _LINE_EVERY:
            self.better()
        elif isinstance(event, events.Phase) and event.name not in ("searching", "done"):
            self.catch_up()
            self.write(f"{_clock(state.elapsed)}: {state.phase}")

    def better(self) -> None:
        self.last, self.told = self.state.elapsed, self.state.best
        self.write(
            f"{_clock(self.state.best_at)}: {self.state.score_line()}, {clean(self.state.best_text, 90)}"
        )

    def catch_up(self) -> None:
        """Tell of the best score, if that has not been done."""
        if self.state.best is not None and self.state.best != self.told:
            self.better()

    def close(self) -> None:
        self.catch_up()
        if self.state.done:
            self.write(f"{self.state.time_line()}: {self.state.tried_line()}")

    def write(self, line: str) -> None:
        if not line:
            return
        try:
            encoding = getattr(self.stream, "encoding", None) or "utf-8"
            self.stream.write(line.encode(encoding, "replace").decode(encoding) + "\n")
            self.stream.flush()
        except (OSError, ValueError, LookupError):  # the reader went away; the work goes on
            self.write = lambda line: None  # type: ignore[method-assign]


class _Forgiving:
    """A stream whose reader may go away.

    Rich answers a broken pipe by pointing the process's standard output at the null device and leaving; here
    it never meets one.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.gone = stream, False
        self.encoding = getattr(stream, "encoding", None)

    def write(self, text: str) -> int:
        encoding = self.encoding or "utf-8"
        self._try(lambda: self.stream.write(text.encode(encoding, "replace").decode(encoding)))
        return len(text)

    def flush(self) -> None:
        self._try(self.stream.flush)

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.stream.fileno()

    def _try(self, act: Callable[[], Any]) -> None:
        if self.gone:
            return
        try:
            act()
        except (OSError, ValueError, LookupError):  # a broken pipe, a closed file, an unknown encoding
            self.gone = True


class _Live:
    """One block that is painted again four times a second by a thread of its own."""

    def __init__(self, state: Progress, stream: TextIO) -> None:
        self.state = state
        self.out: Any = _Forgiving(stream)
        self.stop = threading.Event()
        self.error: BaseException | None = None
        self.live: Any = None
        self.console: Console | None = None
        self.shown_warnings = 0
        # The thread also imports Rich: some 0.1 s that the work need not wait for.
        self.thread = threading.Thread(target=self.run, name="meristem-progress", daemon=True)
        self.thread.start()

    def notice(self, event: events.Event) -> None:
        """The thread sees the state; nothing to do."""

    def run(self) -> None:
        try:
            from rich.console import Console
            from rich.live import Live

            self.console = Console(file=self.out, highlight=False, markup=False, emoji=False)
            self.live = Live(
                console=self.console,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
                vertical_overflow="crop",
                get_renderable=self.render,
            )
            with self.live:
                while not self.stop.wait(_INTERVAL) and not self.out.gone:
                    self.paint()
                self.paint()
        except Exception as error:  # whatever a terminal does, the work goes on; kept for who wants to know
            self.error = error

    def paint(self) -> None:
        from rich.text import Text

        assert self.console is not None
        while self.shown_warnings < len(self.state.warnings):
            self.console.print(Text(f"note: {self.state.warnings[self.shown_warnings]}", style="yellow"))
            self.shown_warnings += 1
        self.live.refresh()

    def close(self) -> None:
        self.stop.set()
        self.thread.join(2.0)

    def render(self) -> RenderableType:
        """The block, at most as high as the window."""
        from rich.console import Group
        from rich.text import Text

        assert self.console is not None
        state = self.state
        columns, rows = self.console.size
        ended = self.stop.is_set()

        def line(*parts: tuple[str, str]) -> Text:
            text = Text(no_wrap=True, overflow="ellipsis")
            for words, style in parts:
                text.append(words, style)
            return text

        lines = [line((state.task or "meristem", "bold"), (f"  {state.time_line()}", ""))]
        share = state.share
        if share is not None and not ended:
            room = max(min(columns - 2, 60), 4)
            filled = round(room * share)
            full, empty = ("━", "─") if self.can_show("━─") else ("=", "-")
            lines.append(line((full * filled, "green"), (empty * (room - filled), "dim")))
        if score := state.score_line():
            better = f"  {state.since_line()}" if not ended and state.best is not None else ""
            lines.append(line((score, "bold"), (better, "dim")))
        lines.append(
            line(
                (state.tried_line() if state.ends else "", ""),
                *([] if ended else [(f"  {state.now_line()}", "dim")]),
            )
        )
        if not ended:
            for text in list(state.running.values())[: min(state.workers, 2)]:
                lines.append(line((f"  {text}", "dim")))
            if rows > 6:
                lines.append(line((self.ahead(), "dim")))
        return Group(*lines[: max(rows - 1, 1)])

    def ahead(self) -> str:
        """What happens at the end."""
        if self.state.phase == "searching":
            return "Then: the best are put together, checked and explained. Ctrl-C ends the search now."
        return "The search is over; the model is put together, checked and explained."

    def can_show(self, characters: str) -> bool:
        try:
            characters.encode(self.out.encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            return False
        return True
