"""Ways to a reader of labels, how each did on examples it had not seen, and how examples are dealt out for that."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from meristem.errors import InputError
from meristem.language.kinds import Arrays, Settings, softmax
from meristem.language.terms import Module
from meristem.modules._network import NetworkKind
from meristem.search.hybrid.readings import Look
from meristem.task.arrays import ArrayTask
from meristem.types import INT, Type, class_of
from meristem.values import Column, Scalars

IntArray = NDArray[np.int64]
RealArray = NDArray[np.float64]

_FOLDS = 3
_MANY_FOLDS = 10  # where one of them is all that is checked on
MANY = 1500  # examples from which on one fold is checked on, and is not learned from in the end
_MOST_CLASSES = 300  # different whole numbers that are taken as classes


def is_labels(task: ArrayTask, look: Look) -> bool:
    """Whether a task is to tell what one image shows: labels, or not too many whole numbers."""
    if len(look.places) != 1 or look.places[0].listed:
        return False
    if task.answers.type.name == "class":
        return True
    if task.answers.type != INT:
        return False
    return len(np.unique(_numbers(task.answers))) <= _MOST_CLASSES


def _numbers(answers: Column) -> IntArray:
    assert isinstance(answers, Scalars)
    return answers.data.astype(np.int64)


@dataclass
class Way:
    """One way to a reader.

    Args:
        name: `part as it is`, `new head`, `part trained further` or `new reader`.
        shown: It, with its particulars.
        node: The module.
        kind: Its kind.
        settings: Every choice.
        fit: From positions of examples and a deadline to arrays; None for what needs no fit.
        scores: For each example that it was checked on how it scored each class, [N, K]; NaN elsewhere.
        arrays: Its latest fit.
        network: Whether it trains a network, which takes its time.
    """

    name: str
    shown: str
    node: Module
    kind: NetworkKind
    settings: Settings
    fit: Callable[[IntArray, float], Arrays]
    scores: RealArray = field(repr=False)
    network: bool
    arrays: Arrays = field(default_factory=dict, repr=False)
    cpu_seconds: float = 0.0

    def right(self, codes: IntArray, rows: NDArray[np.bool_] | None = None) -> float:
        """The share of examples right among those it was checked on."""
        seen = self.seen if rows is None else self.seen & rows
        if not seen.any():
            return 0.0
        return float((self.scores[seen].argmax(axis=1) == codes[seen]).mean())

    def loss(self, codes: IntArray, some: NDArray[np.bool_] | None = None) -> float:
        """Nats an example."""
        rows = np.flatnonzero(self.seen if some is None else self.seen & some)
        if not len(rows):
            return math.inf
        p = softmax(self.scores[rows])[np.arange(len(rows)), codes[rows]]
        return float(-np.log(np.maximum(p, 1e-9)).mean())

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which examples it was checked on."""
        found: NDArray[np.bool_] = ~np.isnan(self.scores[:, 0])
        return found


def classes_of(answers: Column) -> tuple[IntArray, Type]:
    """Answers as positions among classes, and the type of these: labels as they are, whole numbers as labels."""
    if answers.type.name == "class":
        assert isinstance(answers, Scalars)
        return answers.data.astype(np.int64), answers.type
    if answers.type != INT:
        raise InputError(f"expected labels or whole numbers, got {answers.type}")
    values, codes = np.unique(_numbers(answers), return_inverse=True)
    return codes.astype(np.int64).ravel(), class_of(*(str(v) for v in values.tolist()))


def folds_of(codes: IntArray, groups: IntArray | None, rng: np.random.Generator) -> IntArray:
    """The fold of each example, [N]; -1 for one that is always learned from.

    The examples of each class are dealt out in turns, beginning anywhere, and one that is alone in its class is never
    held out. Whole groups are dealt out where there are some.
    """
    found = np.full(len(codes), -1, np.int64)
    counts = np.bincount(codes)
    if groups is not None and len(np.unique(groups)) >= 2:
        names = rng.permutation(np.unique(groups))
        fold_of = {int(name): k % min(_FOLDS, len(names)) for k, name in enumerate(names)}
        return np.array([fold_of[int(g)] for g in groups], np.int64)
    if counts.max() < 2:
        return found
    usual = int(np.median(counts[counts > 1]))
    folds = max(2, min(_MANY_FOLDS if len(codes) > MANY else _FOLDS, usual))
    begin = 0
    for code in np.flatnonzero(counts > 1):
        rows = rng.permutation(np.flatnonzero(codes == code))
        found[rows] = (begin + np.arange(len(rows))) % folds
        begin += len(rows)
    return found


__all__ = ["MANY", "Way", "classes_of", "folds_of", "is_labels"]
