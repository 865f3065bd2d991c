"""What search proposes and what came of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from meristem.language.terms import Term
from meristem.types import Type


@dataclass(frozen=True)
class Candidate:
    """A term to try.

    Args:
        number: In order of asking, from 0.
        term: The term.
        origin: The strategy that proposed it.
        cap: Most rows to train on, None for all.
    """

    number: int
    term: Term
    origin: str
    cap: int | None = None


@dataclass(frozen=True)
class Result:
    """How a candidate ended.

    Args:
        candidate: Which one.
        outcome: `scored`, `failed`, `crashed`, `timeout`, `memory`, or `stopped` when the budget ended first.
        loss: What the objective makes small; None unless scored.
        seconds: Wall time of the trial.
        reason: Why it ended, in a sentence; empty when scored.
        traceback: Of an unexpected error.
        output: Predictions for the held-out rows.
        notes: By slot what the fits of the folds noted.
        size: Bytes of one fold's fit, compressed.
        fold_fit: The fit of the last fold, by slot: what answers where there was no time for a fit on all rows.
    """

    candidate: Candidate
    outcome: str
    loss: float | None = None
    seconds: float = 0.0
    reason: str = ""
    traceback: str = ""
    output: NDArray[np.float64] | None = field(default=None, repr=False)
    notes: dict[str, Any] = field(default_factory=dict, repr=False)
    size: int = 0
    fold_fit: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Setting:
    """What strategies may know of the task.

    Args:
        row: The row type of the features.
        target: The type of the answers.
        rows: How many examples there are.
        seed: Of the run.
    """

    row: Type
    target: Type
    rows: int
    seed: int

    @property
    def classification(self) -> bool:
        """Whether the answers are classes."""
        return self.target.name in ("class", "bool")


@dataclass
class History:
    """Everything that was asked and told so far, in order."""

    asked: list[Candidate] = field(default_factory=list)
    told: list[Result] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def scored(self) -> Iterator[Result]:
        """The results that have a loss."""
        return (r for r in self.told if r.loss is not None)

    def best(self, count: int) -> list[Result]:
        """The `count` results of least loss, best first."""
        return sorted(self.scored(), key=lambda r: (r.loss, r.candidate.number))[:count]

    def knows(self, term: Term) -> bool:
        """Whether a term was asked before."""
        return term.digest in self._seen

    def add(self, candidate: Candidate) -> None:
        """Note that a candidate was asked."""
        self.asked.append(candidate)
        self._seen.add(candidate.term.digest)


class Strategy(ABC):
    """A way of proposing terms. Holds settings only: what it proposes depends on the history and the generator.

    Class attributes:
        name: As it stands in the report.
        opening: Whether it is asked before the others, until it has nothing more.
    """

    name: ClassVar[str]
    opening: ClassVar[bool] = False

    @abstractmethod
    def propose(self, history: History, setting: Setting, rng: np.random.Generator) -> Term | None:
        """A term that was not asked before, or None when it has nothing to propose now."""
