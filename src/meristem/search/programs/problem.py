"""What a search for programs gets and what it gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from meristem.language.terms import Term
from meristem.types import Type
from meristem.values import Column


@dataclass(frozen=True)
class Problem:
    """Examples to answer.

    Args:
        inputs: The inputs by name, a column [N] each.
        answers: The wanted answers [N].
        further: Inputs without answers, a column [M] each: programs that fit are told apart by what they give here.
        wrong: The share of the examples that may be wrong, from 0 to below 0.5.
        close: Reals are equal when they differ by at most this times their size (or this, below 1).
        seed: Source of randomness.
        memory: Bytes that a search may use.
        notes: Where a finder may say what it did, for the report: `notes["programs"]` is how many programs it looked
            at so far, `notes["reached"]` the cost up to which it has seen all. Each finder gets a problem with notes of
            its own.
    """

    inputs: Mapping[str, Column]
    answers: Column
    further: Mapping[str, Column] = field(default_factory=dict)
    wrong: float = 0.0
    close: float = 1e-9
    seed: int = 0
    memory: int = 1_000_000_000
    notes: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def types(self) -> dict[str, Type]:
        """The type of each input."""
        return {name: column.type for name, column in self.inputs.items()}

    def __len__(self) -> int:
        return len(self.answers)


@dataclass(frozen=True)
class Found:
    """A program that answers the examples.

    Args:
        term: The program; its free variables are the inputs.
        cost: Its description length under the prior, in half bits; less is likelier.
        wrong: Positions of the examples that it does not answer.
        support: The least number of examples that a branch of it rests on.
    """

    term: Term
    cost: float
    wrong: tuple[int, ...] = ()
    support: int = 1_000_000


class Finder(ABC):
    """A way of searching. Holds settings only; all that changes lives in the generator that `find` makes.

    Class attributes:
        name: As it stands in the report.
        weight: Its share of the time beside that of the others, as long as none has paid; below 1 for what is slow
            and finds what the others do not.
        tolerant: Whether it copes with wrong examples by itself; the others are run on parts of the examples too.
    """

    name: ClassVar[str]
    weight: ClassVar[float] = 1.0
    tolerant: ClassVar[bool] = False

    @abstractmethod
    def suits(self, problem: Problem) -> bool:
        """Whether this can search at all here."""

    @abstractmethod
    def find(self, problem: Problem) -> Iterator[Found | None]:
        """Search until nothing is left to try.

        Yields a program whenever one is found that answers the examples, and None at least every tenth of a second or
        so, so that the caller can stop, or turn to another finder. The first program need not be the best. A program
        that answers some of the examples only may be given too, with `wrong` saying which it does not: the best of
        these is what the user hears of where nothing fits.
        """


__all__ = ["Finder", "Found", "Problem"]
