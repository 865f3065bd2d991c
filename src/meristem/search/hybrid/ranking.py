"""Ranking programs over readings by how well they explain the labels, before any network is trained."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MeristemError
from meristem.language.interpreter import prepare
from meristem.language.terms import Term
from meristem.search.enumeration._pools import FAIL
from meristem.search.hybrid.enumerating import (
    USUAL,
    Effort,
    ReadingSearch,
    enumerate_readings,
    programs_of,
)
from meristem.search.hybrid.readings import ReadingProblem
from meristem.search.hybrid.relabelling import same_up_to_classes
from meristem.training.lifted.priors import best_likelihood, label_likelihood
from meristem.types import BOOL
from meristem.values import Column, Scalars, column_from

IntArray = NDArray[np.int64]
RealArray = NDArray[np.float64]

NATS = 0.5 * math.log(2)
"""Nats a half bit of cost."""
_COARSE, _FINE = 300, 24  # programs run on all short readings; then on longer ones
_LONG_ROWS = 12_000  # longer readings that the first programs are compared on
_SAME = 1e-6  # nats a label within which likelihoods are equal
_BALANCE = 20.0  # labels' worth of belief that classes are about equally frequent: an odd prior is an excuse
_FEWER = 0.3  # of that belief, that there are as many classes as there may be
_IMPOSSIBLE = 0.05  # share of labels that no reading may give: labels may be wrong


@dataclass(frozen=True)
class Ranked:
    """A program over readings.

    Args:
        term: It.
        cost: Its description length in half bits.
        likelihood: Of all labels at the shapes that were ranked on, under its best class prior, in nats.
        prior: The best class prior [K].
        impossible: Labels that no reading gives.
        score: Nats by which it explains the labels, its length taken off.
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
        return _last_seen(self.prior)


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
    effort: Effort = USUAL,
    seed: int = 0,
    most: int = 12,
    deadline: float = math.inf,
    extra: Sequence[Term] = (),
) -> Ranking:
    """Enumerate programs over readings, and rank them by the likelihood of the labels.

    Args:
        problem: All short readings and the labels.
        effort: How far to enumerate.
        seed: Source of randomness.
        most: Programs given, programs that are equal once classes are renamed counted once.
        deadline: `time.monotonic()` time to end by.
        extra: Programs that are ranked too.
    """
    began = time.process_time()
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
    chosen = _coarse(
        problem, problem.numbers_of(ids[:whole], ids[:whole] == FAIL), costs, columns, whole, shape
    )
    candidates = [(found[k][0].term(found[k][1]), float(costs[k])) for k in chosen]
    known = {term for term, _ in candidates}
    candidates += [(term, float(effort.levels)) for term in extra if term not in known]
    ranked, tables = _fine(problem, candidates)
    ranked, tables = _longer(problem, ranked, tables)
    merged, answers = _merge(problem, ranked, tables, most)
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


def _coarse(
    problem: ReadingProblem,
    numbers: IntArray,
    costs: RealArray,
    columns: dict[str, Column],
    whole: int,
    shape: int,
) -> list[int]:
    """The programs that explain the labels of one shape best. `numbers` [rows, P]."""
    if not len(costs):
        return []
    counts = problem.counts[shape]
    exact = whole == problem.classes ** int(problem.shapes[shape].sum())
    # Which labels a program gives at all: those it never gives count as impossible, if all readings are there.
    lost = np.zeros(len(costs))
    for label in np.flatnonzero(counts):
        lost += counts[label] * ~(numbers == label).any(axis=0)
    limit = _IMPOSSIBLE if exact else 0.3
    possible = np.flatnonzero(lost <= limit * max(counts.sum(), 1))
    if not len(possible):
        possible = np.argsort(lost, kind="stable")[:_COARSE]
    block = problem.sampled(columns, whole)
    floor = 1e-6 if exact else 0.2 / whole
    table = np.ascontiguousarray(numbers[:, possible].T)
    # Programs that are equal on all of these have one likelihood; the bank holds many that differ elsewhere only.
    distinct, inverse = np.unique(table, axis=0, return_inverse=True)
    likelihood = np.empty(len(distinct))
    quick, priors, _ = label_likelihood(distinct, counts[None], block, iterations=6, floor=floor)
    likelihood[:] = quick
    near = np.argsort(-quick, kind="stable")[: 6 * _COARSE]
    likelihood[near], priors[near], _ = label_likelihood(distinct[near], counts[None], block, floor=floor)
    # Where labels say little many programs explain them all, most of them by an odd prior.
    likelihood -= _BALANCE * np.array([_unbalance(prior) for prior in priors])
    score = likelihood[inverse.ravel()] - NATS * costs[possible]
    order = np.argsort(-score, kind="stable")[:_COARSE]
    return [int(k) for k in possible[order]]


def run_on(problem: ReadingProblem, term: Term, columns: dict[str, Column]) -> IntArray | None:
    """The answers of a program as numbers of labels; None where it cannot be run."""
    rows = len(next(iter(columns.values())))
    try:
        done = prepare(term, problem.look.types, result=problem.output).run(
            columns, fuel=500 * rows, rows=rows
        )
    except MeristemError:
        return None
    assert isinstance(done.column, Scalars)
    return problem.numbers(done.column, done.failures != 0)


def raw_on(problem: ReadingProblem, term: Term, columns: dict[str, Column]) -> IntArray | None:
    """The answers of a program [N] as whole numbers, -2^40 where it has none; None where it cannot be run."""
    rows = len(next(iter(columns.values())))
    try:
        done = prepare(term, problem.look.types, result=problem.output).run(
            columns, fuel=500 * rows, rows=rows
        )
    except MeristemError:
        return None
    assert isinstance(done.column, Scalars)
    found: IntArray = np.where(done.failures != 0, -(2**40), done.column.data.astype(np.int64))
    return found


def _fine(
    problem: ReadingProblem, candidates: Sequence[tuple[Term, float]]
) -> tuple[list[Ranked], list[IntArray]]:
    """The candidates by the labels of all short shapes, likeliest first, and their answers."""
    columns = problem.columns(problem.shapes)
    kept: list[tuple[Term, float]] = []
    raw: list[IntArray] = []
    for term, cost in candidates:
        answers = raw_on(problem, term, columns)
        if answers is not None:
            kept.append((term, cost))
            raw.append(answers)
    if not kept:
        return [], []
    table = np.stack([problem.numbers_of(each, each == -(2**40)) for each in raw])
    likelihood, priors, impossible = label_likelihood(table, problem.counts, problem.readings)
    ranked = [
        Ranked(
            term,
            cost,
            float(value),
            prior,
            int(lost),
            float(value) - NATS * cost - _BALANCE * _unbalance(prior),
        )
        for (term, cost), value, prior, lost in zip(kept, likelihood, priors, impossible, strict=True)
    ]
    order = sorted(range(len(ranked)), key=lambda k: (-ranked[k].score, ranked[k].term.size))
    return [ranked[k] for k in order], [raw[k] for k in order]


def _unbalance(prior: RealArray) -> float:
    """Nats by which a class prior is further from balance than from itself.

    Balance is that of the classes up to the last one that is seen: K is only a bound, and fewer classes cost little.
    """
    seen = prior[prior > 0]
    fewer = math.log(len(prior) / _last_seen(prior))
    return float(math.log(_last_seen(prior)) + seen @ np.log(seen)) + _FEWER * fewer


def _last_seen(prior: RealArray) -> int:
    """How many classes there are up to the last one that the labels show something of."""
    seen = np.flatnonzero(prior > 2e-3)
    return int(seen[-1]) + 1 if len(seen) else 1


def _longer(
    problem: ReadingProblem, ranked: list[Ranked], tables: list[IntArray]
) -> tuple[list[Ranked], list[IntArray]]:
    """The first ones by the labels of one longer shape too, where there is one: that tells many of them apart."""
    known = {tuple(shape) for shape in problem.shapes.tolist()}
    for k, shape in enumerate(problem.all_shapes.tolist()):
        if tuple(shape) in known or not problem.all_counts[k].sum():
            continue
        if float(problem.classes) ** sum(shape) > _LONG_ROWS:
            break
        first = ranked[:_FINE]
        shapes = np.array([shape])
        columns = problem.columns(shapes)
        numbers = [run_on(problem, each.term, columns) for each in first]
        rows = len(next(iter(columns.values())))
        table = np.stack([np.full(rows, -1) if each is None else each for each in numbers])
        # The likelihood under the prior that short shapes gave already is near that under the best for both.
        likelihood, _, lost = label_likelihood(
            table, problem.all_counts[[k]], problem.block(shapes), iterations=12
        )
        again = [
            Ranked(
                each.term,
                each.cost,
                each.likelihood,
                each.prior,
                each.impossible + int(missed),
                each.score + float(value),
            )
            for each, value, missed in zip(first, likelihood, lost, strict=True)
        ]
        order = sorted(range(len(again)), key=lambda k: (-again[k].score, again[k].term.size))
        return [again[k] for k in order], [tables[k] for k in order]
    return ranked, tables


def _merge(
    problem: ReadingProblem, ranked: list[Ranked], tables: list[IntArray], most: int
) -> tuple[list[Ranked], list[IntArray]]:
    """Programs that explain the labels equally well, as one; the cheapest stands for all."""
    readings = problem.readings
    blocks = [slice(int(a), int(b)) for a, b in zip(readings.starts, readings.starts[1:], strict=False)]
    sizes = problem.shapes.sum(axis=1).tolist()
    kept: list[tuple[Ranked, IntArray, list[Tie]]] = []
    for each, table in zip(ranked, tables, strict=True):
        for first, other, ties in kept:
            if abs(first.likelihood - each.likelihood) > max(_SAME * problem.counts.sum(), 0.5):
                continue
            renamed = same_up_to_classes(table, other, problem.classes, blocks, sizes)
            if renamed is not None:
                ties.append(Tie(each.term, each.cost, renamed))
                break
        else:
            if len(kept) < most:
                kept.append((each, table, []))
    found = []
    for first, _, ties in kept:
        near = [
            Tie(other.term, other.cost, None)
            for other, _, _ in kept
            if other is not first and abs(other.score - first.score) < 1.0
        ]
        every = (*ties[:20], *near)
        found.append(
            Ranked(
                first.term, first.cost, first.likelihood, first.prior, first.impossible, first.score, every
            )
        )
    return found, [table for _, table, _ in kept]


__all__ = ["NATS", "Ranked", "Ranking", "Tie", "rank_programs"]
