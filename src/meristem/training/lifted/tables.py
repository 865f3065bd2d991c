"""The answers of a remainder on all joint readings of one shape of examples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.errors import ResourceError, TypeMismatch
from meristem.language.failures import Reasons
from meristem.training.lifted.shapes import Pool, constant_columns
from meristem.training.lifted.split import Split
from meristem.types import unify
from meristem.values import Column, Lists, Scalars, Texts, hashable

IntArray = NDArray[np.int64]

MOST_ROWS = 100_000
"""Joint readings that are run at once; beyond, the table would cost more than the training steps it serves."""
_DIGITS = 9  # reals are equal answers if they agree to so many digits: sums in another order differ in the last ones


class _Failed:
    """The answer of readings on which the program fails. No label is equal to it."""

    def __repr__(self) -> str:
        return "FAILED"


FAILED = _Failed()


@dataclass(frozen=True)
class Variable:
    """One reading: what a reader (by position in the split) says of an image (by number in the example)."""

    reader: int
    image: int


@dataclass(frozen=True)
class Table:
    """Answers by joint reading.

    Args:
        variables: The V readings, in order; the last one changes fastest.
        sizes: For each the number of values it may have.
        ids: Shape [product of sizes]: which of the answers.
        answers: The A distinct answers, `FAILED` last where some readings have none.
    """

    variables: tuple[Variable, ...]
    sizes: tuple[int, ...]
    ids: IntArray
    answers: tuple[Any, ...]


class Answers:
    """Distinct answers, and the numbers of labels among them."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = tuple(values)

    @cached_property
    def _places(self) -> dict[Any, int]:
        return {answer_key(value): place for place, value in enumerate(self.values) if value is not FAILED}

    def find(self, labels: Sequence[Any]) -> IntArray:
        """The numbers of labels [N]; -1 for one that no reading gives."""
        places = self._places
        return np.fromiter((places.get(answer_key(label), -1) for label in labels), np.int64, len(labels))


def answer_key(value: Any) -> Any:
    """What answers are compared by: reals agree in nine digits, lists become tuples."""
    if isinstance(value, float):
        return value if value == 0 or not math.isfinite(value) else float(f"{value:.{_DIGITS - 1}e}")
    if isinstance(value, list | tuple):
        return tuple(map(answer_key, value))
    if isinstance(value, dict):
        return tuple((answer_key(k), answer_key(v)) for k, v in value.items())
    return hashable(value)


def intern_answers(column: Column, failures: Reasons) -> tuple[IntArray, tuple[Any, ...]]:
    """Numbers [N] and the distinct answers they stand for; failing rows have the answer `FAILED`, the last one."""
    good = np.flatnonzero(failures == 0)
    ids = np.full(len(column), -1, np.int64)
    living = column if len(good) == len(column) else column.take(good)
    values: tuple[Any, ...]
    if isinstance(living, Scalars) and living.type.name != "real":
        distinct, inverse = np.unique(living.data, return_inverse=True)
        values = tuple(Scalars(living.type, distinct).to_list())
    elif isinstance(living, Texts):
        distinct, inverse = np.unique(living.ids, return_inverse=True)
        values = tuple(living.pool[place] for place in distinct.tolist())
    else:
        places: dict[Any, int] = {}
        raw = living.to_list()
        inverse = np.fromiter(
            (places.setdefault(answer_key(v), len(places)) for v in raw), np.int64, len(raw)
        )
        first: dict[int, Any] = {}
        for place, value in zip(inverse.tolist(), raw, strict=True):
            first.setdefault(place, value)
        values = tuple(first.values())
    ids[good] = inverse
    if len(good) < len(column):
        ids[ids < 0] = len(values)
        values = (*values, FAILED)
    return ids, values


def variables_of(split: Split, pools: Sequence[Pool], places: Sequence[int]) -> tuple[Variable, ...]:
    """The readings an example has: of each image by each reader that takes its type, image by image.

    Args:
        split: The program.
        pools: The images.
        places: For each image of the example its pool.
    """
    found = []
    for image, pool in enumerate(places):
        for number, reader in enumerate(split.readers):
            try:
                unify(reader.takes, pools[pool].type, {})
            except TypeMismatch:
                continue
            found.append(Variable(number, image))
    return tuple(found)


def joint_readings(sizes: Sequence[int], start: int = 0, stop: int | None = None) -> IntArray:
    """All joint readings [rows, V] (or those from `start` to `stop`), the last variable changing fastest."""
    total = math.prod(sizes)
    index = np.arange(start, total if stop is None else stop)
    return (
        np.stack(np.unravel_index(index, tuple(sizes)), axis=1)
        if sizes
        else np.zeros((len(index), 0), np.int64)
    )


def run_readings(
    split: Split,
    values: Mapping[str, Any],
    count: int,
    variables: Sequence[Variable],
    readings: IntArray,
) -> tuple[Column, Reasons]:
    """The answers of the remainder for joint readings of one shape.

    Args:
        split: The program.
        values: The inputs of the shape, numbers in place of images.
        count: The number of images.
        variables: V readings.
        readings: Shape [N, V]: their values, as positions in the support of their readers.

    Returns:
        The answers [N], and a reason for each row that has none.
    """
    rows = len(readings)
    inputs = constant_columns(split, values, rows)
    offsets = np.arange(rows + 1, dtype=np.int64) * count
    for number, reader in enumerate(split.readers):
        codes = np.zeros((rows, count), np.int64)
        for place, variable in enumerate(variables):
            if variable.reader == number:
                codes[:, variable.image] = readings[:, place]
        inputs[reader.name] = Lists(offsets, reader.column(codes.ravel()))
    done = split.remainder.run(inputs, rows=rows)
    return done.column, done.failures


def joint_table(
    split: Split,
    values: Mapping[str, Any],
    count: int,
    variables: Sequence[Variable],
    *,
    most: int = MOST_ROWS,
) -> Table:
    """Run the remainder once on all joint readings.

    Raises:
        ResourceError: There are more than `most`.
    """
    sizes = tuple(split.readers[v.reader].classes for v in variables)
    total = math.prod(sizes)
    if total > most:
        raise ResourceError(
            f"a table of answers may have {most:,} rows, {len(sizes)} readings have {total:,}"
        )
    column, failures = run_readings(split, values, count, variables, joint_readings(sizes))
    ids, answers = intern_answers(column, failures)
    return Table(tuple(variables), sizes, ids, answers)


def label_counts(labels: Sequence[Any]) -> dict[Any, int]:
    """How often each label occurs, by its key."""
    found: dict[Any, int] = {}
    for label in labels:
        key = answer_key(label)
        found[key] = found.get(key, 0) + 1
    return found


__all__ = [
    "FAILED",
    "MOST_ROWS",
    "Answers",
    "Table",
    "Variable",
    "answer_key",
    "intern_answers",
    "joint_readings",
    "joint_table",
    "label_counts",
    "run_readings",
    "variables_of",
]
