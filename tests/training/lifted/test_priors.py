"""How well programs explain labels before anything is trained."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from glance_reader import IMAGE, over_list

from meristem.training.lifted import (
    Plans,
    Readings,
    Variable,
    best_likelihood,
    label_likelihood,
    label_prior,
    split_term,
)
from meristem.training.lifted.tables import joint_readings, label_counts
from meristem.types import list_of

LENGTHS = (2, 3)
MEANINGS = {
    "sum(DIGITS)": lambda d: d.sum(axis=1),
    "max(DIGITS)": lambda d: d.max(axis=1),
    "first(DIGITS)": lambda d: d[:, 0],
    "max(DIGITS) - min(DIGITS)": lambda d: d.max(axis=1) - d.min(axis=1),
}


def labels_of(body: str, classes: int, pi: np.ndarray, count: int = 3000) -> dict[int, np.ndarray]:
    rng = np.random.default_rng(3)
    return {n: MEANINGS[body](rng.choice(classes, (count, n), p=pi)) for n in LENGTHS}


def tables(classes: int) -> np.ndarray:
    return np.stack(
        [np.concatenate([m(joint_readings([classes] * n)) for n in LENGTHS]) for m in MEANINGS.values()]
    )


def counted(labels: dict[int, np.ndarray], answers: int) -> np.ndarray:
    return np.stack([np.bincount(labels[n], minlength=answers)[:answers] for n in LENGTHS])


@pytest.mark.parametrize("truth", list(MEANINGS))
def test_the_truth_explains_its_labels_best(truth: str) -> None:
    pi = np.array([0.4, 0.3, 0.2, 0.1])
    labels = labels_of(truth, 4, pi)
    readings = Readings.of(4, LENGTHS)
    likelihood, priors, impossible = label_likelihood(
        tables(4), counted(labels, 10), readings, iterations=200
    )
    place = list(MEANINGS).index(truth)
    assert impossible[place] == 0
    assert likelihood.argmax() == place
    assert likelihood[place] <= best_likelihood(counted(labels, 10)) + 1e-6
    if truth in ("sum(DIGITS)", "max(DIGITS)", "first(DIGITS)"):
        found = priors[place]
        np.testing.assert_allclose(found if found[0] > found[3] else found[::-1], pi, atol=0.03)


def test_diagrams_and_tables_agree() -> None:
    labels = labels_of("sum(DIGITS)", 4, np.array([0.1, 0.2, 0.3, 0.4]), 400)
    readings = Readings.of(4, LENGTHS)
    likelihood, priors, impossible = label_likelihood(tables(4), counted(labels, 10), readings)
    for place, body in enumerate(MEANINGS):
        split = split_term(over_list(body), {"xs": list_of(IMAGE)})
        plans = Plans(split)
        diagrams = [plans.of({"xs": list(range(n))}, n, [Variable(0, k) for k in range(n)]) for n in LENGTHS]
        prior = label_prior(diagrams, [label_counts(labels[n].tolist()) for n in LENGTHS])
        assert prior.impossible == impossible[place]
        assert prior.labels == 800
        assert prior.likelihood == pytest.approx(likelihood[place], rel=1e-6)
        np.testing.assert_allclose(prior.classes[0], priors[place], atol=1e-6)
        assert prior.gap >= -1e-9


def test_a_planted_impossible_label_is_counted() -> None:
    labels = labels_of("max(DIGITS)", 4, np.full(4, 0.25), 50)
    labels[2][0] = 9
    _, _, impossible = label_likelihood(tables(4), counted(labels, 10), Readings.of(4, LENGTHS))
    assert impossible.tolist()[1] == 1
    split = split_term(over_list("max(DIGITS)"), {"xs": list_of(IMAGE)})
    diagram = Plans(split).of({"xs": [0, 1]}, 2, [Variable(0, 0), Variable(0, 1)])
    assert diagram is not None
    prior = label_prior([diagram], [label_counts(labels[2].tolist())])
    assert prior.impossible == 1


def test_the_likelihood_never_falls() -> None:
    labels = labels_of("sum(DIGITS)", 4, np.array([0.7, 0.1, 0.1, 0.1]), 200)
    counts, readings = counted(labels, 10), Readings.of(4, LENGTHS)
    by_iteration = [label_likelihood(tables(4), counts, readings, iterations=n)[0] for n in (0, 1, 2, 5, 20)]
    for before, after in itertools.pairwise(by_iteration):
        assert (after[0] >= before[0] - 1e-9).all()
    assert by_iteration[-1][0] > by_iteration[0][0] + 10
