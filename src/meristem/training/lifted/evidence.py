"""How well a program explains labels when the freedom it has in choosing class frequencies is taken off.

The best class prior makes any program look better than it is, and a program that depends on all K frequencies more
than one that depends on none: the largest of a list can be bent to many distributions of answers, whether a list is
sorted to next to none. So programs are compared by their *evidence*, the likelihood averaged over class priors:

    log E  =  log L(pi)  -  2 B |phi - u|^2  -  1/2 sum_i log(1 + lambda_i / (4 B)),      phi = sqrt(pi)

by Laplace's method at the best pi. In phi, which lies on a sphere, multinomial information is constant, so the
approximation is even there; u is the balanced prior, lambda_i are the eigenvalues of the information that the labels
give about phi, and B is how many readings' worth of belief balance gets. It is not known how balanced classes are, so
the mean over several B is taken: where classes are balanced a program that says so is believed more.

References:
    MacKay (1992), "Bayesian interpolation" (evidence, and the factor that it charges for freedom).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meristem.training.lifted.priors import FLOOR, Readings

IntArray = NDArray[np.int64]
RealArray = NDArray[np.float64]

BELIEFS = (20.0, 100.0, 500.0, 100_000.0)
"""B: classes that differ by seven, three, one and a half tenths of their share are what these take for usual, with ten
classes, and last that they hardly differ: many sets of data are made so."""
_STEPS = 6  # of Fisher scoring, a belief; from the best prior that expectation maximization gave
_LEAST = 1e-4  # of phi: a class that is never seen
_RARE = 0.06  # share of readings of the last classes that may be taken for none at all
_FEWER = 3.0  # nats a factor of e by which there are fewer classes than there may be: K is only a bound
_AT_ONCE = 400_000  # numbers of a table


@dataclass(frozen=True)
class Evidence:
    """What label counts say for P programs.

    Args:
        evidence: Shape [P], nats.
        likelihood: Shape [P]: at the class prior that is given.
        priors: Shape [P, K]: the most credible class priors.
        impossible: Shape [P]: labels that no reading gives.
    """

    evidence: RealArray
    likelihood: RealArray
    priors: RealArray
    impossible: IntArray


def label_evidence(
    table: NDArray[Any],
    label_counts: NDArray[Any],
    readings: Readings,
    start: NDArray[Any],
    *,
    floor: float = FLOOR,
) -> Evidence:
    """The evidence of P programs.

    Args:
        table: Shape [P, N]: the number of the answer of each program to each of the N readings; -1 where it fails.
        label_counts: Shape [lengths, A]: how often each answer is the label of a list of that length.
        readings: The readings: N rows, one block a length.
        start: Shape [P, K]: class priors to start from, those of `label_likelihood`.
        floor: The least probability of a label.
    """
    labels = np.asarray(label_counts, np.float64)
    sizes = np.diff(readings.starts)
    block = np.repeat(np.arange(len(labels)), sizes)
    asked = np.zeros((len(labels), labels.shape[1] + 1), np.int64)
    asked[:, :-1][labels > 0] = 1 + np.arange(int((labels > 0).sum()))
    times = np.concatenate([[0.0], labels[labels > 0]])
    images = readings.counts[readings.starts[:-1]].sum(axis=1)  # an example of each shape
    each = np.concatenate([[0.0], images[np.nonzero(labels > 0)[0]]])
    programs, classes = len(table), readings.counts.shape[1]
    parts = []
    step = max(1, _AT_ONCE // max(len(readings.counts), 1))
    for begin in range(0, programs, step):
        part = slice(begin, min(begin + step, programs))
        goals = asked[block[None, :], np.asarray(table[part], np.int64)]
        parts.append(_Block(goals, readings.counts, times, each, floor).evidence(np.asarray(start[part])))
    if not parts:
        none = np.zeros(0)
        return Evidence(none, none, np.zeros((0, classes)), np.zeros(0, np.int64))
    return Evidence(*(np.concatenate([getattr(p, name) for p in parts]) for name in Evidence.__annotations__))


class _Block:
    """Some programs at once. `goals` [P, N] number the labels, 0 for none; `times` how often each is."""

    def __init__(
        self, goals: IntArray, counts: RealArray, times: RealArray, images: RealArray, floor: float
    ) -> None:
        self.goals, self.counts, self.times, self.images, self.floor = goals, counts, times, images, floor
        self.programs, self.width = len(goals), len(times)
        self.place = (goals + self.width * np.arange(self.programs)[:, None]).ravel()

    def evidence(self, start: RealArray) -> Evidence:
        """The evidence, where all classes may occur, or only those up to one: the mean of the two."""
        classes = start.shape[1]
        known = self._given(start, np.full(self.programs, classes))
        shown = 1 + (np.cumsum(start, axis=1) < 1 - _RARE).sum(axis=1)
        few = np.flatnonzero(shown < classes)
        if len(few):
            some = _Block(self.goals[few], self.counts, self.times, self.images, self.floor)
            fewer = some._given(np.where(np.arange(classes) < shown[few, None], start[few], 0.0), shown[few])
            value = fewer.evidence - _FEWER * np.log(classes / shown[few])
            better = few[value > known.evidence[few]]
            own = value > known.evidence[few]
            known.evidence[few] = np.logaddexp(known.evidence[few], value) - np.log(2)
            known.likelihood[better] = fewer.likelihood[own]
            known.priors[better] = fewer.priors[own]
        return known

    def _given(self, start: RealArray, shown: IntArray) -> Evidence:
        """The evidence where classes up to so many, [P], are usual."""
        phi = _on_sphere(np.sqrt(np.maximum(start, 0.0)))
        balanced = (np.arange(start.shape[1])[None, :] < shown[:, None]) / np.sqrt(shown)[:, None]
        found = np.empty((len(BELIEFS), self.programs))
        best = np.full(self.programs, -np.inf)
        likelihood, priors = np.empty(self.programs), np.empty_like(phi)
        for k, belief in enumerate(BELIEFS):
            phi, value, information = self._climb(phi, balanced, belief)
            freedom = 0.5 * np.log1p(_eigenvalues(information, phi) / (4 * belief)).sum(axis=1)
            found[k] = value - 2 * belief * ((phi - balanced) ** 2).sum(axis=1) - freedom
            better = found[k] > best
            best = np.where(better, found[k], best)
            likelihood = np.where(better, value, likelihood)
            priors = np.where(better[:, None], phi**2, priors)
        top = found.max(axis=0)
        mean = top + np.log(np.exp(found - top).mean(axis=0))
        never = np.bincount(self.place, minlength=self.programs * self.width).reshape(self.programs, -1) == 0
        impossible = (never[:, 1:] @ self.times[1:]).astype(np.int64)
        return Evidence(mean, likelihood, priors / priors.sum(axis=1, keepdims=True), impossible)

    def _climb(
        self, phi: RealArray, balanced: RealArray, belief: float
    ) -> tuple[RealArray, RealArray, RealArray]:
        """The most credible class prior by Fisher scoring; a step that does not help is halved."""
        value, gradient, information = self._look(phi)
        height = value - 2 * belief * ((phi - balanced) ** 2).sum(axis=1)
        size = np.ones(self.programs)
        identity = np.eye(phi.shape[1])
        for _ in range(_STEPS):
            slope = gradient - 4 * belief * (phi - balanced)
            slope -= (slope * phi).sum(axis=1, keepdims=True) * phi
            step = np.linalg.solve(information + 4 * belief * identity, slope[:, :, None])[:, :, 0]
            step -= (step * phi).sum(axis=1, keepdims=True) * phi
            there = _on_sphere(phi + size[:, None] * step)
            new_value, new_gradient, new_information = self._look(there)
            new_height = new_value - 2 * belief * ((there - balanced) ** 2).sum(axis=1)
            better = new_height > height
            size = np.where(better, np.minimum(1.0, 2 * size), size / 4)
            phi = np.where(better[:, None], there, phi)
            height, value = np.where(better, new_height, height), np.where(better, new_value, value)
            gradient = np.where(better[:, None], new_gradient, gradient)
            information = np.where(better[:, None, None], new_information, information)
        return phi, value, information

    def _look(self, phi: RealArray) -> tuple[RealArray, RealArray, RealArray]:
        """The log-likelihood [P], its gradient [P, K] in phi along the sphere, and the information [P, K, K].

        With e_y(k) the expected number of readings of class k given label y, d log P(y) / d phi_k along the sphere is
        2 (e_y(k) - m phi_k^2) / phi_k, where m is the number of images.
        """
        weight = np.exp(np.maximum(2 * np.log(phi) @ self.counts.T, -700.0))
        shape = (self.programs, self.width)
        total = np.bincount(self.place, weight.ravel(), self.programs * self.width).reshape(shape)
        rate = np.divide(1.0, total, out=np.zeros_like(total), where=total > 1e-300)
        expected = np.empty((*shape, phi.shape[1]))
        for k in range(phi.shape[1]):
            here = (weight * self.counts[None, :, k]).ravel()
            expected[:, :, k] = (
                np.bincount(self.place, here, self.programs * self.width).reshape(shape) * rate
            )
        given = total[:, 1:] > self.floor
        value: RealArray = np.log(np.maximum(total[:, 1:], self.floor)) @ self.times[1:]
        slope = (
            2
            * (expected[:, 1:] - self.images[None, 1:, None] * (phi**2)[:, None, :])
            / phi[:, None, :]
            * given[:, :, None]
        )
        weighted = slope * self.times[None, 1:, None]
        return value, weighted.sum(axis=1), np.matmul(weighted.transpose(0, 2, 1), slope)


def _on_sphere(phi: RealArray) -> RealArray:
    kept = np.maximum(np.abs(phi), _LEAST)
    found: RealArray = kept / np.sqrt((kept**2).sum(axis=1, keepdims=True))
    return found


def _eigenvalues(information: RealArray, phi: RealArray) -> RealArray:
    """Of the information along the sphere, [P, K]; one of them is 0."""
    along = np.eye(phi.shape[1])[None] - phi[:, :, None] * phi[:, None, :]
    inside = np.matmul(np.matmul(along, information), along)
    found: RealArray = np.maximum(np.linalg.eigvalsh(inside), 0.0)
    return found


__all__ = ["BELIEFS", "Evidence", "label_evidence"]
