"""Rows of a task with their answers, and how they are split for validation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from meristem.types import Type
from meristem.values import Column, codes, decode_column, encode_column, read_type, reals

IntArray = NDArray[np.int64]
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Examples:
    """Some rows of a task.

    Args:
        inputs: A column [N] for each input of the program.
        target: The answers [N].
        weights: [N], or None when all rows count the same.
        groups: int64 [N]: rows of one group are never split; or None.
    """

    inputs: Mapping[str, Column]
    target: Column
    weights: NDArray[np.float64] | None = None
    groups: IntArray | None = None

    def __len__(self) -> int:
        return len(self.target)

    def take(self, rows: NDArray[Any]) -> Examples:
        """The rows at these positions."""
        return Examples(
            {name: column.take(rows) for name, column in self.inputs.items()},
            self.target.take(rows),
            None if self.weights is None else self.weights[rows],
            None if self.groups is None else self.groups[rows],
        )

    @property
    def types(self) -> dict[str, Type]:
        """The types of the inputs."""
        return {name: column.type for name, column in self.inputs.items()}

    def encode(self) -> tuple[dict[str, Any], Arrays]:
        """As plain JSON values and arrays, for a worker."""
        arrays: Arrays = {}
        for k, column in enumerate(self.inputs.values()):
            encode_column(column, f"input{k}", arrays)
        encode_column(self.target, "target", arrays)
        if self.weights is not None:
            arrays["weights"] = self.weights
        if self.groups is not None:
            arrays["groups"] = self.groups
        return {"inputs": {n: str(t) for n, t in self.types.items()}, "target": str(self.target.type)}, arrays

    @classmethod
    def decode(cls, payload: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Examples:
        """Read what `encode` gave."""
        inputs = {
            name: decode_column(read_type(text), f"input{k}", arrays)
            for k, (name, text) in enumerate(payload["inputs"].items())
        }
        target = decode_column(read_type(payload["target"]), "target", arrays)
        return cls(inputs, target, arrays.get("weights"), arrays.get("groups"))


Mode = Literal["folds", "holdout", "ahead"]


@dataclass(frozen=True)
class Splits:
    """Which rows train and which are held out, for each of several fits.

    Args:
        fold: int64 [N]: the fold in which a row is held out; -1 for never.
        mode: `folds`: all other rows train. `holdout`: one fold, the rows marked -1 train. `ahead`: rows are in the
            order of time, and only those of earlier folds train; fold 0 is never held out.
    """

    fold: IntArray
    mode: Mode

    @property
    def count(self) -> int:
        """How many fits there are."""
        return int(self.fold.max(initial=0)) + (0 if self.mode == "ahead" else 1)

    @property
    def covered(self) -> IntArray:
        """Positions of the rows that are held out once, in order."""
        return np.flatnonzero(self.fold >= (1 if self.mode == "ahead" else 0))

    def pairs(self) -> Iterator[tuple[IntArray, IntArray]]:
        """Training and held-out positions of each fit."""
        first = 1 if self.mode == "ahead" else 0
        for k in range(first, first + self.count):
            train = self.fold < k if self.mode == "ahead" else self.fold != k
            yield np.flatnonzero(train), np.flatnonzero(self.fold == k)


def split(
    examples: Examples,
    rng: np.random.Generator,
    *,
    ordered: bool = False,
    folds: int | None = None,
    cells: float | None = None,
) -> Splits:
    """Splits sized to the data: more folds for few rows, one held-out part for very many.

    Classes keep their shares in each fold; groups stay whole; ordered rows are only predicted from earlier ones.

    Args:
        examples: The rows.
        rng: Source of all randomness.
        ordered: Whether the rows are in the order of time.
        folds: How many; None chooses.
        cells: Rows times columns that one candidate may train on, all folds together; fewer folds where that is short.
    """
    n = len(examples)
    count = folds or (8 if n < 500 else 5 if n < 20_000 else 3 if n < 60_000 else 1)
    if cells is not None and folds is None:
        # So many folds that one pass over all of them stays within the cells that the budget allows for it.
        count = next((c for c in (count, 3) if c <= count and (c - 1) * _width(examples) * n <= cells), 1)
    count = max(1, min(count, n // 2)) if n >= 4 else 2
    if ordered:
        blocks = max(count, 3) + 1
        return Splits((np.arange(n) * blocks // max(n, 1)).astype(np.int64), "ahead")
    if examples.groups is not None:
        return _grouped(examples.groups, max(count, 2), rng)
    order = rng.permutation(n)
    if examples.target.type.name in ("class", "bool"):
        order = order[np.argsort(codes(examples.target)[order], kind="stable")]
    else:
        # Sorted by the answer, so that each fold sees the whole range.
        order = order[np.argsort(reals(examples.target)[order], kind="stable")]
    if count == 1:
        held = min(max(n // 5, 1), 40_000)
        fold = np.full(n, -1, np.int64)
        fold[order[np.linspace(0, n - 1, held).astype(np.int64)]] = 0
        return Splits(fold, "holdout")
    fold = np.empty(n, np.int64)
    # Each run of `count` neighbours is dealt to the folds in a random order.
    runs = -(-n // count)
    dealt = np.argsort(rng.random((runs, count)), axis=1).ravel()[:n]
    fold[order] = dealt
    return Splits(fold, "folds")


def _width(examples: Examples) -> int:
    return sum(max(1, len(t.args)) for t in examples.types.values())


def _grouped(groups: IntArray, count: int, rng: np.random.Generator) -> Splits:
    """Whole groups to folds, the largest first, each to the fold with the fewest rows so far."""
    names, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    count = min(count, len(names))
    if count < 2:
        return split_rows(len(groups), rng)
    shuffled = rng.permutation(len(names))
    filled = np.zeros(count, np.int64)
    fold_of = np.zeros(len(names), np.int64)
    for g in shuffled[np.argsort(-sizes[shuffled], kind="stable")].tolist():
        k = int(np.argmin(filled))
        fold_of[g], filled[k] = k, filled[k] + sizes[g]
    return Splits(fold_of[place.reshape(-1)], "folds")


def split_rows(n: int, rng: np.random.Generator, count: int = 2) -> Splits:
    """Random folds of equal size."""
    return Splits((rng.permutation(n) % max(2, min(count, n))).astype(np.int64), "folds")
