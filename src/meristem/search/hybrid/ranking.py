"""Ranking programs over readings by how well they explain the labels, before any network is trained."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from meristem.language.terms import Term
from meristem.search.enumeration._pools import FAIL
from meristem.search.hybrid.enumerating import (
    Effort,
    ReadingSearch,
    enumerate_readings,
    programs_of,
    usual_effort,
)
from meristem.search.hybrid.readings import ReadingProblem
from meristem.search.hybrid.relabelling import same_up_to_classes
from meristem.search.hybrid.scoring import NATS, Scored, coarse, fine, last_seen, longer
from meristem.training.lifted.priors import best_likelihood
from meristem.types import BOOL
from meristem.values import column_from

IntArray = NDArray[np.int64]
RealArray = NDArray[np.float64]

_SAME = 0.5  # nats within which two likelihoods may be those of one program, its classes renamed


@dataclass(frozen=True)
class Ranked:
    """A program over readings.

    Args:
        term: It.
        cost: Its description length in half bits.
        likelihood: Of all labels at the shapes that were ranked on, under its most credible class prior, in nats.
        prior: That prior [K].
        impossible: Labels that no reading gives.
        score: Its evidence less its length, in nats, at longer shapes too where they were looked at.
        ties: Programs that explain the labels as well, each with the reason why it could not be told from this one.
    """

    term: Term
    cost: float
    likelihood: float
    prior: RealArray = field(repr=False)
    impossible: int
    score: float
    ties: tuple[Tie, ...] = ()

    @property
    def classes(self) -> int:
        """How many classes it takes: the last one of which the labels show something, and one more."""
        return last_seen(self.prior)


@dataclass(frozen=True)
class Tie:
    """A program that explains the labels as well as another one.

    Args:
        term: It.
        cost: Its description length.
        classes: With the classes renamed like this it is the other program: position k has the new name of class k.
            None where that is not so, and longer lists, or labels of another kind, would tell.
    """

    term: Term
    cost: float
    classes: tuple[int, ...] | None

    @property
    def reason(self) -> str:
        """Why, in words."""
        if self.classes is None:
            return "the labels at hand are explained equally well"
        if self.classes == tuple(range(len(self.classes))):
            return "the same answers on all short lists"
        return "the same program once classes are renamed"


@dataclass(frozen=True)
class Ranking:
    """Programs over readings, the likeliest first.

    Args:
        programs: Those that explain the labels best.
        considered: Programs made.
        candidates: Programs with the right type.
        reached: The cost up to which all programs were made.
        best: The likelihood that no program exceeds.
        guessing: That of an answer drawn without regard to the shape.
        labels: How many labels these are likelihoods of.
        cpu_seconds: What it took.
        alike: Shape [P, P]: how far two programs agree on short readings, 1 where always, 0 where by chance.
    """

    programs: tuple[Ranked, ...]
    considered: int
    candidates: int
    reached: int
    best: float
    guessing: float
    labels: int
    cpu_seconds: float
    alike: RealArray = field(repr=False)

    def gap(self, program: Ranked) -> float:
        """Nats a label by which the labels' own frequencies explain them better than a program."""
        return (self.best - program.likelihood) / max(self.labels, 1)


def rank_programs(
    problem: ReadingProblem,
    *,
    effort: Effort | None = None,
    seed: int = 0,
    most: int = 12,
    deadline: float = math.inf,
    extra: Sequence[Term] = (),
) -> Ranking:
    """Enumerate programs over readings, and rank them by the likelihood of the labels.

    Args:
        problem: All short readings and the labels.
        effort: How far to enumerate; None: `usual_effort`.
        seed: Source of randomness.
        most: Programs given, programs that are equal once classes are renamed counted once.
        deadline: `time.monotonic()` time to end by.
        extra: Programs that are ranked too.
    """
    began = time.process_time()
    effort = effort or usual_effort(problem.look.types)
    rng = np.random.default_rng([seed, 17])
    columns, whole, shape = problem.to_enumerate(effort.rows, rng)
    rows = len(next(iter(columns.values())))
    output = problem.output
    search = ReadingSearch(
        columns, column_from([False if output == BOOL else 0] * rows, output), problem.classes, effort, seed
    )
    reached = enumerate_readings(search, effort, deadline)
    found, ids = programs_of(search, output)
    costs = np.array([block.cost for block, _ in found], np.float64)
    chosen = coarse(
        problem, problem.numbers_of(ids[:whole], ids[:whole] == FAIL), costs, columns, whole, shape
    )
    candidates = [(found[k][0].term(found[k][1]), float(costs[k])) for k in chosen]
    known = {term for term, _ in candidates}
    candidates += [(term, float(effort.levels)) for term in extra if term not in known]
    scored = longer(problem, fine(problem, candidates), deadline)
    merged, answers = _merge(problem, scored, most)
    counts = problem.counts
    overall = counts.sum(axis=0)
    share = overall / max(overall.sum(), 1)
    guessing = float(overall[overall > 0] @ np.log(share[overall > 0])) if overall.sum() else 0.0
    return Ranking(
        tuple(merged),
        search.tried,
        len(found),
        reached,
        best_likelihood(counts),
        guessing,
        int(counts.sum()),
        time.process_time() - began,
        _alike(problem, answers, [each.prior for each in merged]),
    )


def _alike(problem: ReadingProblem, answers: list[IntArray], priors: list[RealArray]) -> RealArray:
    """How far programs agree beyond what their frequencies of answers give (Cohen's kappa), by shape.

    Readings count by how likely the better of the two programs takes them to be.
    """
    found = np.eye(len(answers))
    starts = problem.readings.starts
    labels = problem.counts.sum(axis=1)
    share = labels / max(labels.sum(), 1)
    for j, prior in enumerate(priors):
        weights = np.exp(problem.readings.counts @ np.log(np.maximum(prior, 1e-30)))
        for i in range(j + 1, len(answers)):
            total = 0.0
            for k, part in enumerate(share):
                block = slice(int(starts[k]), int(starts[k + 1]))
                one, other, weight = answers[j][block], answers[i][block], weights[block]
                values, both = np.unique(np.concatenate([one, other]), return_inverse=True)
                first, second = (
                    np.bincount(ids, weight, len(values)) / weight.sum() for ids in np.split(both.ravel(), 2)
                )
                chance = float(first @ second)
                same = float(weight @ (one == other) / weight.sum())
                total += part * ((same - chance) / (1 - chance) if chance < 1 - 1e-9 else 1.0)
            found[i, j] = found[j, i] = total
    return found


def _merge(
    problem: ReadingProblem, scored: Sequence[Scored], most: int
) -> tuple[list[Ranked], list[IntArray]]:
    """Programs that explain the labels equally well, as one; the cheapest stands for all."""
    readings = problem.readings
    blocks = [slice(int(a), int(b)) for a, b in zip(readings.starts, readings.starts[1:], strict=False)]
    sizes = problem.shapes.sum(axis=1).tolist()
    kept: list[tuple[Scored, list[Tie]]] = []
    for each in scored:
        for first, ties in kept:
            if abs(first.likelihood - each.likelihood) > _SAME:
                continue
            renamed = same_up_to_classes(each.answers, first.answers, problem.classes, blocks, sizes)
            if renamed is not None:
                ties.append(Tie(each.term, each.cost, renamed))
                break
        else:
            if len(kept) < most:
                kept.append((each, []))
    found = []
    for first, ties in kept:
        near = [
            Tie(other.term, other.cost, None)
            for other, _ in kept
            if other is not first and abs(other.score - first.score) < 1.0
        ]
        every = (*ties[:20], *near)
        found.append(
            Ranked(
                first.term, first.cost, first.likelihood, first.prior, first.impossible, first.score, every
            )
        )
    return found, [first.answers for first, _ in kept]


__all__ = ["NATS", "Ranked", "Ranking", "Tie", "rank_programs"]
