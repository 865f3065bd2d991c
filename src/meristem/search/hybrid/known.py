"""Programs from readings that are known: a reader of an earlier model has looked at the images.

Then each example is one of a program over numbers, as in programs from examples, but some readings are wrong, and with
them some answers that are right. So a program is ranked by how many examples it answers, not by whether it answers all.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MeristemError
from meristem.language.interpreter import prepare
from meristem.language.terms import Term
from meristem.search.enumeration._blocks import Block
from meristem.search.hybrid.enumerating import (
    Effort,
    ReadingSearch,
    enumerate_readings,
    programs_of,
    usual_effort,
)
from meristem.search.hybrid.ranking import NATS
from meristem.search.hybrid.readings import Look
from meristem.values import Column, Scalars

_ROWS = 160  # examples that programs are enumerated on
_FIRST = 150  # programs that are run on all examples
_FURTHER = (
    3  # times the usual number of programs: here each is held against examples, not against their frequencies
)
_DOUBT = (
    0.25  # of the examples that the most frequent answer leaves: so many may be left where a reader is poor
)
_TRUST = 0.06  # share of examples that a reader may spoil without a longer program being looked for


@dataclass(frozen=True)
class Answering:
    """A program over readings, by what it answers.

    Args:
        term: It.
        cost: Its description length in half bits.
        right: The share of the examples that it answers.
        score: Nats: how likely the labels are given its answers, its length taken off.
    """

    term: Term
    cost: float
    right: float
    score: float


@dataclass(frozen=True)
class Answers:
    """Programs over known readings, the likeliest first.

    Args:
        programs: They.
        guessing: The score of who knows only how often each label occurs.
        considered: Programs made.
        reached: The cost up to which all programs were made.
        cpu_seconds: What it took.
    """

    programs: tuple[Answering, ...]
    guessing: float
    considered: int
    reached: int
    cpu_seconds: float


def rank_known(
    look: Look,
    readings: Mapping[str, Column],
    answers: Column,
    classes: int,
    *,
    effort: Effort | None = None,
    seed: int = 0,
    deadline: float = math.inf,
    most: int = 12,
) -> Answers:
    """Enumerate programs over known readings, and rank them by how many examples they answer.

    Args:
        look: Where the images stand.
        readings: What a reader says of each image: a column [N] a variable.
        answers: The labels [N], int or bool.
        classes: K.
        effort: How far to enumerate; None: further than `usual_effort`, where nothing answers the examples before.
        seed: Source of randomness.
        deadline: `time.monotonic()` time to end by.
        most: Programs given.
    """
    began = time.process_time()
    if effort is None:
        effort = usual_effort(look.types)
        effort = replace(effort, kept=_FURTHER * effort.kept)
    count = len(answers)
    assert isinstance(answers, Scalars)
    wanted = answers.data.astype(np.int64)
    labels, times = np.unique(wanted, return_counts=True)
    guessing = float(times @ np.log(times / count))
    rng = np.random.default_rng([seed, 29])
    rows = np.sort(rng.permutation(count)[:_ROWS])
    part = {name: column.take(rows) for name, column in readings.items()}
    search = ReadingSearch(part, answers.take(rows), classes, effort, seed)
    goal = wanted[rows].astype(np.int32)
    usual = float(np.unique(goal, return_counts=True)[1].max() / len(goal))
    seen: dict[int, float] = {}  # the share of examples that the best program of each cost answers

    def enough(level: int) -> bool:
        block = search.bank.blocks.get(answers.type, {}).get(level)
        if block is not None:
            seen[level] = float((block.ids == goal[:, None]).mean(axis=0).max())
        best = max(seen, key=lambda cost: (seen[cost], -cost), default=0)
        if not seen:
            return False
        # Longer programs answer more by chance alone, but a good one is not beaten by much longer ones.
        if seen[best] >= 1 - _TRUST:
            return level >= best + 2
        return 1 - seen[best] <= _DOUBT * (1 - usual) and level >= best + 3

    reached = enumerate_readings(search, effort, deadline, enough)
    found, ids = programs_of(search, answers.type)
    right = (ids == goal[:, None]).mean(axis=0) if len(found) else np.zeros(0)
    costs = np.array([block.cost for block, _ in found], np.float64)
    scores = np.array([score_of(share, len(rows), len(labels)) for share in right]) - NATS * costs
    first = np.argsort(-scores, kind="stable")[:_FIRST]
    ranked = _on_all(look, readings, answers, [(found[k], float(costs[k])) for k in first], len(labels))
    return Answers(tuple(ranked[:most]), guessing, search.tried, reached, time.process_time() - began)


def _on_all(
    look: Look,
    readings: Mapping[str, Column],
    answers: Column,
    chosen: list[tuple[tuple[Block, int], float]],
    labels: int,
) -> list[Answering]:
    ranked = []
    for (block, index), cost in chosen:
        term = block.term(index)
        share = right_share_of(look, readings, answers, term)
        ranked.append(Answering(term, cost, share, score_of(share, len(answers), labels) - NATS * cost))
    return sorted(ranked, key=lambda each: (-each.score, each.term.size))


def right_share_of(look: Look, readings: Mapping[str, Column], answers: Column, term: Term) -> float:
    """The share of the examples that a program over readings answers."""
    return float(right_rows(look, readings, answers, term).mean()) if len(answers) else float("nan")


def right_rows(look: Look, readings: Mapping[str, Column], answers: Column, term: Term) -> NDArray[np.bool_]:
    """Which of the examples [N] a program over readings answers."""
    rows = len(answers)
    try:
        done = prepare(term, look.types, result=answers.type).run(dict(readings), fuel=2000 * rows, rows=rows)
    except MeristemError:
        return np.zeros(rows, np.bool_)
    assert isinstance(done.column, Scalars)
    assert isinstance(answers, Scalars)
    right: NDArray[np.bool_] = (done.failures == 0) & (done.column.data == answers.data)
    return right


def score_of(right: float, count: int, labels: int) -> float:
    """Nats: log-likelihood of the labels where a share of the answers is right and the others are anything else."""
    wrong = (1 - right) * count
    # A program that is right less often than a guess explains nothing by being wrong.
    error = min((wrong + 0.5) / (count + 1.0), (max(labels, 2) - 1) / max(labels, 2))
    return (count - wrong) * math.log(1 - error) + wrong * math.log(error / max(labels - 1, 1))


__all__ = ["Answering", "Answers", "rank_known", "right_rows", "right_share_of", "score_of"]
