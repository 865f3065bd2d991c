"""Examples without their images: what of an example the remainder sees beside readings.

The images of an example are numbered from 0 in the order in which they stand. Examples that are equal once images are
replaced by their numbers are of one *shape*: lists of images of one length, say. All examples of a shape share the
table of answers over joint readings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError
from meristem.training.lifted.split import OPAQUE, Split, opaque_to_int
from meristem.types import Type
from meristem.values import (
    Column,
    Dense,
    Dists,
    Lists,
    Maps,
    Options,
    Pairs,
    Rows,
    Scalars,
    column_from,
    hashable,
)

IntArray = NDArray[np.int64]
_SPAN = (
    1 << 40
)  # larger than any pool: an image is known by pool * _SPAN + position while columns are taken apart


@dataclass(frozen=True)
class Pool:
    """Images of one type that stand at one place of an input.

    Args:
        type: Their type.
        data: Shape [M, ...], floating.
    """

    type: Type
    data: NDArray[Any]


@dataclass(frozen=True)
class Group:
    """The examples of one shape.

    Args:
        values: The inputs by name, numbers in place of images.
        rows: Shape [N]: which examples these are.
        pools: For each of the V images of an example the pool it stands in.
        images: Shape [N, V]: its position there.
    """

    values: Mapping[str, Any]
    rows: IntArray
    pools: tuple[int, ...]
    images: IntArray

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def count(self) -> int:
        """V, the number of images of each example."""
        return len(self.pools)

    def take(self, positions: IntArray) -> Group:
        """Some of the examples, by position in this group."""
        return Group(self.values, self.rows[positions], self.pools, self.images[positions])


@dataclass(frozen=True)
class Shapes:
    """Examples taken apart.

    Args:
        groups: By shape, in order of first appearance.
        pools: The images.
        numbered: The inputs [N] with numbers in place of images.
        counts: Shape [N]: the number of images of each example.
        ready: What readers made ready of the images, for the next ones.
    """

    groups: tuple[Group, ...]
    pools: tuple[Pool, ...]
    numbered: Mapping[str, Column]
    counts: IntArray = field(repr=False)
    ready: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.counts)


def shapes_of(split: Split, inputs: Mapping[str, Column]) -> Shapes:
    """Take examples apart into images and shapes.

    Args:
        split: The program.
        inputs: Its inputs, a column [N] each.

    Raises:
        InputError: An input is missing.
    """
    pools: list[Pool] = []
    marked: dict[str, Column] = {}
    for name in split.inputs:
        if name not in inputs:
            raise InputError(
                f"expected the inputs {list(split.inputs)}, got {list(inputs)}: {name!r} is missing"
            )
        marked[name] = _marked(inputs[name], pools)
    types = {name: column.type for name, column in marked.items()}
    count = len(next(iter(marked.values()))) if marked else 0
    places: dict[Any, int] = {}
    values: list[dict[str, Any]] = []
    rows: list[list[int]] = []
    images: list[list[list[int]]] = []
    lists = {name: column.to_list() for name, column in marked.items()}
    kinds = {name: split.inputs[name] for name in marked}
    counts = np.zeros(count, np.int64)
    for row in range(count):
        met: list[int] = []
        own = {name: _number(lists[name][row], kinds[name], met) for name in marked}
        counts[row] = len(met)
        key = (tuple(m // _SPAN for m in met), *(hashable(value) for value in own.values()))
        place = places.setdefault(key, len(places))
        if place == len(values):
            values.append(own)
            rows.append([])
            images.append([])
        rows[place].append(row)
        images[place].append(met)
    groups = []
    for own, members, met_by_row in zip(values, rows, images, strict=True):
        array = np.array(met_by_row, np.int64).reshape(len(members), -1)
        of = tuple((array[0] // _SPAN).tolist()) if array.size else ()
        groups.append(Group(own, np.array(members, np.int64), of, array % _SPAN))
    each: list[dict[str, Any]] = [{}] * count
    for group in groups:
        for row in group.rows.tolist():
            each[row] = dict(group.values)
    numbered = {name: column_from([one[name] for one in each], types[name]) for name in marked}
    return Shapes(tuple(groups), tuple(pools), numbered, counts)


class Known:
    """Data sets that were taken apart already: many programs are trained on one."""

    def __init__(self) -> None:
        self._of: dict[Any, tuple[Mapping[str, Column], Shapes]] = {}

    def shapes(self, split: Split, inputs: Mapping[str, Column]) -> Shapes:
        """As `shapes_of`, once for each data set (the same object) and types of inputs."""
        key = (id(inputs), *((name, str(type_)) for name, type_ in split.inputs.items()))
        if key not in self._of:
            self._of[key] = inputs, shapes_of(split, inputs)
        return self._of[key][1]


def _marked(column: Column, pools: list[Pool]) -> Column:
    """A column with a mark in place of each image: which pool it stands in, and where."""
    if isinstance(column, Dense):
        pools.append(Pool(column.type, column.data))
        return Scalars(Type("int"), np.arange(len(column), dtype=np.int64) + _SPAN * (len(pools) - 1))
    if isinstance(column, Lists):
        return Lists(column.offsets, _marked(column.items, pools))
    if isinstance(column, Pairs):
        return Pairs(_marked(column.first, pools), _marked(column.second, pools))
    if isinstance(column, Rows):
        return Rows({name: _marked(child, pools) for name, child in column.fields.items()}, column.count)
    if isinstance(column, Options):
        return Options(column.present, _marked(column.values, pools))
    if isinstance(column, Maps):
        return Maps(column.offsets, column.keys, _marked(column.values, pools))
    if isinstance(column, Dists):
        raise InputError("a lifted program takes no distributions as inputs; give the values themselves")
    return column


def _number(value: Any, type_: Type, met: list[int]) -> Any:
    """A value with numbers in place of marks, which are noted in order."""
    name = type_.name
    if name in OPAQUE:
        met.append(value)
        return len(met) - 1
    if value is None or not type_.args:
        return value
    if name == "list":
        return [_number(item, type_.item, met) for item in value]
    if name == "pair":
        return (_number(value[0], type_.args[0], met), _number(value[1], type_.args[1], met))
    if name == "option":
        return _number(value, type_.item, met)
    if name == "row":
        return {field: _number(value[field], inner, met) for field, inner in type_.fields.items()}
    if name == "map":
        return {key: _number(item, type_.args[1], met) for key, item in value.items()}
    return value


def constant_columns(split: Split, values: Mapping[str, Any], rows: int) -> dict[str, Column]:
    """The inputs of one shape, repeated for so many rows."""
    index = np.zeros(rows, np.int64)
    types = {name: opaque_to_int(type_) for name, type_ in split.inputs.items()}
    return {name: column_from([values[name]], types[name]).take(index) for name in values}


def list_shape(name: str, length: int) -> dict[str, Sequence[int]]:
    """The inputs of a program over one list of images, of some length."""
    return {name: list(range(length))}


__all__ = ["Group", "Known", "Pool", "Shapes", "constant_columns", "list_shape", "shapes_of"]
