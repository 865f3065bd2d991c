"""Questions: inputs on which programs that all fit the examples give different answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from meristem.errors import MeristemError, Reason
from meristem.language.reference import run_row
from meristem.language.terms import Term
from meristem.model.program import Program
from meristem.model.trace import reason_words
from meristem.model.value_text import value_text
from meristem.model.words import percent
from meristem.values import Column, hashable

_FUEL = 100_000


@dataclass(frozen=True)
class Rival:
    """Another program that fits the examples, and its share of the likelihood of all that do."""

    term: Term
    share: float


@dataclass(frozen=True)
class Answer:
    """An answer that some of the programs give to a question.

    Args:
        value: The answer; None where these programs have none.
        share: The share of the likelihood of the programs that give it.
        failure: Why they have none; empty where they have.
        chosen: Whether the model itself gives it.
        term: The likeliest program that gives it.
    """

    value: Any
    share: float
    failure: str = ""
    chosen: bool = False
    term: Term | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"no answer ({self.failure})" if self.failure else value_text(self.value)


@dataclass(frozen=True)
class Question:
    """An input on which programs that fit differ: what is the answer?

    Args:
        inputs: The input, by name.
        answers: What the programs answer, the model's own answer first, then by share.
    """

    inputs: Mapping[str, Any]
    answers: tuple[Answer, ...]

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The input as `model(*arguments)` takes it."""
        return tuple(self.inputs.values())

    def __str__(self) -> str:
        given = ", ".join(f"{name} = {value_text(value)}" for name, value in self.inputs.items())
        lines = [f"What is the answer for {given}?"]
        for answer in self.answers:
            mark = "  (this program)" if answer.chosen else ""
            lines.append(f"  {percent(answer.share):>6}  {answer}{mark}")
        return "\n".join(lines)

    __repr__ = __str__


def questions_of(
    program: Program, rivals: Sequence[Rival], asked: Mapping[str, Column], most: int
) -> list[Question]:
    """The questions at stored inputs: each program is run again, so the answers are what it gives.

    Args:
        program: The model's.
        rivals: The others; shares of all together sum to 1 at most, the rest is the model's own.
        asked: The inputs, a column [Q] each.
        most: How many questions to give.
    """
    count = len(next(iter(asked.values()))) if asked else 0
    if not count or not rivals or most <= 0:
        return []
    own = max(1.0 - sum(rival.share for rival in rivals), 0.0)
    programs: list[tuple[Program, float]] = [(program, own)]
    programs += [
        (Program(rival.term, program.inputs, program.target, {}, exact=True), rival.share) for rival in rivals
    ]
    found: list[Question] = []
    for i in range(count):
        row = {name: column[i] for name, column in asked.items()}
        groups: dict[Any, Answer] = {}
        for k, (each, share) in enumerate(programs):
            try:
                value, reason = run_row(each.prepared, row, each.fit, fuel=_FUEL)
            except MeristemError:
                continue
            key = ("fails", int(reason)) if reason else ("gives", hashable(value))
            before = groups.get(key)
            groups[key] = Answer(
                value,
                share + (before.share if before is not None else 0.0),
                reason_words(Reason(reason)) if reason else "",
                before.chosen if before is not None else k == 0,
                before.term if before is not None else each.term,
            )
        if len(groups) > 1:
            ordered = sorted(groups.values(), key=lambda answer: (not answer.chosen, -answer.share))
            found.append(Question(row, tuple(ordered)))
        if len(found) == most:
            break
    return found


__all__ = ["Answer", "Question", "Rival", "questions_of"]
