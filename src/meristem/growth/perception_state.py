"""What a growing program with perception is made of so far: the data, the candidates, the best one, what it cost."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from meristem import events
from meristem.errors import MeristemError
from meristem.growth.clock import Clock
from meristem.growth.plain_network import PlainResult
from meristem.growth.readers import Reader
from meristem.language.kinds import Arrays
from meristem.language.terms import Term
from meristem.language.text import format_term
from meristem.model.perception_report import TiedProgram
from meristem.search.hybrid import Look, right_share_of
from meristem.training.lifted import Known, Recipe, train_lifted
from meristem.training.rows import Examples
from meristem.values import Column

if TYPE_CHECKING:
    from meristem.task.arrays import ArrayTask
    from meristem.task.budget import Budget

_HELD_SHARE, _HELD_LEAST, _HELD_MOST = 0.1, 20, 1500
_PERFECT = 0.995  # of held-out examples: training ends before all its steps


@dataclass(eq=False)
class Candidate:
    """A program with a reader.

    Args:
        term: The program over readings.
        cost: Its description length in half bits.
        reader: Its reader.
        gap: Nats a label before training; None where that was not measured.
        fit: Arrays by slot, from its last training.
        loss: Of that training.
        steps: Of that training.
        accuracy: The share of held-out examples right.
        cpu_seconds: What it took.
    """

    term: Term
    cost: float
    reader: Reader
    gap: float | None = None
    fit: Mapping[str, Arrays] = field(default_factory=dict, repr=False)
    loss: float | None = None
    steps: int = 0
    accuracy: float | None = None
    cpu_seconds: float = 0.0
    learned: bool = True


class Growing:
    """One growing of a program with perception.

    Args:
        task: Images and final answers.
        look: Where the images stand.
        readers: Those of earlier models.
        budget: What may be used.
        clock: Began with the call.
        hub: Who is told.
        seed: Source of all randomness.
    """

    def __init__(
        self,
        task: ArrayTask,
        look: Look,
        readers: Sequence[Reader],
        budget: Budget,
        clock: Clock,
        hub: events.Hub,
        seed: int,
    ) -> None:
        self.task, self.look, self.readers = task, look, list(readers)
        self.budget, self.clock, self.hub, self.seed = budget, clock, hub, seed
        self.began = time.process_time()
        if task.held is None:
            count = min(max(_HELD_SHARE * len(task), _HELD_LEAST), _HELD_MOST, 0.3 * len(task))
            split = task.hold_out(count / len(task), np.random.default_rng([seed, 3]))
        else:
            split = task
        assert split.held is not None
        self.train = Examples(split.inputs, split.answers)
        self.held = Examples(split.held.inputs, split.held.answers)
        raw = self.train.target.to_list()
        often: dict[Any, int] = {}
        for value in raw:
            often[value] = often.get(value, 0) + 1
        self.usual = max(often, key=lambda value: (often[value], repr(value)))
        self.constant = float(np.mean([value == self.usual for value in self.held.target.to_list()]))
        shares = np.array(list(often.values())) / len(raw)
        self.entropy = float(-(shares @ np.log(shares)))
        self.best: Candidate | None = None
        self.tried: list[Candidate] = []
        self.ties: list[TiedProgram] = []
        self.plain: PlainResult | None = None
        self.considered = self.number = 0
        self.known = Known()
        self._seen: dict[Any, tuple[Any, dict[str, Column]]] = {}
        self.stages: dict[str, float] = {}
        self.notes: list[str] = []
        self.ended = "nothing is left to try"
        hub.send(events.Baseline(clock.elapsed, 1 - self.constant))

    def over(self) -> bool:
        """Whether nothing more may be trained: the time, or the trials, are used up."""
        return self.clock.left <= 0 or self.trials_left() <= 0

    def trials_left(self) -> float:
        """How many trainings there may still be."""
        trials = self.budget.trials
        return math.inf if trials is None else trials - self.number

    @property
    def used_up(self) -> str:
        """Why nothing more may be trained, in words."""
        if self.clock.stopped:
            return "stopped by the user"
        return "the time is used up" if self.clock.left <= 0 else "the trials are used up"

    def enough(self, share: float) -> bool:
        """Whether the best program answers this share of the held-out examples."""
        best = self.best
        return best is not None and best.accuracy is not None and best.accuracy >= share

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Tell that a stage begins, and note what it takes."""
        began = time.process_time()
        self.hub.send(events.Phase(self.clock.elapsed, name))
        try:
            yield
        finally:
            self.stages[name] = self.stages.get(name, 0.0) + time.process_time() - began

    def train_in(
        self, candidate: Candidate, steps: int | None, recipe: Recipe, term: Term | None = None
    ) -> None:
        """Train a candidate's reader inside its program."""
        self.number += 1
        reader = candidate.reader
        whole = reader.over(self.look, candidate.term) if term is None else term
        text = format_term(whole)
        self.hub.send(events.CandidateStarted(self.clock.elapsed, self.number, reader.way, text))
        began = time.monotonic()
        try:
            done = train_lifted(
                whole,
                self.train,
                rng=np.random.default_rng(
                    [self.seed, 11]
                ),  # the same for all: they differ in their programs only
                validation=self.held if steps is None else None,
                goal=_PERFECT if steps is None else None,
                steps=steps,
                deadline=max(self.clock.search_end, time.monotonic() + 0.2),
                init=candidate.fit or reader.fit or None,
                frozen=reader.frozen,
                recipe=recipe,
                known=self.known,
                watch=lambda step, loss: not self.clock.stopped,
            )
        except MeristemError as error:
            candidate.loss = math.inf
            self._ended(text, reader.way, "failed", None, began, str(error))
            return
        candidate.cpu_seconds += done.cpu_seconds
        candidate.loss, candidate.steps = done.loss, len(done.losses)
        candidate.learned = not done.learned_nothing
        if steps is None:
            candidate.fit, candidate.accuracy = done.fit, done.accuracy
        if candidate not in self.tried:
            self.tried.append(candidate)
        self._ended(
            text, reader.way, "scored", done.loss if done.accuracy is None else 1 - done.accuracy, began
        )

    def _ended(
        self, text: str, origin: str, outcome: str, loss: float | None, began: float, reason: str = ""
    ) -> None:
        loss = loss if loss is not None and math.isfinite(loss) else None
        seconds = time.monotonic() - began
        self.hub.send(
            events.CandidateEnded(
                self.clock.elapsed, self.number, origin, text, outcome, loss, seconds, reason
            )
        )

    def take(self, candidate: Candidate) -> None:
        """Keep a candidate if it is the best so far."""
        if candidate.accuracy is None:
            return
        if self.best is None or self.best.accuracy is None or candidate.accuracy > self.best.accuracy:
            self.best = candidate
            text = format_term(candidate.reader.over(self.look, candidate.term))
            self.hub.send(events.Improved(self.clock.elapsed, 1 - candidate.accuracy, text))

    def held_share(self, candidate: Candidate) -> float:
        """The share of held-out examples that a candidate answers right."""
        seen = self.seen(candidate.reader, candidate.fit, self.held)
        return right_share_of(self.look, seen, self.held.target, candidate.term)

    def seen(self, reader: Reader, fit: Mapping[str, Arrays], examples: Examples) -> dict[str, Column]:
        """What a reader sees in the training or the held-out examples: each image is looked at once."""
        key = (id(fit), reader.node, examples is self.held)
        if examples is not self.held and examples is not self.train:
            raise ValueError("expected the training or the held-out examples")
        if key not in self._seen:  # the fit is kept beside it, so that no other one can get its id
            self._seen[key] = fit, reader.read(self.look, examples.inputs, fit)
        return self._seen[key][1]


__all__ = ["Candidate", "Growing"]
