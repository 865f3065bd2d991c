"""How well a program explains labels alone, before any image is looked at.

If readings were drawn from one distribution pi over the K classes, independently, a program would give label y of a
list of length n with probability P_pi(y | n). The best pi for the labels that were seen is found by expectation
maximization: the expected share of each class over all readings, given the labels. The likelihood it reaches ranks
    programs in
milliseconds; a program that cannot give a label at all is out.

References:
    Dempster, Laird and Rubin (1977), "Maximum likelihood from incomplete data via the EM algorithm".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.training.lifted.diagrams import Diagram
from meristem.training.lifted.tables import answer_key, joint_readings

IntArray = NDArray[np.int64]
RealArray = NDArray[np.float64]

FLOOR = 1e-6
"""An impossible label counts as one of this probability: 13.8 nats, not infinity, since labels may be wrong."""
ITERATIONS = 30  # of EM: the likelihood of a sum of digits is then within 1e-3 nats a label of its limit
_TILT = 0.02  # uniform classes are a saddle where a program is the same under relabelling; a slight slope leaves it


@dataclass(frozen=True)
class Prior:
    """The best class prior for some labels.

    Args:
        likelihood: The sum over labels of log P(label), each at least log 1e-6.
        entropy: The likelihood of the labels under their own frequencies at each length: no program does better.
            How far below it a program stays says how little it explains.
        classes: By reader the distribution [K].
        impossible: The number of labels that no reading gives.
        labels: The number of labels.
    """

    likelihood: float
    entropy: float
    classes: tuple[RealArray, ...]
    impossible: int
    labels: int

    @property
    def gap(self) -> float:
        """Nats a label by which the labels' own frequencies explain them better."""
        return (self.entropy - self.likelihood) / max(self.labels, 1)


def label_prior(
    diagrams: Sequence[Diagram],
    counts: Sequence[Mapping[Any, int]],
    *,
    iterations: int = ITERATIONS,
    floor: float = FLOOR,
) -> Prior:
    """The best class prior for labels, from diagrams.

    Args:
        diagrams: One for each shape of examples (each length of lists).
        counts: For each how often each label occurs, by `answer_key` or by the label itself.
        iterations: Of EM.
        floor: The least probability of a label.
    """
    readers = 1 + max((v.reader for d in diagrams for v in d.variables), default=0)
    sizes = [1] * readers
    for diagram in diagrams:
        for variable, size in zip(diagram.variables, diagram.sizes, strict=True):
            sizes[variable.reader] = size
    priors = [_start(size) for size in sizes]
    found = [_numbers(diagram, count) for diagram, count in zip(diagrams, counts, strict=True)]
    for _ in range(iterations):
        expected = [np.zeros(size) for size in sizes]
        for diagram, (labels, times, _) in zip(diagrams, found, strict=True):
            if not len(labels) or not diagram.layers:
                continue
            weights = [np.repeat(priors[v.reader][None], len(labels), 0) for v in diagram.variables]
            for variable, share in zip(diagram.variables, diagram.posteriors(weights, labels), strict=True):
                expected[variable.reader] += times @ share
        priors = [e / e.sum() if e.sum() > 0 else p for e, p in zip(expected, priors, strict=True)]
    likelihood, impossible, total, entropy = 0.0, 0, 0, 0.0
    for diagram, (labels, times, missed) in zip(diagrams, found, strict=True):
        here = float(times.sum()) + missed
        weights = [priors[v.reader][None] for v in diagram.variables]
        probability = diagram.probabilities(weights)[0][labels]
        likelihood += float(times @ np.log(np.maximum(probability, floor))) + missed * float(np.log(floor))
        impossible += missed
        total += int(here)
    for count in counts:
        seen = np.array(list(count.values()), np.float64)
        entropy += float(seen @ np.log(seen / seen.sum())) if len(seen) else 0.0
    return Prior(likelihood, entropy, tuple(priors), impossible, total)


def _start(size: int) -> RealArray:
    slope = 1 + _TILT * np.linspace(-1, 1, size) if size > 1 else np.ones(1)
    start: RealArray = slope / slope.sum()
    return start


def _numbers(diagram: Diagram, count: Mapping[Any, int]) -> tuple[IntArray, RealArray, int]:
    """Labels as numbers of answers, how often each, and how many are impossible."""
    ids = diagram.answers.find(list(count))
    times = np.array(list(count.values()), np.float64)
    known = ids >= 0
    return ids[known], times[known], int(times[~known].sum())


# ------------------------------------------------------------------------------------------ many programs at once


@dataclass(frozen=True)
class Readings:
    """All joint readings of lists of some lengths, by one reader: what many programs share.

    Args:
        lengths: The lengths.
        starts: Where the readings of each length begin, and last N.
        counts: Shape [N, K]: how often each value occurs in a reading; the prior sees no more of it.
    """

    lengths: tuple[int, ...]
    starts: IntArray
    counts: RealArray

    @classmethod
    def of(cls, classes: int, lengths: Sequence[int]) -> Readings:
        """The readings of lists of these lengths, in the order of `joint_readings`."""
        parts = []
        for length in lengths:
            values = joint_readings([classes] * length)
            part = np.zeros((len(values), classes))
            for t in range(length):
                part[np.arange(len(values)), values[:, t]] += 1
            parts.append(part)
        starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
        return cls(tuple(lengths), starts, np.concatenate(parts))


def label_likelihood(
    table: NDArray[Any],
    label_counts: NDArray[Any],
    readings: Readings,
    *,
    iterations: int = ITERATIONS,
    floor: float = FLOOR,
) -> tuple[RealArray, RealArray, IntArray]:
    """For each of P programs the likelihood of labels under its own best class prior.

    Args:
        table: Shape [P, N]: the number of the answer of each program to each of the N readings; -1 where it fails.
        label_counts: Shape [lengths, A]: how often each answer is the label of a list of that length.
        readings: The readings: N rows, one block a length.
        iterations: Of EM.
        floor: The least probability of a label.

    Returns:
        The likelihoods [P]: the sum over labels of log P(label | length); the priors [P, K]; and how many labels are
        impossible [P]. About 0.5 ms a program for lists of up to three digits.
    """
    labels = np.asarray(label_counts, np.float64)
    programs, answers = len(table), labels.shape[1]
    classes = readings.counts.shape[1]
    used = np.flatnonzero(labels.sum(axis=1) > 0)
    keep = np.concatenate(
        [np.arange(readings.starts[i], readings.starts[i + 1]) for i in used] or [np.zeros(0, int)]
    )
    block = np.repeat(np.arange(len(used)), [readings.starts[i + 1] - readings.starts[i] for i in used])
    counts, wanted = readings.counts[keep], labels[used]
    # Readings that no label asks for take no part: the answer of each is numbered within its length, 0 for "no label".
    asked = np.zeros((len(used), answers + 1), np.int64)
    asked[:, :answers][wanted > 0] = 1 + np.arange(int((wanted > 0).sum()))
    times = np.concatenate([[0.0], wanted[wanted > 0]])
    width = len(times)
    found = np.empty(programs)
    priors = np.empty((programs, classes))
    impossible = np.zeros(programs, np.int64)
    step = max(1, 2_000_000 // max(len(keep), 1))
    for begin in range(0, programs, step):
        part = slice(begin, min(begin + step, programs))
        goals = asked[block[None, :], np.asarray(table[part], np.int64)[:, keep]]
        found[part], priors[part], impossible[part] = _maximize(
            goals, counts, times, width, iterations, floor
        )
    return found, priors, impossible


def _maximize(
    goals: IntArray, counts: RealArray, times: RealArray, width: int, iterations: int, floor: float
) -> tuple[RealArray, RealArray, IntArray]:
    """EM for a block of programs. `goals` [P, N] number the labels, 0 for none; `times` how often each is."""
    programs = len(goals)
    pi = np.repeat(_start(counts.shape[1])[None], programs, 0)
    place = (goals + width * np.arange(programs)[:, None]).ravel()

    def expectation(pi: RealArray) -> tuple[RealArray, RealArray]:
        with np.errstate(divide="ignore"):
            logs = np.maximum(np.log(pi), -700.0)
        weight = np.exp(np.maximum(logs @ counts.T, -700.0))
        total: RealArray = np.bincount(place, weight.ravel(), programs * width).astype(np.float64, copy=False)
        return weight, total.reshape(programs, width)

    for _ in range(iterations):
        weight, total = expectation(pi)
        rate = np.divide(times, total, out=np.zeros_like(total), where=total > 1e-300)
        rate[:, 0] = 0.0
        expected = (weight * rate.ravel()[place].reshape(programs, -1)) @ counts
        mass = expected.sum(axis=1, keepdims=True)
        pi = np.where(mass > 0, expected / np.where(mass > 0, mass, 1.0), pi)
    total = expectation(pi)[1]
    likelihood = np.log(np.maximum(total[:, 1:], floor)) @ times[1:]
    never = np.bincount(place, minlength=programs * width).reshape(programs, width)[:, 1:] == 0
    return likelihood, pi, (never @ times[1:]).astype(np.int64)


def best_likelihood(label_counts: NDArray[Any]) -> float:
    """The likelihood of labels under their own frequencies at each length: what no program exceeds."""
    counts = np.asarray(label_counts, np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return float((counts * np.log(np.where(shares > 0, shares, 1.0))).sum())


def numbered_labels(labels: Sequence[Any], answers: Mapping[Any, int]) -> IntArray:
    """Labels [N] as numbers of answers, -1 where there is none. `answers` by `answer_key`."""
    return np.array([answers.get(answer_key(label), -1) for label in labels], np.int64)


__all__ = [
    "FLOOR",
    "ITERATIONS",
    "Prior",
    "Readings",
    "best_likelihood",
    "label_likelihood",
    "label_prior",
    "numbered_labels",
]
