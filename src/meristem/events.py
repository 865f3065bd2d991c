"""What long work tells its watchers: plain records, in order, to any number of listeners.

A listener is a callable that takes an event. The progress display and the report are listeners; so may users be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """One thing that happened. `at` is seconds since the work began."""

    at: float


@dataclass(frozen=True)
class Started(Event):
    """The work begins: what task, what budget. With `greater` a loss is minus a score of which more is better."""

    task: str
    seconds: float | None
    trials: int | None
    workers: int
    metric: str
    greater: bool = False


@dataclass(frozen=True)
class Baseline(Event):
    """The score of the constant answer."""

    loss: float


@dataclass(frozen=True)
class CandidateStarted(Event):
    """A candidate was handed to a worker."""

    number: int
    origin: str
    text: str


@dataclass(frozen=True)
class CandidateEnded(Event):
    """A candidate ended. `outcome` is `scored` or the kind of failure, `reason` a sentence."""

    number: int
    origin: str
    text: str
    outcome: str
    loss: float | None
    seconds: float
    reason: str = ""


@dataclass(frozen=True)
class Improved(Event):
    """The best model so far got better. `loss` is the ensemble's."""

    loss: float
    text: str


@dataclass(frozen=True)
class Phase(Event):
    """The work enters a new phase: reading, searching, refitting, explaining, done."""

    name: str


@dataclass(frozen=True)
class Warned(Event):
    """Something the user should know."""

    text: str


Listener = Callable[[Event], None]


@dataclass
class Hub:
    """Passes events on to listeners. A listener that raises is dropped, its error kept, and the work goes on."""

    listeners: list[Listener] = field(default_factory=list)
    errors: list[Any] = field(default_factory=list)

    def send(self, event: Event) -> None:
        """Pass an event to every listener."""
        for listener in list(self.listeners):
            try:
                listener(event)
            except Exception as error:
                self.listeners.remove(listener)
                self.errors.append(error)
