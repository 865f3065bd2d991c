"""Diagrams of long lists, grown from questions to the program.

A list of 8 digits has 10^8 joint readings, too many to run. But most programs over lists keep little in mind: after a
part of the list only some *state* matters. Two beginnings of a list are in one state if no ending tells them apart.
The states are found by asking the program: a beginning is known by its answers on a few endings; from each state
every value of the next reading is tried; what answers as no state before is a new one. Then the automaton is held
against the program on random lists, and an ending on which they differ is added to the questions, until they agree.
A sum needs no ending but the empty one; a second largest item needs a few.

So nothing is known about the program but its answers: folds, sorts and conditions are all one. The result is
*verified*, not proved: `CHECKS` lists of every length asked for, drawn so that rare values and long runs occur, all
right.

References:
    Angluin (1987), "Learning regular sets from queries and counterexamples".
    Rivest and Schapire (1993), "Inference of finite automata using homing sequences": the binary search for the
    ending.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import ResourceError
from meristem.training.lifted.diagrams import Diagram, diagram_from_layers
from meristem.training.lifted.tables import Answers, Variable

IntArray = NDArray[np.int64]
Ask = Callable[[IntArray], IntArray]
"""The numbers of the program's answers [N] for readings [N, length]; equal answers have equal numbers at any length."""

MOST_STATES = 4096
CHECKS = 3000
"""All right: at 95 % confidence fewer than 1 in 1,000 lists of the kind that is drawn is answered wrongly."""
_ROUNDS = 40
_AT_ONCE = 12  # differences looked into before the automaton is grown anew
_MOST_QUESTIONS = 12_000_000  # readings (lists times their length) to ask about: a second or two


class Automaton:
    """What a program over one list keeps in mind, grown as far as is needed.

    Args:
        ask: The program.
        classes: K, the number of values of each reading.
        rng: Draws the lists it is checked on.
        most_states: Where growing ends in failure.
    """

    def __init__(
        self, ask: Ask, classes: int, rng: np.random.Generator, *, most_states: int = MOST_STATES
    ) -> None:
        self.ask, self.classes, self.rng, self.most_states = ask, classes, rng, most_states
        self.endings: list[tuple[int, ...]] = [()]
        self.checked: set[int] = set()
        self.asked = 0
        self._clear()

    def _clear(self) -> None:
        self.known: dict[bytes, int] = {}
        self.begins: list[tuple[int, ...]] = []  # of each state the shortest beginning that leads to it
        self.output: list[int] = []
        self.next: list[IntArray | None] = []  # None where not tried yet
        self.waiting: list[int] = []
        self.depth = -1

    def layers(self, length: int) -> tuple[list[IntArray], IntArray]:
        """The automaton unrolled for lists of a length.

        Returns:
            For each reading the states [S, K] it leads to, and the number of the answer of each last state.

        Raises:
            ResourceError: It has too many states, or does not settle.
        """
        for _ in range(_ROUNDS):
            self._grow(length)
            if length in self.checked:
                return self._unroll(length)
            wrong = self._check(length)
            if not len(wrong):
                self.checked.add(length)
                return self._unroll(length)
            before = len(self.endings)
            for readings in wrong[:_AT_ONCE]:
                ending = self._difference(readings)
                if ending not in self.endings:
                    self.endings.append(ending)
            if len(self.endings) == before:
                break
            self.checked.clear()
            self._clear()
        raise ResourceError("what the program keeps in mind of a list was not found out")

    def _grow(self, depth: int) -> None:
        """Try every value from every state that lists of up to `depth` lead to."""
        if self.depth < 0:
            self.depth = 0
            self._add(np.zeros((1, 0), np.int64))
        while self.depth < depth and self.waiting:
            origins, self.waiting = self.waiting, []
            begins = np.array([self.begins[s] for s in origins], np.int64).reshape(len(origins), self.depth)
            longer = np.repeat(begins, self.classes, axis=0)
            longer = np.concatenate([longer, np.tile(np.arange(self.classes), len(origins))[:, None]], axis=1)
            self.depth += 1
            found = self._add(longer).reshape(len(origins), self.classes)
            for state, onward in zip(origins, found, strict=True):
                self.next[state] = onward
        self.depth = max(self.depth, depth) if not self.waiting else self.depth

    def _add(self, begins: IntArray) -> IntArray:
        """The states of beginnings [N, length], new ones where there are none yet."""
        answers = np.empty((len(begins), len(self.endings)), np.int64)
        by_size: dict[int, list[int]] = {}
        for place, ending in enumerate(self.endings):
            by_size.setdefault(len(ending), []).append(place)
        for size, places in by_size.items():
            tails = np.array([self.endings[place] for place in places], np.int64).reshape(len(places), size)
            heads = np.repeat(begins, len(places), axis=0)
            whole = np.concatenate([heads, np.tile(tails, (len(begins), 1))], axis=1)
            self.asked += whole.size
            if self.asked > _MOST_QUESTIONS:
                raise ResourceError(f"finding the states takes more than {_MOST_QUESTIONS:,} readings")
            answers[:, places] = self.ask(whole).reshape(len(begins), len(places))
        found = np.empty(len(begins), np.int64)
        for row, signature in enumerate(answers):
            key = signature.tobytes()
            state = self.known.get(key)
            if state is None:
                state = self.known[key] = len(self.known)
                if state >= self.most_states:
                    raise ResourceError(
                        f"more than {self.most_states:,} states after {begins.shape[1]} readings"
                    )
                self.begins.append(tuple(begins[row].tolist()))
                self.output.append(int(signature[0]))
                self.next.append(None)
                self.waiting.append(state)
            found[row] = state
        return found

    def _path(self, readings: IntArray) -> IntArray:
        """The states [N, length + 1] that lists lead through."""
        table = self._table()
        path = np.zeros((len(readings), readings.shape[1] + 1), np.int64)
        for t in range(readings.shape[1]):
            path[:, t + 1] = table[path[:, t], readings[:, t]]
        return path

    def _table(self) -> IntArray:
        none = np.full(self.classes, -1, np.int64)
        return np.stack([none if onward is None else onward for onward in self.next])

    def _check(self, length: int) -> IntArray:
        """Lists of a length that the automaton answers wrongly, [N, length]."""
        readings = drawn_lists(self.classes, length, CHECKS, self.rng)
        ends = np.array(self.output)[self._path(readings)[:, -1]]
        wrong: IntArray = readings[ends != self.ask(readings)]
        return wrong

    def _difference(self, readings: IntArray) -> tuple[int, ...]:
        """An ending that tells apart two beginnings which the automaton takes for one state.

        Replacing the first t readings by the beginning of the state they lead to gives the right answer for t = 0
        and a wrong one for t = all, so somewhere between one step more changes it: there the state is too coarse.
        """
        path = self._path(readings[None])[0]

        def answer(t: int) -> int:
            whole = (*self.begins[path[t]], *readings[t:].tolist())
            return int(self.ask(np.array([whole], np.int64).reshape(1, -1))[0])

        low, high = 0, len(readings)
        first = answer(low)
        while high - low > 1:
            middle = (low + high) // 2
            if answer(middle) == first:
                low = middle
            else:
                high = middle
        one = (*self.begins[path[low]], int(readings[low]))
        other = self.begins[path[low + 1]]
        tail = tuple(readings[low + 1 :].tolist())
        for size in range(len(tail)):  # a shorter one serves as well, and asks less
            pair = [np.array([(*begin, *tail[:size])], np.int64).reshape(1, -1) for begin in (one, other)]
            if int(self.ask(pair[0])[0]) != int(self.ask(pair[1])[0]):
                return tail[:size]
        return tail

    def _unroll(self, length: int) -> tuple[list[IntArray], IntArray]:
        table, here = self._table(), np.zeros(1, np.int64)
        layers = []
        for _ in range(length):
            there, place = np.unique(table[here], return_inverse=True)
            layers.append(place.reshape(len(here), self.classes).astype(np.int64))
            here = there
        return layers, np.array(self.output, np.int64)[here]


def drawn_lists(classes: int, length: int, count: int, rng: np.random.Generator) -> IntArray:
    """Random lists [count, length], each over few or all values: so maxima stay low and runs are long in some."""
    weights = rng.dirichlet(np.full(classes, 0.25), count)
    weights[: count // 4] = 1.0 / classes
    drawn = rng.random((count, length, 1)) > np.cumsum(weights, axis=1)[:, None, :-1]
    lists: IntArray = drawn.sum(axis=2).astype(np.int64)
    steady = rng.random((count, length)) < rng.choice([0.0, 0.0, 0.7], count)[:, None]
    for t in range(1, length):  # some values repeat the one before
        lists[:, t] = np.where(steady[:, t], lists[:, t - 1], lists[:, t])
    return lists


def diagram_of_list(
    automaton: Automaton, variables: Sequence[Variable], answers: Callable[[], Sequence[Any]]
) -> Diagram:
    """The diagram of lists of one length, from an automaton.

    Args:
        automaton: Grown as far as is needed.
        variables: The readings of the list, in order.
        answers: The answers by the numbers that the automaton's `ask` gives, known after growing.
    """
    layers, ends = automaton.layers(len(variables))
    distinct, places = np.unique(ends, return_inverse=True)
    values = answers()
    if layers:
        layers[-1] = places.reshape(-1).astype(np.int64)[layers[-1]]
    return diagram_from_layers(variables, layers, Answers([values[number] for number in distinct.tolist()]))


__all__ = ["CHECKS", "MOST_STATES", "Ask", "Automaton", "diagram_of_list", "drawn_lists"]
