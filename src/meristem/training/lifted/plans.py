"""How the likelihood of each shape of examples is found: one table, or a diagram grown for long lists."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from meristem.training.lifted.diagrams import Diagram, diagram_of
from meristem.training.lifted.shapes import Group
from meristem.training.lifted.split import Split
from meristem.training.lifted.tables import MOST_ROWS, Variable, joint_table
from meristem.values import hashable


class Plans:
    """The diagrams of a program, by shape; each is made once.

    Args:
        split: The program.
        most_rows: Joint readings that are run at once; shapes with more need another way.
    """

    def __init__(self, split: Split, *, most_rows: int = MOST_ROWS) -> None:
        self.split, self.most_rows = split, most_rows
        self._known: dict[Any, Diagram | None] = {}

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
        sizes = [self.split.readers[v.reader].classes for v in variables]
        if math.prod(sizes) <= self.most_rows:
            return diagram_of(joint_table(self.split, values, count, variables, most=self.most_rows))
        return None


__all__ = ["Plans"]
