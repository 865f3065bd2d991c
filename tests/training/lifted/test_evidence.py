"""The evidence of programs, against integrals over class priors, and what it is for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from meristem.training.lifted import Readings, label_likelihood
from meristem.training.lifted.evidence import BELIEFS, Evidence, label_evidence
from meristem.training.lifted.tables import joint_readings


def tables(truths: list[Callable[[list[int]], int]], classes: int, length: int) -> np.ndarray:
    """The answers [P, N] of programs to all lists of one length."""
    lists = joint_readings([classes] * length).tolist()
    return np.array([[truth(xs) for xs in lists] for truth in truths])


def evidence(
    truths: list[Callable[[list[int]], int]], counts: list[int], classes: int, length: int
) -> Evidence:
    readings, table = Readings.of(classes, [length]), tables(truths, classes, length)
    labels = np.array([counts])
    _, start, _ = label_likelihood(table, labels, readings)
    return label_evidence(table, labels, readings, start)


def integral(truth: Callable[[list[int]], int], counts: list[int], length: int) -> float:
    """The evidence with two classes, summed over a fine grid of priors: as the formula has it, without Laplace."""
    angle = (np.arange(20_000) + 0.5) / 20_000 * np.pi / 2
    phi = np.stack([np.cos(angle), np.sin(angle)])
    (table,) = tables([truth], 2, length)
    lists = joint_readings([2] * length)
    chance = np.prod(phi[lists] ** 2, axis=1)  # [N, grid]
    total = np.stack([chance[table == label].sum(axis=0) for label in range(len(counts))])
    log = (np.array(counts)[:, None] * np.log(np.maximum(total, 1e-6))).sum(axis=0)
    found = []
    for belief in BELIEFS:
        prior = -2 * belief * ((phi - np.sqrt(0.5)) ** 2).sum(axis=0)
        top = (log + prior).max()
        found.append(top + np.log(np.exp(log + prior - top).sum() / np.exp(prior).sum()))
    return float(np.log(np.mean(np.exp(np.array(found) - max(found)))) + max(found))


@pytest.mark.parametrize("counts", [[60, 100, 40], [50, 100, 50], [110, 80, 10]])
def test_it_is_the_mean_likelihood_over_class_priors(counts: list[int]) -> None:
    found = evidence([sum], counts, 2, 2)
    assert found.evidence[0] == pytest.approx(integral(sum, counts, 2), abs=0.3)
    assert found.impossible[0] == 0
    assert found.priors[0].sum() == pytest.approx(1.0)


def test_a_program_that_can_be_bent_to_more_labels_has_less() -> None:
    # Both explain the labels of 400 pairs exactly: one whatever the classes are like, one by them alone.
    truths = [lambda xs: int(xs[0] < xs[1] or xs == [0, 0]), lambda xs: int(xs[0] < 2)]
    counts = [225, 175]
    readings, table = Readings.of(4, [2]), tables(truths, 4, 2)
    likelihood, _, _ = label_likelihood(table, np.array([counts]), readings)
    assert likelihood[0] == pytest.approx(likelihood[1], abs=0.05)
    found = evidence(truths, counts, 4, 2)
    assert (found.evidence < found.likelihood + 1e-9).all()
    assert found.evidence[0] > found.evidence[1] + 0.5


def test_names_of_classes_do_not_matter() -> None:
    found = evidence([max, lambda xs: 3 - min(xs)], [20, 60, 100, 140], 4, 2)
    assert found.evidence[0] == pytest.approx(found.evidence[1], abs=1e-3)
    assert found.priors[0] == pytest.approx(found.priors[1][::-1], abs=1e-3)


def test_labels_that_no_reading_gives_are_counted() -> None:
    found = evidence([lambda xs: xs[0]], [50, 50, 0, 0, 7], 2, 2)
    assert found.impossible.tolist() == [7]


def test_odd_classes_are_an_excuse() -> None:
    # Both give the labels; the sum needs classes 1 and 3 not to occur.
    truths = [lambda xs: sum(x for x in xs if x % 2 == 0), sum]
    found = evidence(truths, [250, 0, 200, 0, 50, 0, 0], 4, 2)
    assert found.evidence[0] > found.evidence[1] + 5
    assert found.priors[1][[1, 3]].max() < 0.01
