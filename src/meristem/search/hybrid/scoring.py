"""How well programs over readings explain labels: all of them quickly, the best of them closely.

Three looks, each at fewer programs and more readings: the pairs, say, for all; all short lists; then longer ones, where
their number allows, for the first programs only. What counts is the evidence (`training/lifted/evidence.py`) less the
length of the program.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MeristemError
from meristem.language.interpreter import prepare
from meristem.language.terms import Term
from meristem.search.hybrid.readings import ReadingProblem
from meristem.training.lifted.evidence import label_evidence
from meristem.training.lifted.priors import label_likelihood
from meristem.values import Column, Scalars

IntArray = NDArray[np.int64]
RealArray = NDArray[np.float64]

NATS = 0.5 * math.log(2)
"""Nats a half bit of cost."""
_NEAR, _COARSE = (
    1500,
    300,
)  # programs looked at more closely on readings of one shape; then on all short readings
_LONGER = ((24, 12_000, math.inf), (6, 100_000, 15.0))
"""Then so many programs on the readings of longer shapes with so many readings, if within so many nats of the best."""
_BALANCE = 20.0  # readings' worth of belief in balance, where there are too many programs for their evidence
_IMPOSSIBLE = 0.05  # share of labels that no reading may give: labels may be wrong
_NONE = -(2**40)  # the answer of a program that fails


@dataclass(frozen=True)
class Scored:
    """A program over readings and how it explains the labels.

    Args:
        term: It.
        cost: Its description length in half bits.
        likelihood: Of the labels of all short shapes, under its most credible class prior, in nats.
        prior: That prior [K].
        impossible: Labels that no reading gives.
        score: Its evidence less its length, in nats; the labels of longer shapes count where they were looked at.
        answers: Its answers to all short readings [N], `-2^40` where it fails.
    """

    term: Term
    cost: float
    likelihood: float
    prior: RealArray = field(repr=False)
    impossible: int
    score: float
    answers: IntArray = field(repr=False)


def coarse(
    problem: ReadingProblem,
    numbers: IntArray,
    costs: RealArray,
    columns: dict[str, Column],
    whole: int,
    shape: int,
) -> list[int]:
    """The programs that explain the labels of one shape best.

    Args:
        problem: All short readings and the labels.
        numbers: Shape [rows, P]: answers of P programs as numbers of labels.
        costs: Shape [P].
        columns: The readings: those of one shape first.
        whole: How many these are.
        shape: Which shape that is.
    """
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
    likelihood, priors, _ = label_likelihood(distinct, counts[None], block, iterations=6, floor=floor)
    # Where labels say little many programs explain them all, most of them by an odd prior.
    likelihood -= _BALANCE * (np.log(problem.classes) + _negative_entropy(priors))
    cheapest = np.full(len(distinct), np.inf)
    np.minimum.at(cheapest, inverse.ravel(), costs[possible])
    near = np.argsort(-(likelihood - NATS * cheapest), kind="stable")[:_NEAR]
    known = label_evidence(distinct[near], counts[None], block, priors[near], floor=floor)
    found = np.full(len(distinct), -np.inf)
    found[near] = known.evidence
    score = found[inverse.ravel()] - NATS * costs[possible]
    order = np.argsort(-score, kind="stable")[:_COARSE]
    return [int(k) for k in possible[order] if np.isfinite(score).any()]


def fine(problem: ReadingProblem, candidates: Sequence[tuple[Term, float]]) -> list[Scored]:
    """The candidates by the labels of all short shapes, likeliest first."""
    columns = problem.columns(problem.shapes)
    kept: list[tuple[Term, float]] = []
    raw: list[IntArray] = []
    for term, cost in candidates:
        answers = run_on(problem, term, columns)
        if answers is not None:
            kept.append((term, cost))
            raw.append(answers)
    if not kept:
        return []
    table = np.stack([problem.numbers_of(each, each == _NONE) for each in raw])
    _, start, _ = label_likelihood(table, problem.counts, problem.readings, iterations=12)
    known = label_evidence(table, problem.counts, problem.readings, start)
    found = [
        Scored(
            term,
            cost,
            float(known.likelihood[k]),
            known.priors[k],
            int(known.impossible[k]),
            float(known.evidence[k]) - NATS * cost,
            raw[k],
        )
        for k, (term, cost) in enumerate(kept)
    ]
    return _sorted(found)


def longer(problem: ReadingProblem, scored: list[Scored], deadline: float = math.inf) -> list[Scored]:
    """The first ones by the labels of longer shapes too, where there are some: that tells many of them apart."""
    known = {tuple(shape) for shape in problem.shapes.tolist()}
    more = [
        k
        for k, shape in enumerate(problem.all_shapes.tolist())
        if tuple(shape) not in known and problem.all_counts[k].sum()
    ]
    tables = {each.term: [problem.numbers_of(each.answers, each.answers == _NONE)] for each in scored}
    shapes, counts = problem.shapes, problem.counts
    for most, rows, within in _LONGER:
        first = [each for each in scored[:most] if each.score > scored[0].score - within]
        new = [k for k in more if float(problem.classes) ** int(problem.all_shapes[k].sum()) <= rows]
        more = [k for k in more if k not in new]
        if not new or len(first) < 2 or time.monotonic() > deadline:
            continue
        columns = problem.columns(problem.all_shapes[new])
        for each in first:
            answers = run_on(problem, each.term, columns)
            if answers is None:
                answers = np.full(len(next(iter(columns.values()))), _NONE)
            tables[each.term].append(problem.numbers_of(answers, answers == _NONE))
        shapes = np.concatenate([shapes, problem.all_shapes[new]])
        counts = np.concatenate([counts, problem.all_counts[new]])
        table = np.stack([np.concatenate(tables[each.term]) for each in first])
        start = np.stack([each.prior for each in first])
        seen = label_evidence(table, counts, problem.block(shapes), start)
        scored = _sorted(
            [
                replace(
                    each,
                    prior=seen.priors[k],
                    impossible=int(seen.impossible[k]),
                    score=float(seen.evidence[k]) - NATS * each.cost,
                )
                for k, each in enumerate(first)
            ]
        )
    return scored


def last_seen(prior: RealArray) -> int:
    """How many classes there are up to the last one that the labels show something of."""
    seen = np.flatnonzero(prior > 2e-3)
    return int(seen[-1]) + 1 if len(seen) else 1


def _sorted(scored: list[Scored]) -> list[Scored]:
    return sorted(scored, key=lambda each: (-each.score, each.term.size))


def _negative_entropy(priors: RealArray) -> RealArray:
    found: RealArray = (priors * np.log(np.maximum(priors, 1e-30))).sum(axis=1)
    return found


def run_on(problem: ReadingProblem, term: Term, columns: dict[str, Column]) -> IntArray | None:
    """The answers of a program [N] as whole numbers, -2^40 where it has none; None where it cannot be run."""
    rows = len(next(iter(columns.values())))
    try:
        done = prepare(term, problem.look.types, result=problem.output).run(
            columns, fuel=500 * rows, rows=rows
        )
    except MeristemError:
        return None
    assert isinstance(done.column, Scalars)
    found: IntArray = np.where(done.failures != 0, _NONE, done.column.data.astype(np.int64))
    return found


__all__ = ["NATS", "Scored", "coarse", "fine", "last_seen", "longer", "run_on"]
