"""How the likelihood of each shape of examples is found: one table, or a diagram grown for long lists."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import ResourceError, TypeMismatch
from meristem.training.lifted.automata import Automaton, diagram_of_list
from meristem.training.lifted.diagrams import Diagram, diagram_of
from meristem.training.lifted.shapes import Group
from meristem.training.lifted.split import OPAQUE, Split
from meristem.training.lifted.tables import (
    FAILED,
    MOST_ROWS,
    Variable,
    answer_key,
    intern_answers,
    joint_table,
    run_readings,
)
from meristem.types import Type, unify
from meristem.values import hashable

IntArray = NDArray[np.int64]
MOST_TOTAL = 3_000_000
"""Joint readings run for all shapes together: where inputs beside images differ from one example to the next, each
example is a shape of its own."""
_SEED = 20_011  # of the lists that automata are checked on: the same for every program


class Plans:
    """The diagrams of a program, by shape; each is made once.

    Args:
        split: The program.
        most_rows: Joint readings that are run at once; shapes with more need another way.
    """

    def __init__(self, split: Split, *, most_rows: int = MOST_ROWS) -> None:
        self.split, self.most_rows = split, most_rows
        self._known: dict[Any, Diagram | None] = {}
        self._asking: dict[Any, _Asked] = {}
        self._run = 0

    def diagram(self, group: Group, variables: Sequence[Variable]) -> Diagram | None:
        """The diagram of a shape; None where there is no exact one."""
        return self.of(group.values, group.count, variables)

    def of(self, values: Mapping[str, Any], count: int, variables: Sequence[Variable]) -> Diagram | None:
        """As `diagram`, for inputs with numbers in place of `count` images."""
        key = (tuple(variables), *(hashable(value) for value in values.values()))
        if key not in self._known:
            self._known[key] = self._make(values, count, variables)
        return self._known[key]

    def _make(self, values: Mapping[str, Any], count: int, variables: Sequence[Variable]) -> Diagram | None:
        rows = math.prod(self.split.readers[v.reader].classes for v in variables)
        if rows <= self.most_rows:
            self._run += rows
            if self._run > MOST_TOTAL:
                return None
            return diagram_of(joint_table(self.split, values, count, variables, most=self.most_rows))
        name = self._list_name(values, variables)
        if name is None:
            return None
        try:
            asked = self._asked(name, values)
            return diagram_of_list(asked.automaton, variables, lambda: asked.answers)
        except ResourceError:
            return None

    def _list_name(self, values: Mapping[str, Any], variables: Sequence[Variable]) -> str | None:
        """The input that holds all images in one list, each seen by one reader; None where it is not so."""
        if [v.image for v in variables] != list(range(len(variables))) or len(
            {v.reader for v in variables}
        ) > 1:
            return None
        for name, type_ in self.split.inputs.items():
            if type_.name == "list" and type_.item.name in OPAQUE and len(values[name]) == len(variables):
                return name
        return None

    def _asked(self, name: str, values: Mapping[str, Any]) -> _Asked:
        others = {other: value for other, value in values.items() if other != name}
        key = (name, *(hashable(value) for value in others.values()))
        if key not in self._asking:
            self._asking[key] = _Asked(self.split, name, others)
        return self._asking[key]


class _Asked:
    """A program over one list of images, asked for its answers to lists of readings of any length."""

    def __init__(self, split: Split, name: str, others: Mapping[str, Any]) -> None:
        self.split, self.name, self.others = split, name, others
        self.answers: list[Any] = []
        self._places: dict[Any, int] = {}
        self.reader = next(
            k for k, reader in enumerate(split.readers) if fits_type(reader.takes, split.inputs[name])
        )
        classes = split.readers[self.reader].classes
        self.automaton = Automaton(self.ask, classes, np.random.default_rng(_SEED))

    def ask(self, readings: IntArray) -> IntArray:
        """The numbers of the answers [N] for readings [N, length]."""
        length = readings.shape[1]
        values = {self.name: list(range(length)), **self.others}
        variables = [Variable(self.reader, image) for image in range(length)]
        column, failures = run_readings(self.split, values, length, variables, readings)
        ids, found = intern_answers(column, failures)
        numbers = []
        for value in found:
            key = value if value is FAILED else answer_key(value)
            if key not in self._places:
                self._places[key] = len(self.answers)
                self.answers.append(value)
            numbers.append(self._places[key])
        return np.array(numbers, np.int64)[ids]


def fits_type(takes: Type, type_: Type) -> bool:
    """Whether a reader takes the items of a list."""
    try:
        unify(takes, type_.item, {})
    except TypeMismatch:
        return False
    return True


__all__ = ["Plans"]
